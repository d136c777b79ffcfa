/*
 * Holds the layers of port.c against the headers of golden/c: no Node, no JSON.
 *
 *   cc -std=c99 -O2 -Igolden/c scripts/ports/c/check/float32.c -lm -o check && ./check
 */
#define main port_main /* port.c is a program of its own */
#include "../port.c"
#undef main

#include "avgPool2d.h"
#include "conv2d.h"
#include "dropout.h"
#include "flatten.h"
#include "globalAvgPool2d.h"
#include "groupedConv2d.h"
#include "leakyRelu.h"
#include "linear.h"
#include "maxPool2d.h"
#include "meanSquaredError.h"
#include "relu.h"
#include "sigmoid.h"
#include "softmax.h"
#include "tanh.h"

/* The arrays of port.c have shapes, such as const float (*)[D], which C takes from nothing but a void *. */
typedef void *Array;

static Window window_of(const cnn_spec_call *c) {
  return (Window){.H = c->H, .W = c->W, .KH = c->KH, .KW = c->KW, .OH = c->OH, .OW = c->OW,
                  .stride_h = c->stride_h, .stride_w = c->stride_w,
                  .dilation_h = c->dilation_h, .dilation_w = c->dilation_w,
                  .top = c->top, .bottom = c->bottom, .left = c->left, .right = c->right};
}

static void conv2d_y(const cnn_spec_call *c) {
  conv2d_forward(c->N, c->C, c->O, c->groups, window_of(c), (Array)c->y, (Array)c->x, (Array)c->w, c->b);
}
static void conv2d_gradients(const cnn_spec_call *c) {
  conv2d_backward(c->N, c->C, c->O, c->groups, window_of(c), (Array)c->dx, (Array)c->dw, c->db, (Array)c->dy,
                  (Array)c->x, (Array)c->w);
}

static void max_pool2d_y(const cnn_spec_call *c) {
  max_pool2d_forward(c->N * c->C, window_of(c), (Array)c->y, (Array)c->x);
}
static void max_pool2d_gradients(const cnn_spec_call *c) {
  max_pool2d_backward(c->N * c->C, window_of(c), (Array)c->dx, (Array)c->dy, (Array)c->x);
}

static void avg_pool2d_y(const cnn_spec_call *c) {
  avg_pool2d_forward(c->N * c->C, window_of(c), c->count_include_pad, (Array)c->y, (Array)c->x);
}
static void avg_pool2d_gradients(const cnn_spec_call *c) {
  avg_pool2d_backward(c->N * c->C, window_of(c), c->count_include_pad, (Array)c->dx, (Array)c->dy);
}

static void global_avg_pool2d_y(const cnn_spec_call *c) {
  global_avg_pool2d_forward(c->N * c->C, c->H * c->W, c->y, (Array)c->x);
}
static void global_avg_pool2d_gradients(const cnn_spec_call *c) {
  global_avg_pool2d_backward(c->N * c->C, c->H * c->W, (Array)c->dx, c->dy);
}

static void linear_y(const cnn_spec_call *c) {
  linear_forward(c->N, c->D, c->O, (Array)c->y, (Array)c->x, (Array)c->w, c->b);
}
static void linear_gradients(const cnn_spec_call *c) {
  linear_backward(c->N, c->D, c->O, (Array)c->dx, (Array)c->dw, c->db, (Array)c->dy, (Array)c->x, (Array)c->w);
}

static void softmax_y(const cnn_spec_call *c) { softmax_forward(c->N, c->D, (Array)c->y, (Array)c->x); }
static void softmax_gradients(const cnn_spec_call *c) {
  softmax_backward(c->N, c->D, (Array)c->dx, (Array)c->dy, (Array)c->x);
}

static void dropout_of(const cnn_spec_call *c, float *to, const float *from) {
  const int NC = c->N * c->C;
  dropout(NC, c->H * c->W, c->mask_count / NC, c->p, (Array)to, (Array)from, (Array)c->mask);
}
static void dropout_y(const cnn_spec_call *c) { dropout_of(c, c->y, c->x); }
static void dropout_gradients(const cnn_spec_call *c) { dropout_of(c, c->dx, c->dy); }

static void mean_squared_error_y(const cnn_spec_call *c) {
  mean_squared_error_forward(c->count, c->y, c->x, c->target);
}
static void mean_squared_error_gradients(const cnn_spec_call *c) {
  mean_squared_error_backward(c->count, c->dx, c->dy, c->x, c->target);
}

static void leaky_relu_y(const cnn_spec_call *c) { leaky_relu_forward(c->count, c->negative_slope, c->y, c->x); }
static void leaky_relu_gradients(const cnn_spec_call *c) {
  leaky_relu_backward(c->count, c->negative_slope, c->dx, c->dy, c->x);
}

static void relu_y(const cnn_spec_call *c) { relu_forward(c->count, c->y, c->x); }
static void relu_gradients(const cnn_spec_call *c) { relu_backward(c->count, c->dx, c->dy, c->x); }
static void tanh_y(const cnn_spec_call *c) { tanh_forward(c->count, c->y, c->x); }
static void tanh_gradients(const cnn_spec_call *c) { tanh_backward(c->count, c->dx, c->dy, c->x); }
static void sigmoid_y(const cnn_spec_call *c) { sigmoid_forward(c->count, c->y, c->x); }
static void sigmoid_gradients(const cnn_spec_call *c) { sigmoid_backward(c->count, c->dx, c->dy, c->x); }
static void flatten_y(const cnn_spec_call *c) { flatten(c->count, c->y, c->x); }
static void flatten_gradients(const cnn_spec_call *c) { flatten(c->count, c->dx, c->dy); }

int main(void) {
  int failed = 0;
  failed += cnn_spec_check_relu(relu_y, relu_gradients);
  failed += cnn_spec_check_leakyRelu(leaky_relu_y, leaky_relu_gradients);
  failed += cnn_spec_check_tanh(tanh_y, tanh_gradients);
  failed += cnn_spec_check_sigmoid(sigmoid_y, sigmoid_gradients);
  failed += cnn_spec_check_flatten(flatten_y, flatten_gradients);
  failed += cnn_spec_check_linear(linear_y, linear_gradients);
  failed += cnn_spec_check_conv2d(conv2d_y, conv2d_gradients);
  failed += cnn_spec_check_groupedConv2d(conv2d_y, conv2d_gradients);
  failed += cnn_spec_check_maxPool2d(max_pool2d_y, max_pool2d_gradients);
  failed += cnn_spec_check_avgPool2d(avg_pool2d_y, avg_pool2d_gradients);
  failed += cnn_spec_check_globalAvgPool2d(global_avg_pool2d_y, global_avg_pool2d_gradients);
  failed += cnn_spec_check_softmax(softmax_y, softmax_gradients);
  failed += cnn_spec_check_meanSquaredError(mean_squared_error_y, mean_squared_error_gradients);
  failed += cnn_spec_check_dropout(dropout_y, dropout_gradients);
  return failed != 0;
}
