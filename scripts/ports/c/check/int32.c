/*
 * Layers in whole numbers, as hardware without floats has them, against the same headers.
 *
 *   cc -std=c99 -O2 -Igolden/c scripts/ports/c/check/int32.c -o check && ./check
 *
 * The factors x, w and dy are times 8, so products are times 64, and so is the bias: nothing is shifted or rounded.
 * What is divided, in the means, is times 64.
 */
#define CNN_SPEC_INT32
#include "avgPool2d.h"
#include "conv2d.h"
#include "flatten.h"
#include "globalAvgPool2d.h"
#include "groupedConv2d.h"
#include "linear.h"
#include "maxPool2d.h"
#include "relu.h"

/* Where the pixel under tap kh, kw at place oh, ow stands in its channel, -1 outside the image. */
static int pixel(const cnn_spec_call *c, int oh, int ow, int kh, int kw) {
  const int ih = oh * c->stride_h + kh * c->dilation_h - c->top, iw = ow * c->stride_w + kw * c->dilation_w - c->left;
  return ih < 0 || ih >= c->H || iw < 0 || iw >= c->W ? -1 : ih * c->W + iw;
}

/* Forward where there is a y, else backward: the same sum over all products. */
static void conv2d(const cnn_spec_call *c) {
  const int slice = c->C / c->groups, P = c->H * c->W, Q = c->OH * c->OW;
  for (int n = 0; n < c->N; n++)
    for (int o = 0; o < c->O; o++)
      for (int q = 0; q < Q; q++) {
        const int place = (n * c->O + o) * Q + q;
        if (c->y) c->y[place] = c->b[o];
        else c->db[o] += c->dy[place];
        for (int k = 0; k < slice * c->KH * c->KW; k++) {
          const int tap = o * slice * c->KH * c->KW + k, kh = k / c->KW % c->KH, kw = k % c->KW;
          const int channel = slice * (o / (c->O / c->groups)) + k / (c->KH * c->KW);
          const int at = pixel(c, q / c->OW, q % c->OW, kh, kw), from = (n * c->C + channel) * P + at;
          if (at < 0) continue;
          if (c->y) {
            c->y[place] += c->x[from] * c->w[tap];
          } else {
            c->dx[from] += c->w[tap] * c->dy[place];
            c->dw[tap] += c->x[from] * c->dy[place];
          }
        }
      }
}

static void linear(const cnn_spec_call *c) {
  for (int n = 0; n < c->N; n++)
    for (int o = 0; o < c->O; o++) {
      if (c->y) c->y[n * c->O + o] = c->b[o];
      else c->db[o] += c->dy[n * c->O + o];
      for (int d = 0; d < c->D; d++) {
        const int from = n * c->D + d, tap = o * c->D + d;
        if (c->y) {
          c->y[n * c->O + o] += c->x[from] * c->w[tap];
        } else {
          c->dx[from] += c->w[tap] * c->dy[n * c->O + o];
          c->dw[tap] += c->x[from] * c->dy[n * c->O + o];
        }
      }
    }
}

static void max_pool2d(const cnn_spec_call *c) {
  for (int p = 0; p < c->N * c->C; p++)
    for (int q = 0; q < c->OH * c->OW; q++) {
      int32_t largest = INT32_MIN;
      int first = -1;
      for (int k = 0; k < c->KH * c->KW; k++) {
        const int at = pixel(c, q / c->OW, q % c->OW, k / c->KW, k % c->KW);
        if (at < 0 || c->x[p * c->H * c->W + at] <= largest) continue;
        first = at, largest = c->x[p * c->H * c->W + at];
      }
      if (c->y) c->y[p * c->OH * c->OW + q] = largest;
      else c->dx[p * c->H * c->W + first] += c->dy[p * c->OH * c->OW + q];
    }
}

/* How many of `kernel` taps from `start` on lie within the image, or its padding if that counts. */
static int taps(int start, int kernel, int size, int before, int after) {
  int count = 0;
  for (int i = start; i < start + kernel; i++) count += i >= -before && i < size + after;
  return count;
}

static void avg_pool2d(const cnn_spec_call *c) {
  const int pad = c->count_include_pad;
  for (int p = 0; p < c->N * c->C; p++)
    for (int q = 0; q < c->OH * c->OW; q++) {
      const int ih = q / c->OW * c->stride_h - c->top, iw = q % c->OW * c->stride_w - c->left;
      const int divisor = taps(ih, c->KH, c->H, pad * c->top, pad * c->bottom) *
                          taps(iw, c->KW, c->W, pad * c->left, pad * c->right);
      int32_t sum = 0;
      for (int k = 0; k < c->KH * c->KW; k++) {
        const int at = pixel(c, q / c->OW, q % c->OW, k / c->KW, k % c->KW);
        if (at < 0) continue;
        sum += c->x[p * c->H * c->W + at];
        if (c->dx) c->dx[p * c->H * c->W + at] += c->dy[p * c->OH * c->OW + q] / divisor;
      }
      if (c->y) c->y[p * c->OH * c->OW + q] = sum / divisor;
    }
}

static void global_avg_pool2d(const cnn_spec_call *c) {
  const int P = c->H * c->W;
  for (int p = 0; p < c->N * c->C; p++) {
    int32_t sum = 0;
    for (int i = 0; i < P; i++) {
      sum += c->x[p * P + i];
      if (c->dx) c->dx[p * P + i] = c->dy[p] / P;
    }
    if (c->y) c->y[p] = sum / P;
  }
}

static void relu(const cnn_spec_call *c) {
  for (int i = 0; i < c->count; i++)
    if (c->y) c->y[i] = c->x[i] > 0 ? c->x[i] : 0;
    else c->dx[i] = c->x[i] > 0 ? c->dy[i] : 0;
}

static void flatten(const cnn_spec_call *c) {
  for (int i = 0; i < c->count; i++)
    if (c->y) c->y[i] = c->x[i];
    else c->dx[i] = c->dy[i];
}

int main(void) {
  int failed = 0;
  failed += cnn_spec_check_relu(relu, relu);
  failed += cnn_spec_check_flatten(flatten, flatten);
  failed += cnn_spec_check_linear(linear, linear);
  failed += cnn_spec_check_conv2d(conv2d, conv2d);
  failed += cnn_spec_check_groupedConv2d(conv2d, conv2d);
  failed += cnn_spec_check_maxPool2d(max_pool2d, max_pool2d);
  failed += cnn_spec_check_avgPool2d(avg_pool2d, avg_pool2d);
  failed += cnn_spec_check_globalAvgPool2d(global_avg_pool2d, global_avg_pool2d);
  return failed != 0;
}
