/*
 * The cases of golden/sigmoid.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_sigmoid(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: hostile, slope, far: numbers that have to be rounded, or are no multiples of 1/64; the 2 calls that must be
 * errors; with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole.
 */
#ifndef CNN_SPEC_SIGMOID_H
#define CNN_SPEC_SIGMOID_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "sigmoid has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_sigmoid_cases[] = {
    {
        .id = "sigmoid/half",
        .title = "sigmoid(0) is ½, and its slope ¼",
        .x = {.shape = {1}, .unit = 1, .data = (const int16_t[]){0}},
        .dy = {.shape = {1}, .unit = 1, .data = (const int16_t[]){-3}},
        .y = {.shape = {1}, .unit = 2, .data = (const int16_t[]){1}},
        .dx = {.shape = {1}, .unit = 4, .data = (const int16_t[]){-3}},
    },
    {
        .id = "sigmoid/overflow",
        .title = "±1000 does not overflow",
        .x = {.shape = {2}, .unit = 1, .data = (const int16_t[]){1000, -1000}},
        .dy = {.shape = {2}, .unit = 1, .data = (const int16_t[]){2, -3}},
        .y = {.shape = {2}, .unit = 1, .data = (const int16_t[]){1, 0}},
        .dx = {.shape = {2}, .unit = 1, .data = (const int16_t[]){0, 0}},
    },
    {
        .id = "sigmoid/special",
        .title = "NaN stays NaN; −0 is 0; ±∞ become 1 and 0",
        .signed_zeros = true,
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, 4}},
        .y = {.shape = {4}, .unit = 2, .data = (const int16_t[]){CNN_SPEC_NAN, 1, 2, 0}},
        .dx = {.shape = {4}, .unit = 2, .data = (const int16_t[]){CNN_SPEC_NAN, 1, 0, 0}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_sigmoid_bugs[] = {
    {".xx", "sigmoid.exp-overflow",
     "exp x / (1 + exp x) on both sides: NaN beyond 709"},
    {".xx", "sigmoid.sign-lost",
     "y of |x|"},
    {"..x", "sigmoid.fast-exp",
     "exp is a power of 1024: right to three digits"},
    {"xxx", "sigmoid.slope-lost",
     "dy passes as if the slope were 1"},
    {"xxx", "sigmoid.slope-of-y",
     "the slope is taken at y as if it were x"},
    {".xx", "sigmoid.slope-overflow",
     "exp −x / (1 + exp −x)² on both sides: NaN below −709"},
};

static const cnn_spec_layer cnn_spec_sigmoid = {
    .name = "sigmoid",
    .products = false,
    .case_count = 3,
    .cases = cnn_spec_sigmoid_cases,
    .bug_count = 6,
    .bugs = cnn_spec_sigmoid_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_sigmoid(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_sigmoid, forward, backward);
}

#endif
