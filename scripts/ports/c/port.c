/*
 * The layers of cnn-spec in C99, in float32, behind the protocol of the porters' runner.
 *
 *   1 The layers    plain functions on arrays of float. They know neither JSON nor the rest of this file.
 *   2 A call        what a layer is called with: tensors and options by name, read from a message.
 *   3 The adapters  one for each layer: which tensors, of which shapes, which options; then the layer.
 *   4 The loop      one message a line.
 *
 * Sizes: N batch, C channels, H W rows and columns, O output channels, D features, K classes, P pixels of a channel.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* 1 The layers ******************************************************************************************************/

/* y = max(0, x). Written so that NaN stays NaN, lets dy pass, and -0 becomes 0. */
static void relu_forward(int count, float y[count], const float x[count]) {
  for (int i = 0; i < count; i++) y[i] = x[i] <= 0 ? 0 : x[i];
}

static void relu_backward(int count, float dx[count], const float dy[count], const float x[count]) {
  for (int i = 0; i < count; i++) dx[i] = x[i] <= 0 ? 0 : dy[i];
}

/* y = x where x > 0, else slope · x. */
static void leaky_relu_forward(int count, float slope, float y[count], const float x[count]) {
  for (int i = 0; i < count; i++) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

static void leaky_relu_backward(int count, float slope, float dx[count], const float dy[count],
                                const float x[count]) {
  for (int i = 0; i < count; i++) dx[i] = x[i] <= 0 ? slope * dy[i] : dy[i];
}

static void tanh_forward(int count, float y[count], const float x[count]) {
  for (int i = 0; i < count; i++) y[i] = tanhf(x[i]);
}

/* dx = dy / cosh² x. That is dy·(1 - y²), but does not cancel. */
static void tanh_backward(int count, float dx[count], const float dy[count], const float x[count]) {
  for (int i = 0; i < count; i++) {
    const float sech = 1 / coshf(x[i]);
    dx[i] = dy[i] * sech * sech;
  }
}

/* y = 1 / (1 + exp -x), by exp of negative numbers alone: nothing overflows. */
static void sigmoid_forward(int count, float y[count], const float x[count]) {
  for (int i = 0; i < count; i++) {
    const float e = expf(-fabsf(x[i]));
    y[i] = (x[i] >= 0 ? 1 : e) / (1 + e);
  }
}

/* dx = dy · e / (1 + e)². That is dy·y·(1 - y), but does not cancel. */
static void sigmoid_backward(int count, float dx[count], const float dy[count], const float x[count]) {
  for (int i = 0; i < count; i++) {
    const float e = expf(-fabsf(x[i]));
    dx[i] = dy[i] * (e / ((1 + e) * (1 + e)));
  }
}

/* Row-major order is c, h, w already. Backward is the same, of dy. */
static void flatten(int count, float y[count], const float x[count]) { memcpy(y, x, (size_t)count * sizeof(float)); }

/* y[n,o] = b[o] + Σ x[n,d] · w[o,d]. Gradients are zeros to begin with: see output() below. */
static void linear_forward(int N, int D, int O, float y[N][O], const float x[N][D], const float w[O][D],
                           const float b[O]) {
  for (int n = 0; n < N; n++)
    for (int o = 0; o < O; o++) {
      float sum = b[o];
      for (int d = 0; d < D; d++) sum += x[n][d] * w[o][d];
      y[n][o] = sum;
    }
}

static void linear_backward(int N, int D, int O, float dx[N][D], float dw[O][D], float db[O], const float dy[N][O],
                            const float x[N][D], const float w[O][D]) {
  for (int n = 0; n < N; n++)
    for (int o = 0; o < O; o++) {
      db[o] += dy[n][o];
      for (int d = 0; d < D; d++) {
        dx[n][d] += w[o][d] * dy[n][o];
        dw[o][d] += x[n][d] * dy[n][o];
      }
    }
}

/* A KH×KW window on an H×W image: OH×OW places, each time with KH×KW taps. */
typedef struct {
  int H, W, KH, KW, OH, OW;
  int stride_h, stride_w, dilation_h, dilation_w, top, bottom, left, right;
} Window;

/*
 * How often a window of `reach` pixels stops along an axis: floor(steps) + 1 times; in ceil mode ceil(steps) + 1, less
 * a last place that would start beyond the image. In double, so that nothing overflows.
 */
static double places(int size, int before, int after, double reach, int stride, bool ceil_mode) {
  const double steps = ((double)before + size + after - reach) / stride;
  if (!ceil_mode) return floor(steps) + 1;
  return ceil(steps) * stride < (double)before + size ? ceil(steps) + 1 : ceil(steps);
}

/* The row and the column of the image under tap kh, kw at place oh, ow. */
static int row(Window g, int oh, int kh) { return oh * g.stride_h + kh * g.dilation_h - g.top; }
static int column(Window g, int ow, int kw) { return ow * g.stride_w + kw * g.dilation_w - g.left; }
static bool inside(Window g, int ih, int iw) { return ih >= 0 && ih < g.H && iw >= 0 && iw < g.W; }

/*
 * y[n,o,oh,ow] = b[o] + Σ x[n, first + c, ih, iw] · w[o,c,kh,kw], where x is 0 outside the image. The channels are cut
 * into groups, and kernel o sees one slice of them, from channel `first` on. conv2d has one group.
 */
static void conv2d_forward(int N, int C, int O, int groups, Window g, float y[N][O][g.OH][g.OW],
                           const float x[N][C][g.H][g.W], const float w[O][C / groups][g.KH][g.KW],
                           const float b[O]) {
  const int slice = C / groups;
  for (int n = 0; n < N; n++)
    for (int o = 0; o < O; o++)
      for (int oh = 0; oh < g.OH; oh++)
        for (int ow = 0; ow < g.OW; ow++) {
          const int first = slice * (o / (O / groups));
          float sum = b[o];
          for (int c = 0; c < slice; c++)
            for (int kh = 0; kh < g.KH; kh++)
              for (int kw = 0; kw < g.KW; kw++) {
                const int ih = row(g, oh, kh), iw = column(g, ow, kw);
                const float pixel = inside(g, ih, iw) ? x[n][first + c][ih][iw] : 0;
                sum += pixel * w[o][c][kh][kw];
              }
          y[n][o][oh][ow] = sum;
        }
}

/* Every product x·w that went into y sends w·dy back to its x and x·dy back to its w. */
static void conv2d_backward(int N, int C, int O, int groups, Window g, float dx[N][C][g.H][g.W],
                            float dw[O][C / groups][g.KH][g.KW], float db[O], const float dy[N][O][g.OH][g.OW],
                            const float x[N][C][g.H][g.W], const float w[O][C / groups][g.KH][g.KW]) {
  const int slice = C / groups;
  for (int n = 0; n < N; n++)
    for (int o = 0; o < O; o++)
      for (int oh = 0; oh < g.OH; oh++)
        for (int ow = 0; ow < g.OW; ow++) {
          const int first = slice * (o / (O / groups));
          const float slope = dy[n][o][oh][ow];
          db[o] += slope;
          for (int c = 0; c < slice; c++)
            for (int kh = 0; kh < g.KH; kh++)
              for (int kw = 0; kw < g.KW; kw++) {
                const int ih = row(g, oh, kh), iw = column(g, ow, kw);
                const bool pixel = inside(g, ih, iw);
                dw[o][c][kh][kw] += (pixel ? x[n][first + c][ih][iw] : 0) * slope;
                if (pixel) dx[n][first + c][ih][iw] += w[o][c][kh][kw] * slope;
              }
        }
}

/* The larger number; NaN if one of them is, and 0 is larger than -0: fmaxf promises neither. */
static float larger(float a, float b) {
  if (isnan(a) || isnan(b)) return a + b;
  if (a == b) return signbit(a) ? b : a;
  return a > b ? a : b;
}

/* y[p,oh,ow] = max x[p,ih,iw], where x is -∞ outside the image; p runs over the channels of all images. */
static void max_pool2d_forward(int NC, Window g, float y[NC][g.OH][g.OW], const float x[NC][g.H][g.W]) {
  for (int p = 0; p < NC; p++)
    for (int oh = 0; oh < g.OH; oh++)
      for (int ow = 0; ow < g.OW; ow++) {
        float largest = -INFINITY;
        for (int kh = 0; kh < g.KH; kh++)
          for (int kw = 0; kw < g.KW; kw++) {
            const int ih = row(g, oh, kh), iw = column(g, ow, kw);
            if (inside(g, ih, iw)) largest = larger(largest, x[p][ih][iw]);
          }
        y[p][oh][ow] = largest;
      }
}

/* The first largest pixel in reading order, or the first NaN, gets all of dy. No pixel of -∞ does. */
static void max_pool2d_backward(int NC, Window g, float dx[NC][g.H][g.W], const float dy[NC][g.OH][g.OW],
                                const float x[NC][g.H][g.W]) {
  for (int p = 0; p < NC; p++)
    for (int oh = 0; oh < g.OH; oh++)
      for (int ow = 0; ow < g.OW; ow++) {
        float largest = -INFINITY, *winner = NULL;
        for (int kh = 0; kh < g.KH; kh++)
          for (int kw = 0; kw < g.KW; kw++) {
            const int ih = row(g, oh, kh), iw = column(g, ow, kw);
            if (!inside(g, ih, iw) || x[p][ih][iw] <= largest || isnan(largest)) continue;
            largest = x[p][ih][iw];
            winner = &dx[p][ih][iw];
          }
        if (winner) *winner += dy[p][oh][ow];
      }
}

/* How many taps lie on the image or its padding; on the image alone unless padding counts. */
static int taps(Window g, int oh, int ow, bool count_include_pad) {
  const int top = count_include_pad ? g.top : 0, bottom = count_include_pad ? g.bottom : 0;
  const int left = count_include_pad ? g.left : 0, right = count_include_pad ? g.right : 0;
  int rows = 0, columns = 0;
  for (int kh = 0; kh < g.KH; kh++) rows += row(g, oh, kh) >= -top && row(g, oh, kh) < g.H + bottom;
  for (int kw = 0; kw < g.KW; kw++) columns += column(g, ow, kw) >= -left && column(g, ow, kw) < g.W + right;
  return rows * columns;
}

/* y[p,oh,ow] = Σ x[p,ih,iw] / taps, where x is 0 outside the image. */
static void avg_pool2d_forward(int NC, Window g, bool count_include_pad, float y[NC][g.OH][g.OW],
                               const float x[NC][g.H][g.W]) {
  for (int p = 0; p < NC; p++)
    for (int oh = 0; oh < g.OH; oh++)
      for (int ow = 0; ow < g.OW; ow++) {
        float sum = 0;
        for (int kh = 0; kh < g.KH; kh++)
          for (int kw = 0; kw < g.KW; kw++) {
            const int ih = row(g, oh, kh), iw = column(g, ow, kw);
            if (inside(g, ih, iw)) sum += x[p][ih][iw];
          }
        y[p][oh][ow] = sum / taps(g, oh, ow, count_include_pad);
      }
}

static void avg_pool2d_backward(int NC, Window g, bool count_include_pad, float dx[NC][g.H][g.W],
                                const float dy[NC][g.OH][g.OW]) {
  for (int p = 0; p < NC; p++)
    for (int oh = 0; oh < g.OH; oh++)
      for (int ow = 0; ow < g.OW; ow++) {
        const float share = dy[p][oh][ow] / taps(g, oh, ow, count_include_pad);
        for (int kh = 0; kh < g.KH; kh++)
          for (int kw = 0; kw < g.KW; kw++) {
            const int ih = row(g, oh, kh), iw = column(g, ow, kw);
            if (inside(g, ih, iw)) dx[p][ih][iw] += share;
          }
      }
}

/* y[p] = Σ x[p,i] / P */
static void global_avg_pool2d_forward(int NC, int P, float y[NC], const float x[NC][P]) {
  for (int p = 0; p < NC; p++) {
    float sum = 0;
    for (int i = 0; i < P; i++) sum += x[p][i];
    y[p] = sum / P;
  }
}

static void global_avg_pool2d_backward(int NC, int P, float dx[NC][P], const float dy[NC]) {
  for (int p = 0; p < NC; p++)
    for (int i = 0; i < P; i++) dx[p][i] = dy[p] / P;
}

static float largest_of(int K, const float x[K]) {
  float largest = -INFINITY;
  for (int k = 0; k < K; k++) largest = larger(largest, x[k]);
  return largest;
}

/* Σ exp(x[k] - m) */
static float sum_of_exp(int K, const float x[K], float m) {
  float sum = 0;
  for (int k = 0; k < K; k++) sum += expf(x[k] - m);
  return sum;
}

/* y[n,k] = exp(x[n,k] - m) / Σ exp(x[n,j] - m), m the largest of the row: nothing overflows. */
static void softmax_forward(int N, int K, float y[N][K], const float x[N][K]) {
  for (int n = 0; n < N; n++) {
    const float m = largest_of(K, x[n]), sum = sum_of_exp(K, x[n], m);
    for (int k = 0; k < K; k++) y[n][k] = expf(x[n][k] - m) / sum;
  }
}

/* dx = y · (dy - Σ dy[n,j]·y[n,j]); y stands in dx first. */
static void softmax_backward(int N, int K, float dx[N][K], const float dy[N][K], const float x[N][K]) {
  softmax_forward(N, K, dx, x);
  for (int n = 0; n < N; n++) {
    float mean = 0;
    for (int k = 0; k < K; k++) mean += dy[n][k] * dx[n][k];
    for (int k = 0; k < K; k++) dx[n][k] *= dy[n][k] - mean;
  }
}

/* y[n,k] = x[n,k] - m - log Σ exp(x[n,j] - m) */
static void log_softmax_forward(int N, int K, float y[N][K], const float x[N][K]) {
  for (int n = 0; n < N; n++) {
    const float m = largest_of(K, x[n]), log_sum = logf(sum_of_exp(K, x[n], m));
    for (int k = 0; k < K; k++) y[n][k] = x[n][k] - m - log_sum;
  }
}

/* dx = dy - softmax(x) · Σ dy[n,j] */
static void log_softmax_backward(int N, int K, float dx[N][K], const float dy[N][K], const float x[N][K]) {
  softmax_forward(N, K, dx, x);
  for (int n = 0; n < N; n++) {
    float total = 0;
    for (int k = 0; k < K; k++) total += dy[n][k];
    for (int k = 0; k < K; k++) dx[n][k] = dy[n][k] - dx[n][k] * total;
  }
}

/* y = Σ target · (log Σ exp(logits - m) + (m - logits)) / N. A class of target 0 costs nothing: 0 · ∞ is 0. */
static void softmax_cross_entropy_forward(int N, int K, float y[1], const float logits[N][K],
                                          const float target[N][K]) {
  float total = 0;
  for (int n = 0; n < N; n++) {
    const float m = largest_of(K, logits[n]), log_sum = logf(sum_of_exp(K, logits[n], m));
    for (int k = 0; k < K; k++)
      if (target[n][k] > 0) total += target[n][k] * (log_sum + (m - logits[n][k]));
  }
  y[0] = total / N;
}

static void softmax_cross_entropy_backward(int N, int K, float dlogits[N][K], const float dy[1],
                                           const float logits[N][K], const float target[N][K]) {
  softmax_forward(N, K, dlogits, logits);
  for (int n = 0; n < N; n++)
    for (int k = 0; k < K; k++) dlogits[n][k] = (dlogits[n][k] - target[n][k]) * dy[0] / N;
}

/* y = Σ (x - target)² / count */
static void mean_squared_error_forward(int count, float y[1], const float x[count], const float target[count]) {
  float total = 0;
  for (int i = 0; i < count; i++) total += (x[i] - target[i]) * (x[i] - target[i]);
  y[0] = total / count;
}

static void mean_squared_error_backward(int count, float dx[count], const float dy[1], const float x[count],
                                        const float target[count]) {
  for (int i = 0; i < count; i++) dx[i] = 2 * (x[i] - target[i]) * dy[0] / count;
}

/*
 * y = x / (1 - p) where mask is 1. Elsewhere, and everywhere when p is 1, y is 0, whatever x is. The mask has one
 * number for each of x (M = P) or for each channel (M = 1). Backward is the same, of dy.
 */
static void dropout(int NC, int P, int M, double p, float y[NC][P], const float x[NC][P], const float mask[NC][M]) {
  for (int c = 0; c < NC; c++)
    for (int i = 0; i < P; i++) {
      const bool kept = p < 1 && mask[c][M == 1 ? 0 : i] == 1;
      y[c][i] = kept ? x[c][i] / (float)(1 - p) : 0;
    }
}

/* The mean of channel c, and the root of its variance + eps: two passes, E[x²] - mean² would cancel. */
static void statistics(int N, int C, int P, const float x[N][C][P], int c, float eps, float *mean, float *deviation) {
  float sum = 0, squares = 0;
  for (int n = 0; n < N; n++)
    for (int i = 0; i < P; i++) sum += x[n][c][i];
  *mean = sum / (N * P);
  for (int n = 0; n < N; n++)
    for (int i = 0; i < P; i++) squares += (x[n][c][i] - *mean) * (x[n][c][i] - *mean);
  *deviation = sqrtf(squares / (N * P) + eps);
}

/* y = gamma · (x - mean) / deviation + beta, with the statistics of the channel in this batch. */
static void batch_norm_forward(int N, int C, int P, float eps, float y[N][C][P], const float x[N][C][P],
                               const float gamma[C], const float beta[C]) {
  for (int c = 0; c < C; c++) {
    float mean, deviation;
    statistics(N, C, P, x, c, eps, &mean, &deviation);
    for (int n = 0; n < N; n++)
      for (int i = 0; i < P; i++) y[n][c][i] = gamma[c] * ((x[n][c][i] - mean) / deviation) + beta[c];
  }
}

/* dx is gamma · dy / deviation without its parts along 1 and along the normalised x: they move mean and variance. */
static void batch_norm_backward(int N, int C, int P, float eps, float dx[N][C][P], float dgamma[C], float dbeta[C],
                                const float dy[N][C][P], const float x[N][C][P], const float gamma[C]) {
  for (int c = 0; c < C; c++) {
    float mean, deviation;
    statistics(N, C, P, x, c, eps, &mean, &deviation);
    for (int n = 0; n < N; n++)
      for (int i = 0; i < P; i++) {
        dgamma[c] += dy[n][c][i] * ((x[n][c][i] - mean) / deviation);
        dbeta[c] += dy[n][c][i];
      }
    for (int n = 0; n < N; n++)
      for (int i = 0; i < P; i++) {
        const float along = (dbeta[c] + (x[n][c][i] - mean) / deviation * dgamma[c]) / (N * P);
        dx[n][c][i] = gamma[c] / deviation * (dy[n][c][i] - along);
      }
  }
}

/* The same with the mean and the variance given. */
static void batch_norm_inference_forward(int N, int C, int P, float eps, float y[N][C][P], const float x[N][C][P],
                                         const float gamma[C], const float beta[C], const float mean[C],
                                         const float variance[C]) {
  for (int n = 0; n < N; n++)
    for (int c = 0; c < C; c++)
      for (int i = 0; i < P; i++)
        y[n][c][i] = gamma[c] * ((x[n][c][i] - mean[c]) / sqrtf(variance[c] + eps)) + beta[c];
}

static void batch_norm_inference_backward(int N, int C, int P, float eps, float dx[N][C][P], float dgamma[C],
                                          float dbeta[C], const float dy[N][C][P], const float x[N][C][P],
                                          const float gamma[C], const float mean[C], const float variance[C]) {
  for (int n = 0; n < N; n++)
    for (int c = 0; c < C; c++)
      for (int i = 0; i < P; i++) {
        const float deviation = sqrtf(variance[c] + eps);
        dx[n][c][i] = gamma[c] / deviation * dy[n][c][i];
        dgamma[c] += (x[n][c][i] - mean[c]) / deviation * dy[n][c][i];
        dbeta[c] += dy[n][c][i];
      }
}

/* 2 A call **********************************************************************************************************/

enum { MAX_RANK = 8, MAX_INTEGER = 1 << 20, MAX_NUMBERS = 1 << 26, MAX_OUTPUTS = 4, MAX_BUFFERS = 16 };

typedef struct {
  int rank, size[MAX_RANK];
} Shape;

/* SHAPE(N, D) */
#define SHAPE(...) ((Shape){sizeof((int[]){__VA_ARGS__}) / sizeof(int), {__VA_ARGS__}})
static const Shape SCALAR = {0, {0}};

/* Data are void *, so that C takes them for arrays of any shape: float (*)[D]. */
typedef struct {
  const char *name;
  Shape shape;
  int count; /* how many numbers */
  void *data;
  void *gradient; /* of an input of a backward call: zeros, to be filled in */
} Tensor;

typedef struct {
  Json message;
  bool backward;
  int options; /* how many the layer asked for: there must not be others */
  Tensor outputs[MAX_OUTPUTS];
  int output_count;
  void *buffers[MAX_BUFFERS]; /* everything allocated */
  int buffer_count;
  char sentence[256]; /* why there are no outputs */
  bool skipped;
  jmp_buf end;
} Call;

/* Ends the call with a sentence: it cannot be right. */
static void fail(Call *c, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(c->sentence, sizeof c->sentence, format, values);
  va_end(values);
  longjmp(c->end, 1);
}

/* Ends the call with a sentence: it may be right, but this port cannot do it. */
static void skip(Call *c, const char *why) {
  c->skipped = true;
  fail(c, "%s", why);
}

static int count_of(Call *c, Shape shape) {
  double numbers = 1;
  for (int axis = 0; axis < shape.rank; axis++) numbers *= shape.size[axis];
  if (numbers > MAX_NUMBERS) fail(c, "a tensor of %.0f numbers is too large for this port", numbers);
  return (int)numbers;
}

/* Memory until the end of the call; for one number more, since calloc may return NULL for none. */
static void *zeros(Call *c, Shape shape) {
  void *buffer = c->buffer_count < MAX_BUFFERS ? calloc((size_t)count_of(c, shape) + 1, sizeof(float)) : NULL;
  if (!buffer) fail(c, "there is not enough memory");
  return c->buffers[c->buffer_count++] = buffer;
}

static double number(Call *c, const char *name, Json json) {
  double value = 0;
  if (!json_number(json, &value)) fail(c, "%s is not there or no number", name);
  return value;
}

static int integer(Call *c, const char *name, Json json, int least, int most) {
  const double value = number(c, name, json);
  if (!(value >= least && value <= most && value == floor(value)))
    fail(c, "%s is %g, expected an integer from %d to %d", name, value, least, most);
  return (int)value;
}

static Tensor tensor(Call *c, const char *name, Json json) {
  Tensor t = {name, SCALAR, 0, NULL, NULL};
  const Json shape = json_get(json, "shape"), data = json_get(json, "data");
  if (!shape || !data || *shape != '[' || *data != '[') fail(c, "%s is not there or no tensor", name);
  for (Json at = json_first(shape); at; at = json_next(at)) {
    if (t.shape.rank == MAX_RANK) fail(c, "%s has more than %d axes", name, MAX_RANK);
    t.shape.size[t.shape.rank++] = integer(c, "a size", at, 0, MAX_NUMBERS);
  }
  t.count = count_of(c, t.shape);
  if (json_count(data) != t.count) fail(c, "%s has not as many numbers as its shape says", name);
  float *values = t.data = zeros(c, t.shape);
  for (Json at = json_first(data); at; at = json_next(at)) *values++ = (float)number(c, name, at);
  return t;
}

static bool same(Shape a, Shape b) {
  return a.rank == b.rank && memcmp(a.size, b.size, (size_t)a.rank * sizeof(int)) == 0;
}

enum { SHAPE_TEXT = 12 * MAX_RANK + 3 };

/* (2, 3) */
static const char *shape_text(char text[SHAPE_TEXT], Shape shape) {
  size_t length = 0;
  for (int axis = 0; axis < shape.rank; axis++)
    length += (size_t)snprintf(text + length, SHAPE_TEXT - length, axis == 0 ? "(%d" : ", %d", shape.size[axis]);
  snprintf(text + length, SHAPE_TEXT - length, shape.rank == 0 ? "()" : ")");
  return text;
}

/* The shape rule of nearly every argument: this shape, and no size 0. */
static void expect(Call *c, Tensor t, Shape shape) {
  char found[SHAPE_TEXT], expected[SHAPE_TEXT];
  if (!same(t.shape, shape))
    fail(c, "%s has shape %s, expected %s", t.name, shape_text(found, t.shape), shape_text(expected, shape));
  for (int axis = 0; axis < shape.rank; axis++)
    if (shape.size[axis] == 0) fail(c, "%s has shape %s, expected sizes from 1", t.name, shape_text(found, t.shape));
}

static void *output(Call *c, const char *name, Shape shape) {
  void *data = zeros(c, shape);
  c->outputs[c->output_count++] = (Tensor){name, shape, count_of(c, shape), data, NULL};
  return data;
}

/* An argument that has a gradient: of its shape, and an output of a backward call. */
static Tensor input(Call *c, const char *name) {
  Tensor t = tensor(c, name, json_get(json_get(c->message, "inputs"), name));
  if (c->backward) t.gradient = output(c, name, t.shape);
  return t;
}

static Tensor constant(Call *c, const char *name) {
  return tensor(c, name, json_get(json_get(c->message, "constants"), name));
}

/* Every option is written out in a message: there are no defaults. */
static Json option(Call *c, const char *name) {
  c->options++;
  return json_get(json_get(c->message, "options"), name);
}

/* [height, width] */
typedef struct {
  int h, w;
} Pair;

static Pair pair_option(Call *c, const char *name) {
  const Json pair = option(c, name);
  if (json_count(pair) != 2 || *pair != '[') fail(c, "%s is not [height, width]", name);
  const Json h = json_first(pair), w = json_next(h);
  return (Pair){integer(c, name, h, 1, MAX_INTEGER), integer(c, name, w, 1, MAX_INTEGER)};
}

static double number_option(Call *c, const char *name, double least, double most) {
  const double value = number(c, name, option(c, name));
  if (!(value >= least && value <= most))
    fail(c, "%s is %g, expected a number from %g to %g", name, value, least, most);
  return value;
}

static bool bool_option(Call *c, const char *name) {
  const Json value = option(c, name);
  if (!value || (*value != 't' && *value != 'f')) fail(c, "%s is not there or neither true nor false", name);
  return *value == 't';
}

/* The gradient with respect to y, which has y's shape. */
static void *dy_of(Call *c, Shape y) {
  Tensor dy = tensor(c, "dy", json_get(c->message, "dy"));
  expect(c, dy, y);
  return dy.data;
}

static void *y_of(Call *c, Shape y) { return output(c, "y", y); }

/* 3 The adapters ****************************************************************************************************/

/*
 * The pattern: the tensors by name, their sizes, what fits to what, and then the layer in one of its directions. Sizes
 * may be read before they are checked: those that a shape has not are 0, which `expect` refuses.
 */
static void run_linear(Call *c) {
  const Tensor x = input(c, "x"), w = input(c, "w"), b = input(c, "b");
  const int N = x.shape.size[0], D = x.shape.size[1], O = w.shape.size[0];
  expect(c, x, SHAPE(N, D));
  expect(c, w, SHAPE(O, D));
  expect(c, b, SHAPE(O));
  if (c->backward)
    linear_backward(N, D, O, x.gradient, w.gradient, b.gradient, dy_of(c, SHAPE(N, O)), x.data, w.data);
  else
    linear_forward(N, D, O, y_of(c, SHAPE(N, O)), x.data, w.data, b.data);
}

/* y[i] is made of x[i] alone, and dx[i] of dy[i] and x[i]. */
static void run_elementwise(Call *c, void (*forward)(int count, float y[], const float x[]),
                            void (*backward)(int count, float dx[], const float dy[], const float x[])) {
  const Tensor x = input(c, "x");
  if (c->backward)
    backward(x.count, x.gradient, dy_of(c, x.shape), x.data);
  else
    forward(x.count, y_of(c, x.shape), x.data);
}

static void run_relu(Call *c) { run_elementwise(c, relu_forward, relu_backward); }
static void run_tanh(Call *c) { run_elementwise(c, tanh_forward, tanh_backward); }
static void run_sigmoid(Call *c) { run_elementwise(c, sigmoid_forward, sigmoid_backward); }

static void run_leaky_relu(Call *c) {
  const Tensor x = input(c, "x");
  const float slope = (float)number_option(c, "negativeSlope", 0, FLT_MAX);
  if (c->backward)
    leaky_relu_backward(x.count, slope, x.gradient, dy_of(c, x.shape), x.data);
  else
    leaky_relu_forward(x.count, slope, y_of(c, x.shape), x.data);
}

static void run_flatten(Call *c) {
  const Tensor x = input(c, "x");
  if (x.shape.rank < 2 || x.count == 0) fail(c, "x is a scalar, a row or empty, expected (N, ...)");
  const Shape y = SHAPE(x.shape.size[0], x.count / x.shape.size[0]);
  if (c->backward)
    flatten(x.count, x.gradient, dy_of(c, y));
  else
    flatten(x.count, y_of(c, y), x.data);
}

static Window window(Call *c, Shape x, Pair kernel, Pair dilation, bool ceil_mode) {
  const Pair stride = pair_option(c, "stride");
  const Json padding = option(c, "padding");
  Window g = {0};
  g.H = x.size[2], g.W = x.size[3], g.KH = kernel.h, g.KW = kernel.w;
  g.stride_h = stride.h, g.stride_w = stride.w, g.dilation_h = dilation.h, g.dilation_w = dilation.w;
  g.top = integer(c, "padding at the top", json_get(padding, "top"), 0, MAX_INTEGER);
  g.bottom = integer(c, "padding at the bottom", json_get(padding, "bottom"), 0, MAX_INTEGER);
  g.left = integer(c, "padding at the left", json_get(padding, "left"), 0, MAX_INTEGER);
  g.right = integer(c, "padding at the right", json_get(padding, "right"), 0, MAX_INTEGER);
  const double reach_h = (double)dilation.h * (kernel.h - 1) + 1, reach_w = (double)dilation.w * (kernel.w - 1) + 1;
  const double OH = places(g.H, g.top, g.bottom, reach_h, stride.h, ceil_mode);
  const double OW = places(g.W, g.left, g.right, reach_w, stride.w, ceil_mode);
  if (OH < 1 || OW < 1) fail(c, "the window is larger than the image and its padding");
  g.OH = (int)OH, g.OW = (int)OW;
  return g;
}

static void run_convolution(Call *c, int groups) {
  const Tensor x = input(c, "x"), w = input(c, "w"), b = input(c, "b");
  const int N = x.shape.size[0], C = x.shape.size[1], H = x.shape.size[2], W = x.shape.size[3];
  const int O = w.shape.size[0], KH = w.shape.size[2], KW = w.shape.size[3];
  expect(c, x, SHAPE(N, C, H, W));
  if (C % groups != 0 || O % groups != 0)
    fail(c, "x has %d channels and w %d kernels, expected multiples of the %d groups", C, O, groups);
  expect(c, w, SHAPE(O, C / groups, KH, KW));
  expect(c, b, SHAPE(O));
  const Window g = window(c, x.shape, (Pair){KH, KW}, pair_option(c, "dilation"), false);
  const Shape y = SHAPE(N, O, g.OH, g.OW);
  if (c->backward)
    conv2d_backward(N, C, O, groups, g, x.gradient, w.gradient, b.gradient, dy_of(c, y), x.data, w.data);
  else
    conv2d_forward(N, C, O, groups, g, y_of(c, y), x.data, w.data, b.data);
}

static void run_conv2d(Call *c) { run_convolution(c, 1); }
static void run_grouped_conv2d(Call *c) {
  run_convolution(c, integer(c, "groups", option(c, "groups"), 1, MAX_INTEGER));
}

/* The padding of a pool is at most half its kernel. */
static Window pool_window(Call *c, Shape x, Pair kernel, Pair dilation) {
  const Window g = window(c, x, kernel, dilation, bool_option(c, "ceilMode"));
  if (2 * g.top > g.KH || 2 * g.bottom > g.KH || 2 * g.left > g.KW || 2 * g.right > g.KW)
    fail(c, "the padding is wider than half the kernel");
  return g;
}

static void run_max_pool2d(Call *c) {
  const Tensor x = input(c, "x");
  const int N = x.shape.size[0], C = x.shape.size[1];
  expect(c, x, SHAPE(N, C, x.shape.size[2], x.shape.size[3]));
  const Window g = pool_window(c, x.shape, pair_option(c, "kernel"), pair_option(c, "dilation"));
  const Shape y = SHAPE(N, C, g.OH, g.OW);
  if (c->backward)
    max_pool2d_backward(N * C, g, x.gradient, dy_of(c, y), x.data);
  else
    max_pool2d_forward(N * C, g, y_of(c, y), x.data);
}

static void run_avg_pool2d(Call *c) {
  const Tensor x = input(c, "x");
  const int N = x.shape.size[0], C = x.shape.size[1];
  expect(c, x, SHAPE(N, C, x.shape.size[2], x.shape.size[3]));
  const Window g = pool_window(c, x.shape, pair_option(c, "kernel"), (Pair){1, 1});
  const bool count_include_pad = bool_option(c, "countIncludePad");
  const Shape y = SHAPE(N, C, g.OH, g.OW);
  if (c->backward)
    avg_pool2d_backward(N * C, g, count_include_pad, x.gradient, dy_of(c, y));
  else
    avg_pool2d_forward(N * C, g, count_include_pad, y_of(c, y), x.data);
}

static void run_global_avg_pool2d(Call *c) {
  const Tensor x = input(c, "x");
  const int N = x.shape.size[0], C = x.shape.size[1], H = x.shape.size[2], W = x.shape.size[3];
  expect(c, x, SHAPE(N, C, H, W));
  if (c->backward)
    global_avg_pool2d_backward(N * C, H * W, x.gradient, dy_of(c, SHAPE(N, C)));
  else
    global_avg_pool2d_forward(N * C, H * W, y_of(c, SHAPE(N, C)), x.data);
}

static void run_softmax(Call *c) {
  const Tensor x = input(c, "x");
  const int N = x.shape.size[0], K = x.shape.size[1];
  expect(c, x, SHAPE(N, K));
  if (c->backward)
    softmax_backward(N, K, x.gradient, dy_of(c, x.shape), x.data);
  else
    softmax_forward(N, K, y_of(c, x.shape), x.data);
}

static void run_log_softmax(Call *c) {
  const Tensor x = input(c, "x");
  const int N = x.shape.size[0], K = x.shape.size[1];
  expect(c, x, SHAPE(N, K));
  if (c->backward)
    log_softmax_backward(N, K, x.gradient, dy_of(c, x.shape), x.data);
  else
    log_softmax_forward(N, K, y_of(c, x.shape), x.data);
}

/* Labels (N, K) as they are, if they are probabilities; labels (N) as 1 in the right class of each row. */
static void *target_of(Call *c, Tensor labels, int N, int K) {
  const float *label = labels.data;
  if (labels.shape.rank == 2) {
    expect(c, labels, SHAPE(N, K));
    for (int n = 0; n < N; n++) {
      double sum = 0;
      for (int k = 0; k < K; k++) {
        if (!(label[n * K + k] >= 0)) fail(c, "labels[%d, %d] is %g, expected a probability", n, k, label[n * K + k]);
        sum += label[n * K + k];
      }
      if (!(fabs(sum - 1) <= 1e-6)) fail(c, "the sum of labels[%d] is %g, expected 1", n, sum);
    }
    return labels.data;
  }
  expect(c, labels, SHAPE(N));
  float *target = zeros(c, SHAPE(N, K));
  for (int n = 0; n < N; n++) {
    if (!(label[n] >= 0 && label[n] < K && label[n] == floorf(label[n])))
      fail(c, "labels[%d] is %g, expected an integer in [0, %d)", n, label[n], K);
    target[n * K + (int)label[n]] = 1;
  }
  return target;
}

static void run_softmax_cross_entropy(Call *c) {
  const Tensor logits = input(c, "logits"), labels = constant(c, "labels");
  const int N = logits.shape.size[0], K = logits.shape.size[1];
  expect(c, logits, SHAPE(N, K));
  void *target = target_of(c, labels, N, K);
  if (c->backward)
    softmax_cross_entropy_backward(N, K, logits.gradient, dy_of(c, SCALAR), logits.data, target);
  else
    softmax_cross_entropy_forward(N, K, y_of(c, SCALAR), logits.data, target);
}

static void run_mean_squared_error(Call *c) {
  const Tensor x = input(c, "x"), target = constant(c, "target");
  expect(c, target, x.shape);
  if (c->backward)
    mean_squared_error_backward(x.count, x.gradient, dy_of(c, SCALAR), x.data, target.data);
  else
    mean_squared_error_forward(x.count, y_of(c, SCALAR), x.data, target.data);
}

static void run_dropout(Call *c) {
  const Tensor x = input(c, "x"), mask = constant(c, "mask");
  const double p = number_option(c, "p", 0, 1);
  Shape per_channel = x.shape;
  for (int axis = 2; axis < x.shape.rank; axis++) per_channel.size[axis] = 1;
  if (x.shape.rank < 2 || x.count == 0) fail(c, "x is a scalar, a row or empty, expected (N, C, ...)");
  if (!same(mask.shape, per_channel)) expect(c, mask, x.shape);
  for (int i = 0; i < mask.count; i++) {
    const float kept = ((const float *)mask.data)[i];
    if (kept != 0 && kept != 1) fail(c, "mask has %g at position %d, expected 0 or 1", kept, i);
  }
  const int NC = x.shape.size[0] * x.shape.size[1], P = x.count / NC, M = mask.count / NC;
  if (c->backward)
    dropout(NC, P, M, p, x.gradient, dy_of(c, x.shape), mask.data);
  else
    dropout(NC, P, M, p, y_of(c, x.shape), x.data, mask.data);
}

/* (N, C) or (N, C, H, W), with P = H·W pixels in a channel, or 1. */
static void expect_channels(Call *c, Tensor x) {
  if (x.shape.rank != 2 && x.shape.rank != 4) fail(c, "x has %d axes, expected (N, C) or (N, C, H, W)", x.shape.rank);
  expect(c, x, x.shape);
}

static void run_batch_norm(Call *c) {
  const Tensor x = input(c, "x"), gamma = input(c, "gamma"), beta = input(c, "beta");
  const float eps = (float)number_option(c, "eps", 0, FLT_MAX);
  expect_channels(c, x);
  const int N = x.shape.size[0], C = x.shape.size[1], P = x.count / (N * C);
  expect(c, gamma, SHAPE(C));
  expect(c, beta, SHAPE(C));
  if (N * P < 2) fail(c, "x has 1 value per channel, expected at least 2");
  if (c->backward)
    batch_norm_backward(N, C, P, eps, x.gradient, gamma.gradient, beta.gradient, dy_of(c, x.shape), x.data,
                        gamma.data);
  else
    batch_norm_forward(N, C, P, eps, y_of(c, x.shape), x.data, gamma.data, beta.data);
}

static void run_batch_norm_inference(Call *c) {
  const Tensor x = input(c, "x"), gamma = input(c, "gamma"), beta = input(c, "beta");
  const Tensor mean = constant(c, "mean"), variance = constant(c, "variance");
  const float eps = (float)number_option(c, "eps", 0, FLT_MAX);
  expect_channels(c, x);
  const int N = x.shape.size[0], C = x.shape.size[1], P = x.count / (N * C);
  expect(c, gamma, SHAPE(C));
  expect(c, beta, SHAPE(C));
  expect(c, mean, SHAPE(C));
  expect(c, variance, SHAPE(C));
  for (int i = 0; i < C; i++)
    if (((const float *)variance.data)[i] < 0) fail(c, "variance[%d] is negative", i);
  if (c->backward)
    batch_norm_inference_backward(N, C, P, eps, x.gradient, gamma.gradient, beta.gradient, dy_of(c, x.shape), x.data,
                                  gamma.data, mean.data, variance.data);
  else
    batch_norm_inference_forward(N, C, P, eps, y_of(c, x.shape), x.data, gamma.data, beta.data, mean.data,
                                 variance.data);
}

static const struct {
  const char *name;
  void (*run)(Call *);
} layers[] = {
    {"relu", run_relu},
    {"leakyRelu", run_leaky_relu},
    {"tanh", run_tanh},
    {"sigmoid", run_sigmoid},
    {"flatten", run_flatten},
    {"linear", run_linear},
    {"conv2d", run_conv2d},
    {"groupedConv2d", run_grouped_conv2d},
    {"maxPool2d", run_max_pool2d},
    {"avgPool2d", run_avg_pool2d},
    {"globalAvgPool2d", run_global_avg_pool2d},
    {"softmax", run_softmax},
    {"logSoftmax", run_log_softmax},
    {"softmaxCrossEntropy", run_softmax_cross_entropy},
    {"meanSquaredError", run_mean_squared_error},
    {"dropout", run_dropout},
    {"batchNorm", run_batch_norm},
    {"batchNormInference", run_batch_norm_inference},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* 4 The loop ********************************************************************************************************/

static void start(void) {
  printf("{\"protocol\":1,\"name\":\"c\",\"language\":\"C\",\"dtype\":\"float32\",\"layout\":\"NCHW\",\"layers\":{");
  for (int i = 0; i < LAYERS; i++) printf("%s\"%s\":[\"forward\",\"backward\"]", i == 0 ? "" : ",", layers[i].name);
  printf("}}\n");
}

static void write_tensor(Tensor t) {
  const float *values = t.data;
  printf("{\"shape\":[");
  for (int axis = 0; axis < t.shape.rank; axis++) printf(axis == 0 ? "%d" : ",%d", t.shape.size[axis]);
  printf("],\"data\":[");
  for (int i = 0; i < t.count; i++) {
    if (i > 0) putchar(',');
    json_write(stdout, values[i]);
  }
  printf("]}");
}

/* Whether the layer made outputs of the call. */
static bool calculate(Call *c, void (*layer)(Call *)) {
  const Json direction = json_get(c->message, "direction"), options = json_get(c->message, "options");
  c->backward = json_is(direction, "backward");
  if (setjmp(c->end) != 0) return false;
  if (!layer) skip(c, "this port has no such layer");
  if (!c->backward && !json_is(direction, "forward")) fail(c, "direction is neither forward nor backward");
  if (!options || *options != '{') fail(c, "options is not there or no object");
  layer(c);
  if (json_count(options) != c->options) fail(c, "there is an option that the layer has not");
  return true;
}

/* {"seq":17,"outputs":{…}}, {"seq":17,"error":"…"} or {"seq":17,"skip":"…"} */
static void run(Json message, Json seq) {
  Call c = {0};
  void (*layer)(Call *) = NULL;
  c.message = message;
  for (int i = 0; i < LAYERS; i++)
    if (json_is(json_get(message, "layer"), layers[i].name)) layer = layers[i].run;

  printf("{\"seq\":%.*s,", (int)(json_after(seq, JSON_DEPTH) - seq), seq);
  if (calculate(&c, layer)) {
    printf("\"outputs\":{");
    for (int i = 0; i < c.output_count; i++) {
      printf("%s\"%s%s\":", i == 0 ? "" : ",", c.backward ? "d" : "", c.outputs[i].name);
      write_tensor(c.outputs[i]);
    }
    printf("}}\n");
  } else {
    printf("\"%s\":\"%s\"}\n", c.skipped ? "skip" : "error", c.sentence);
  }
  for (int i = 0; i < c.buffer_count; i++) free(c.buffers[i]);
}

/* The next line without its end, valid until the next call; NULL at the end of input. */
static char *read_line(void) {
  static char *line = NULL;
  static size_t room = 0;
  size_t length = 0;
  int byte;
  while ((byte = getchar()) != EOF && byte != '\n') {
    if (length + 1 >= room && !(line = realloc(line, room = 2 * room + 4096))) return NULL;
    line[length++] = (char)byte;
  }
  if (length == 0 && byte == EOF) return NULL;
  if (room == 0 && !(line = realloc(line, room = 4096))) return NULL;
  line[length] = '\0';
  return line;
}

int main(void) {
  char *line;
  while ((line = read_line())) {
    const Json message = json_valid(line) ? json_space(line) : NULL;
    const Json command = json_get(message, "cmd"), seq = json_get(message, "seq");
    if (json_is(command, "stop")) return 0;
    if (json_is(command, "start")) {
      start();
    } else if (json_is(command, "run") && seq) {
      run(message, seq);
    } else {
      fprintf(stderr, "port: this is no message of the protocol: %.60s\n", line);
      return 1;
    }
    fflush(stdout);
  }
  return 0;
}
