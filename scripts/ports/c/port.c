/*
 * The layers of cnn-spec in C99, in float32, behind the protocol of the porters' runner.
 *
 *   1 The layers    plain functions on arrays of float. They know neither JSON nor the rest of this file.
 *   2 A call        what a layer is called with: tensors and options by name, out of a message.
 *   3 The adapters  one for each layer: which tensors, of which shapes, which options; then the layer.
 *   4 The loop      one message a line.
 *
 * Sizes: N batch, C channels, H W rows and columns, O output channels, D features, K classes, P pixels of a channel.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

/* 1 The layers ******************************************************************************************************/

/* A KH×KW window on an H×W image: OH×OW places, each time with KH×KW taps. */
typedef struct {
  int H, W, KH, KW, OH, OW;
  int stride_h, stride_w, dilation_h, dilation_w, top, bottom, left, right;
} Window;

/* The row and the column of the image under tap kh, kw at place oh, ow. */
static int row(Window g, int oh, int kh) { return oh * g.stride_h + kh * g.dilation_h - g.top; }
static int column(Window g, int ow, int kw) { return ow * g.stride_w + kw * g.dilation_w - g.left; }
static bool inside(Window g, int ih, int iw) { return ih >= 0 && ih < g.H && iw >= 0 && iw < g.W; }

/* y[n,o,oh,ow] = b[o] + Σ x[n, first + c, ih, iw] · w[o,c,kh,kw], where x is 0 outside the image. */
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

/* y[n,o] = b[o] + Σ x[n,d] · w[o,d] */
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
  void *data;
  void *gradient; /* of an input of a backward call: zeros, to be filled in */
} Tensor;

typedef struct {
  const char *layer;
  Json message;
  bool backward;
  int options; /* how many were asked for */
  Tensor outputs[MAX_OUTPUTS];
  int output_count;
  void *buffers[MAX_BUFFERS]; /* everything allocated */
  int buffer_count;
  char error[256];
  jmp_buf failed;
} Call;

/* Ends the call with a sentence. */
static void fail(Call *c, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(c->error, sizeof c->error, format, values);
  va_end(values);
  longjmp(c->failed, 1);
}

static int count(Call *c, Shape shape) {
  double numbers = 1;
  for (int axis = 0; axis < shape.rank; axis++) numbers *= shape.size[axis];
  if (numbers > MAX_NUMBERS) fail(c, "a tensor of %.0f numbers is too large for this port", numbers);
  return (int)numbers;
}

/* Memory until the end of the call. */
static void *zeros(Call *c, Shape shape) {
  void *buffer = c->buffer_count < MAX_BUFFERS ? calloc((size_t)count(c, shape) + 1, sizeof(float)) : NULL;
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
  Tensor t = {name, SCALAR, NULL, NULL};
  const Json shape = json_get(json, "shape"), data = json_get(json, "data");
  if (!shape || !data || *shape != '[' || *data != '[') fail(c, "%s is not there or no tensor", name);
  for (Json at = json_first(shape); at; at = json_next(at)) {
    if (t.shape.rank == MAX_RANK) fail(c, "%s has more than %d axes", name, MAX_RANK);
    t.shape.size[t.shape.rank++] = integer(c, "a size", at, 0, MAX_NUMBERS);
  }
  if (json_count(data) != count(c, t.shape)) fail(c, "%s has not as many numbers as its shape says", name);
  float *values = t.data = zeros(c, t.shape);
  for (Json at = json_first(data); at; at = json_next(at)) *values++ = (float)number(c, name, at);
  return t;
}

static bool same(Shape a, Shape b) {
  return a.rank == b.rank && memcmp(a.size, b.size, (size_t)a.rank * sizeof(int)) == 0;
}

static const char *shape_text(char text[128], Shape shape) {
  int length = sprintf(text, "(");
  for (int axis = 0; axis < shape.rank; axis++)
    length += sprintf(text + length, axis == 0 ? "%d" : ", %d", shape.size[axis]);
  sprintf(text + length, ")");
  return text;
}

/* The shape rule of nearly every argument: this shape, and no size 0. */
static void expect(Call *c, Tensor t, Shape shape) {
  char found[128], expected[128];
  if (!same(t.shape, shape))
    fail(c, "%s has shape %s, expected %s", t.name, shape_text(found, t.shape), shape_text(expected, shape));
  for (int axis = 0; axis < shape.rank; axis++)
    if (shape.size[axis] == 0) fail(c, "%s has shape %s, expected sizes from 1", t.name, shape_text(found, t.shape));
}

static void *output(Call *c, const char *name, Shape shape) {
  void *data = zeros(c, shape);
  c->outputs[c->output_count++] = (Tensor){name, shape, data, NULL};
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
  if (!(value >= least && value <= most)) fail(c, "%s is %g, expected a number from %g to %g", name, value, least, most);
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

/* How often a window stops: floor(steps) + 1; in ceil mode ceil(steps) + 1, but for a last place beyond the image. */
static double places(int size, int before, int after, double reach, int stride, bool ceil_mode) {
  const double steps = ((double)before + size + after - reach) / stride;
  if (!ceil_mode) return floor(steps) + 1;
  return ceil(steps) * stride < (double)before + size ? ceil(steps) + 1 : ceil(steps);
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
  if (C % groups != 0 || O % groups != 0) fail(c, "x has %d channels and w %d kernels, expected multiples of the %d groups", C, O, groups);
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
static void run_grouped_conv2d(Call *c) { run_convolution(c, integer(c, "groups", option(c, "groups"), 1, MAX_INTEGER)); }

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

static const struct {
  const char *name;
  void (*run)(Call *);
} layers[] = {
    {"conv2d", run_conv2d},
    {"groupedConv2d", run_grouped_conv2d},
    {"linear", run_linear},
};
enum { LAYERS = sizeof layers / sizeof *layers };

/* 4 The loop ********************************************************************************************************/

static void start(void) {
  printf("{\"protocol\":1,\"name\":\"c\",\"language\":\"C\",\"dtype\":\"float32\",\"layout\":\"NCHW\",\"layers\":{");
  for (int i = 0; i < LAYERS; i++) printf("%s\"%s\":[\"forward\",\"backward\"]", i == 0 ? "" : ",", layers[i].name);
  printf("}}\n");
}

static void write_tensor(Tensor t, int numbers) {
  const float *values = t.data;
  printf("{\"shape\":[");
  for (int axis = 0; axis < t.shape.rank; axis++) printf(axis == 0 ? "%d" : ",%d", t.shape.size[axis]);
  printf("],\"data\":[");
  for (int i = 0; i < numbers; i++) {
    if (i > 0) putchar(',');
    json_write(stdout, values[i]);
  }
  printf("]}");
}

/* What the layer makes of the call, if it makes something. */
static bool calculate(Call *c, void (*layer)(Call *)) {
  if (setjmp(c->failed) != 0) return false;
  layer(c);
  if (json_count(json_get(c->message, "options")) != c->options) fail(c, "there is an option that the layer has not");
  return true;
}

/* {"seq":17,"outputs":{…}}, {"seq":17,"error":"…"} or {"seq":17,"skip":"…"} */
static void run(Json message, Json seq) {
  Call c = {0};
  void (*layer)(Call *) = NULL;
  c.message = message;
  c.backward = json_is(json_get(message, "direction"), "backward");
  for (int i = 0; i < LAYERS; i++)
    if (json_is(json_get(message, "layer"), layers[i].name)) layer = layers[i].run;

  printf("{\"seq\":%.*s,", (int)(json_after(seq, JSON_DEPTH) - seq), seq);
  if (!layer) {
    printf("\"skip\":\"this port has no such layer\"}\n");
  } else if (!calculate(&c, layer)) {
    printf("\"error\":\"%s\"}\n", c.error);
  } else {
    printf("\"outputs\":{");
    for (int i = 0; i < c.output_count; i++) {
      printf("%s\"%s%s\":", i == 0 ? "" : ",", c.backward ? "d" : "", c.outputs[i].name);
      write_tensor(c.outputs[i], count(&c, c.outputs[i].shape));
    }
    printf("}}\n");
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
