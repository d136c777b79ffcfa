/*
 * Checks a layer written in C against the cases of this folder, without Node, files or allocation. C99.
 *
 *   #include "conv2d.h"
 *
 *   static void forward(const cnn_spec_call *c) { my_conv2d(c->y, c->x, c->w, c->b, c->N, c->C, c->H, …); }
 *   static void backward(const cnn_spec_call *c) { my_conv2d_backward(c->dx, c->dw, c->db, c->dy, c->x, …); }
 *
 *   int main(void) { return cnn_spec_check_conv2d(forward, backward) != 0; }
 *
 * NULL stands for a direction that there is not yet. A check prints every case that fails, with the first wrong number
 * of each output, then the known bugs under which most of them fail and no other does; and returns how many failed.
 *
 * Before the first #include you may define
 *   CNN_SPEC_INT32       numbers are int32_t, scaled; see cnn_spec_number
 *   CNN_SPEC_FLOAT64     numbers are double, not float
 *   CNN_SPEC_ROOM        how many numbers a case may have, inputs and outputs together; default 1024
 *   CNN_SPEC_PRINT(...)  what prints, with the arguments of printf; default printf
 *
 * Do not compile with -ffast-math: NaN and infinities are among the cases.
 */
#ifndef CNN_SPEC_H
#define CNN_SPEC_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef CNN_SPEC_PRINT
#include <stdio.h>
#define CNN_SPEC_PRINT(...) printf(__VA_ARGS__)
#endif

#ifndef CNN_SPEC_ROOM
#define CNN_SPEC_ROOM 1024
#endif

/*
 * What inputs and outputs are made of. As int32_t they are whole, because the cases are of multiples of 1/8 and 1/64:
 *   in layers that add up products (conv2d, groupedConv2d, linear) x, w and dy are times 8, and so is db, a sum of dy;
 *   the sums of products y, dx and dw are times 64, and so is b, which is added to them;
 *   in every other layer all numbers are times 64, so that the means of avgPool2d and globalAvgPool2d are whole too.
 * Nothing overflows, and no division has a remainder.
 */
#if defined CNN_SPEC_INT32
typedef int32_t cnn_spec_number;
#elif defined CNN_SPEC_FLOAT64
typedef double cnn_spec_number;
#else
typedef float cnn_spec_number;
#endif

/* One call of a layer: what it is called with, and where its results go. Arrays are row-major. */
typedef struct {
  const char *id, *title;

  int N, C, H, W;    /* of x; axes that x has not are 1 */
  int D;             /* C·H·W, the numbers of one image or row of x: D of linear, K of softmax */
  int count;         /* N·C·H·W, all numbers of x */
  int O, KH, KW;     /* of w: (O, C/groups, KH, KW), or (O, D) in linear; KH and KW also of the window of a pool */
  int OH, OW;        /* of y: (N, O, OH, OW), or (N, C, OH, OW) of a pool */
  int groups;        /* of groupedConv2d; 1 in conv2d */
  int stride_h, stride_w, dilation_h, dilation_w;
  int top, bottom, left, right; /* padding */
  bool ceil_mode;               /* of a pool; OH and OW are those of the mode already */
  bool count_include_pad;       /* of avgPool2d */
  float p;                      /* of dropout */
  float negative_slope;         /* of leakyRelu */

  const cnn_spec_number *x, *w, *b; /* NULL if the layer has none */
  const cnn_spec_number *mask;      /* of dropout: mask_count numbers, one for each of x or one for each channel */
  int mask_count;
  const cnn_spec_number *target; /* of meanSquaredError: as many as x */
  const cnn_spec_number *dy;     /* the gradient with respect to y */

  cnn_spec_number *y;             /* forward only: to be written, all of it */
  cnn_spec_number *dx, *dw, *db; /* backward only: zeros, to be written or added to; NULL if the layer has none */
} cnn_spec_call;

/* A direction of a layer: reads the call, and writes y; or dx, dw and db. */
typedef void cnn_spec_function(const cnn_spec_call *call);

/* How the cases are stored ******************************************************************************************/

/* The numbers are data / unit; the shape ends with 0. */
typedef struct {
  int16_t shape[5], unit;
  const int16_t *data;
} cnn_spec_tensor;

/* Data that are no numbers of a unit. */
#define CNN_SPEC_NAN (-32768)
#define CNN_SPEC_INFINITY 32767
#define CNN_SPEC_MINUS_INFINITY (-32767)
#define CNN_SPEC_MINUS_ZERO (-32766)

typedef struct {
  const char *id, *title;
  int kernel[2], stride[2], dilation[2], groups; /* height, width */
  struct {
    int top, bottom, left, right;
  } padding;
  bool ceil_mode, count_include_pad;
  float p, negative_slope;
  bool signed_zeros; /* the sign of zero counts */
  bool float_only;   /* left out with CNN_SPEC_INT32 */
  cnn_spec_tensor x, w, b, mask, target, dy, y, dx, dw, db;
} cnn_spec_case;

typedef struct {
  const char *fails; /* one character for each case, in order: x if it fails under the bug, else a dot */
  const char *id, *means;
} cnn_spec_bug;

typedef struct {
  const char *name;
  bool products; /* see cnn_spec_number */
  int case_count;
  const cnn_spec_case *cases;
  int bug_count;
  const cnn_spec_bug *bugs;
} cnn_spec_layer;

enum { CNN_SPEC_MOST_CASES = 64 };

/* The checker *******************************************************************************************************/

static inline int cnn_spec_count(const cnn_spec_tensor *t) {
  int count = 1;
  for (int axis = 0; t->shape[axis] != 0; axis++) count *= t->shape[axis];
  return t->data ? count : 0;
}

/* The size of an axis, 1 if there is none. */
static inline int cnn_spec_size(const cnn_spec_tensor *t, int axis) {
  for (int i = 0; i < axis; i++)
    if (t->shape[i] == 0) return 1;
  return t->shape[axis] == 0 ? 1 : t->shape[axis];
}

/* Number i of a tensor; `scale` is that of int32_t. */
static inline cnn_spec_number cnn_spec_number_of(const cnn_spec_tensor *t, int i, int scale) {
#ifdef CNN_SPEC_INT32
  return (cnn_spec_number)t->data[i] * (scale / t->unit);
#else
  (void)scale;
  switch (t->data[i]) {
    case CNN_SPEC_NAN: return (cnn_spec_number)NAN;
    case CNN_SPEC_INFINITY: return (cnn_spec_number)INFINITY;
    case CNN_SPEC_MINUS_INFINITY: return (cnn_spec_number)-INFINITY;
    case CNN_SPEC_MINUS_ZERO: return (cnn_spec_number)-0.0;
    default: return (cnn_spec_number)t->data[i] / (cnn_spec_number)t->unit;
  }
#endif
}

static inline bool cnn_spec_equal(cnn_spec_number got, cnn_spec_number expected, bool signed_zeros) {
#ifdef CNN_SPEC_INT32
  (void)signed_zeros;
  return got == expected;
#else
  if (isnan(expected)) return isnan(got);
  return got == expected && (!signed_zeros || !signbit(got) == !signbit(expected));
#endif
}

/* What y is before it is written: a number that is forgotten is seen. */
static inline cnn_spec_number cnn_spec_unwritten(void) {
#ifdef CNN_SPEC_INT32
  return INT32_MIN;
#else
  return (cnn_spec_number)NAN;
#endif
}

static inline void cnn_spec_print_number(cnn_spec_number number) {
#ifdef CNN_SPEC_INT32
  CNN_SPEC_PRINT("%ld", (long)number);
#else
  CNN_SPEC_PRINT("%.9g", (double)number);
#endif
}

/* Room for the numbers of one case. */
typedef struct {
  cnn_spec_number numbers[CNN_SPEC_ROOM];
  int used;
} cnn_spec_room;

/* Room for as many numbers as the tensor has, NULL if there is no such tensor. */
static inline cnn_spec_number *cnn_spec_take(cnn_spec_room *room, const cnn_spec_tensor *t) {
  if (!t->data) return NULL;
  cnn_spec_number *taken = room->numbers + room->used;
  room->used += cnn_spec_count(t);
  return taken;
}

static inline cnn_spec_number *cnn_spec_load(cnn_spec_room *room, const cnn_spec_tensor *t, int scale) {
  cnn_spec_number *numbers = cnn_spec_take(room, t);
  for (int i = 0; numbers && i < cnn_spec_count(t); i++) numbers[i] = cnn_spec_number_of(t, i, scale);
  return numbers;
}

static inline cnn_spec_number *cnn_spec_fill(cnn_spec_room *room, const cnn_spec_tensor *t, cnn_spec_number value) {
  cnn_spec_number *numbers = cnn_spec_take(room, t);
  for (int i = 0; numbers && i < cnn_spec_count(t); i++) numbers[i] = value;
  return numbers;
}

/* Compares an output, and says where it is wrong: "  dw[0, 1, 2, 0] is 3, expected 4; 5 of 54 differ". */
static inline void cnn_spec_compare(const cnn_spec_case *one, const char *name, const cnn_spec_number *got,
                                    const cnn_spec_tensor *expected, int scale, bool *failed) {
  const int count = cnn_spec_count(expected);
  int differ = 0, first = 0;
  for (int i = count - 1; i >= 0; i--)
    if (!cnn_spec_equal(got[i], cnn_spec_number_of(expected, i, scale), one->signed_zeros)) {
      differ++;
      first = i;
    }
  if (differ == 0) return;

  if (!*failed) CNN_SPEC_PRINT("%s: %s\n", one->id, one->title);
  *failed = true;
  CNN_SPEC_PRINT("  %s", name);
  for (int axis = 0, below = count; expected->shape[axis] != 0; axis++) {
    below /= expected->shape[axis];
    CNN_SPEC_PRINT("%s%d%s", axis == 0 ? "[" : ", ", first / below % expected->shape[axis],
                   expected->shape[axis + 1] == 0 ? "]" : "");
  }
  CNN_SPEC_PRINT(" is ");
  cnn_spec_print_number(got[first]);
  CNN_SPEC_PRINT(", expected ");
  cnn_spec_print_number(cnn_spec_number_of(expected, first, scale));
#ifdef CNN_SPEC_INT32
  CNN_SPEC_PRINT(", both times %d", scale);
#endif
  CNN_SPEC_PRINT("; %d of %d differ\n", differ, count);
}

/* Whether one case passes; if not, it is printed. */
static inline bool cnn_spec_check_case(const cnn_spec_case *one, bool products, cnn_spec_function *forward,
                                       cnn_spec_function *backward) {
  static cnn_spec_room room;
  const cnn_spec_tensor *all[] = {&one->x, &one->w,  &one->b,  &one->mask, &one->target,
                                  &one->dy, &one->y, &one->dx, &one->dw,   &one->db};
  int needed = 0;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) needed += cnn_spec_count(all[i]);
  if (needed > CNN_SPEC_ROOM) {
    CNN_SPEC_PRINT("%s: has %d numbers, but CNN_SPEC_ROOM is %d\n", one->id, needed, CNN_SPEC_ROOM);
    return false;
  }

  const int factor = products ? 8 : 64, result = 64;
  room.used = 0;
  cnn_spec_call call = {.id = one->id, .title = one->title};
  call.N = cnn_spec_size(&one->x, 0), call.C = cnn_spec_size(&one->x, 1);
  call.H = cnn_spec_size(&one->x, 2), call.W = cnn_spec_size(&one->x, 3);
  call.D = call.C * call.H * call.W, call.count = call.N * call.D;
  call.O = cnn_spec_size(&one->w, 0);
  call.KH = one->kernel[0] ? one->kernel[0] : cnn_spec_size(&one->w, 2);
  call.KW = one->kernel[1] ? one->kernel[1] : cnn_spec_size(&one->w, 3);
  call.OH = cnn_spec_size(&one->y, 2), call.OW = cnn_spec_size(&one->y, 3);
  call.groups = one->groups ? one->groups : 1;
  call.stride_h = one->stride[0], call.stride_w = one->stride[1];
  call.dilation_h = one->dilation[0] ? one->dilation[0] : 1, call.dilation_w = one->dilation[1] ? one->dilation[1] : 1;
  call.top = one->padding.top, call.bottom = one->padding.bottom;
  call.left = one->padding.left, call.right = one->padding.right;
  call.ceil_mode = one->ceil_mode, call.count_include_pad = one->count_include_pad;
  call.p = one->p, call.negative_slope = one->negative_slope;
  call.x = cnn_spec_load(&room, &one->x, factor);
  call.w = cnn_spec_load(&room, &one->w, factor);
  call.b = cnn_spec_load(&room, &one->b, result);
  call.mask = cnn_spec_load(&room, &one->mask, factor), call.mask_count = cnn_spec_count(&one->mask);
  call.target = cnn_spec_load(&room, &one->target, factor);
  call.dy = cnn_spec_load(&room, &one->dy, factor);

  bool failed = false;
  if (forward) {
    cnn_spec_number *y = call.y = cnn_spec_fill(&room, &one->y, cnn_spec_unwritten());
    forward(&call);
    cnn_spec_compare(one, "y", y, &one->y, result, &failed);
  }
  if (backward) {
    call.y = NULL;
    cnn_spec_number *dx = call.dx = cnn_spec_fill(&room, &one->dx, 0);
    cnn_spec_number *dw = call.dw = cnn_spec_fill(&room, &one->dw, 0);
    cnn_spec_number *db = call.db = cnn_spec_fill(&room, &one->db, 0);
    backward(&call);
    cnn_spec_compare(one, "dx", dx, &one->dx, result, &failed);
    cnn_spec_compare(one, "dw", dw, &one->dw, result, &failed);
    cnn_spec_compare(one, "db", db, &one->db, factor, &failed);
  }
  return !failed;
}

/* How many cases fail under the bug; 0 if one of them passed. Verdicts are 'x' failed, '.' passed, '-' left out. */
static inline int cnn_spec_suspicion(const cnn_spec_bug *bug, const char *verdicts, int count) {
  int fails = 0;
  for (int i = 0; i < count; i++) {
    if (bug->fails[i] != 'x' || verdicts[i] == '-') continue;
    if (verdicts[i] == '.') return 0;
    fails++;
  }
  return fails;
}

/* Holds a layer against all its cases, and prints and returns what is said at the top. */
static inline int cnn_spec_check(const cnn_spec_layer *layer, cnn_spec_function *forward, cnn_spec_function *backward) {
  static char verdicts[CNN_SPEC_MOST_CASES];
  int passed = 0, failed = 0;
  if (!forward && !backward) {
    CNN_SPEC_PRINT("%s: there is no function to check\n", layer->name);
    return 1;
  }
  for (int i = 0; i < layer->case_count; i++) {
    verdicts[i] = '-';
#ifdef CNN_SPEC_INT32
    if (layer->cases[i].float_only) continue;
#endif
    if (cnn_spec_check_case(&layer->cases[i], layer->products, forward, backward)) {
      verdicts[i] = '.';
      passed++;
    } else {
      verdicts[i] = 'x';
      failed++;
    }
  }
  CNN_SPEC_PRINT("%s%s: %d of %d cases passed\n", layer->name,
                 !backward ? ", forward only" : !forward ? ", backward only" : "", passed, passed + failed);

  int most = 0;
  for (int i = 0; i < layer->bug_count; i++) {
    const int fails = cnn_spec_suspicion(&layer->bugs[i], verdicts, layer->case_count);
    if (fails > most) most = fails;
  }
  for (int i = 0; i < layer->bug_count && most > 0; i++)
    if (cnn_spec_suspicion(&layer->bugs[i], verdicts, layer->case_count) == most)
      CNN_SPEC_PRINT("  %d of %d fail under the known bug %s: %s\n", most, failed, layer->bugs[i].id,
                     layer->bugs[i].means);
  return failed;
}

#endif
