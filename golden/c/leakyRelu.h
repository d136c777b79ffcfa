/*
 * The cases of golden/leakyRelu.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_leakyRelu(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: defaults, reals: numbers that have to be rounded, or are no multiples of 1/64; the 3 calls that must be
 * errors; with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole.
 */
#ifndef CNN_SPEC_LEAKYRELU_H
#define CNN_SPEC_LEAKYRELU_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "leakyRelu has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_leakyRelu_cases[] = {
    {
        .id = "leakyRelu/eighth",
        .title = "what is negative becomes an eighth",
        .negative_slope = 0.125,
        .x = {.shape = {2}, .unit = 1, .data = (const int16_t[]){-3, 4}},
        .dy = {.shape = {2}, .unit = 1, .data = (const int16_t[]){5, -7}},
        .y = {.shape = {2}, .unit = 8, .data = (const int16_t[]){-3, 32}},
        .dx = {.shape = {2}, .unit = 8, .data = (const int16_t[]){5, -56}},
    },
    {
        .id = "leakyRelu/zero",
        .title = "the slope at 0 is negativeSlope",
        .negative_slope = 0.25,
        .x = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){0, -1, 1}},
        .dy = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3}},
        .y = {.shape = {1, 3}, .unit = 4, .data = (const int16_t[]){0, -1, 4}},
        .dx = {.shape = {1, 3}, .unit = 4, .data = (const int16_t[]){1, 2, 12}},
    },
    {
        .id = "leakyRelu/hostile",
        .title = "three axes of distinct sizes",
        .negative_slope = 0.25,
        .x = {.shape = {2, 3, 5}, .unit = 16, .data = (const int16_t[]){
            -19, 55, 7, -41, 33,  -15, 59, 11, -37, 37,  -11, -59, 15, -33, 41,
            -7, -55, 19, -29, 45,  -3, -51, 23, -25, 49,  1, -47, 27, -21, 53,
        }},
        .dy = {.shape = {2, 3, 5}, .unit = 1, .data = (const int16_t[]){
            -1, 4, -2, 3, -3,  2, -4, 1, -5, 0,  5, -1, 4, -2, 3,  -3, 2, -4, 1, -5,  0, 5, -1, 4, -2,  3, -3, 2, -4, 1,
        }},
        .y = {.shape = {2, 3, 5}, .unit = 64, .data = (const int16_t[]){
            -19, 220, 28, -41, 132,  -15, 236, 44, -37, 148,  -11, -59, 60, -33, 164,
            -7, -55, 76, -29, 180,  -3, -51, 92, -25, 196,  4, -47, 108, -21, 212,
        }},
        .dx = {.shape = {2, 3, 5}, .unit = 4, .data = (const int16_t[]){
            -1, 16, -8, 3, -12,  2, -16, 4, -5, 0,  5, -1, 16, -2, 12,
            -3, 2, -16, 1, -20,  0, 5, -4, 4, -8,  12, -3, 8, -4, 4,
        }},
    },
    {
        .id = "leakyRelu/steep",
        .title = "a slope above 1: y is not the larger of x and 2·x",
        .negative_slope = 2,
        .x = {.shape = {3}, .unit = 2, .data = (const int16_t[]){-6, -1, 8}},
        .dy = {.shape = {3}, .unit = 1, .data = (const int16_t[]){2, -1, 3}},
        .y = {.shape = {3}, .unit = 1, .data = (const int16_t[]){-6, -1, 4}},
        .dx = {.shape = {3}, .unit = 1, .data = (const int16_t[]){4, -2, 3}},
    },
    {
        .id = "leakyRelu/flat",
        .title = "with negativeSlope 0 it is relu",
        .negative_slope = 0,
        .x = {.shape = {3}, .unit = 2, .data = (const int16_t[]){-6, -1, 8}},
        .dy = {.shape = {3}, .unit = 1, .data = (const int16_t[]){2, -1, 3}},
        .y = {.shape = {3}, .unit = 1, .data = (const int16_t[]){0, 0, 4}},
        .dx = {.shape = {3}, .unit = 1, .data = (const int16_t[]){0, 0, 3}},
    },
    {
        .id = "leakyRelu/special",
        .title = "NaN stays NaN and lets dy pass; −0 stays −0; ±∞ stay",
        .negative_slope = 0.5,
        .signed_zeros = true,
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, 4}},
        .y = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dx = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 1, 3, 2}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_leakyRelu_bugs[] = {
    {"...x..", "leakyRelu.largest-of-both",
     "the larger of x and its product with the slope, another function where the slope exceeds 1"},
    {"xxxx.x", "leakyRelu.relu",
     "nothing leaks"},
    {".....x", "leakyRelu.nan-dropped",
     "NaN becomes 0"},
    {"xxxx.x", "leakyRelu.dx-relu",
     "no gradient leaks"},
    {".x...x", "leakyRelu.slope-one-at-zero",
     "at 0 all of dy passes"},
    {".....x", "leakyRelu.nan-leaks",
     "where x is NaN dy is made smaller"},
};

static const cnn_spec_layer cnn_spec_leakyRelu = {
    .name = "leakyRelu",
    .products = false,
    .case_count = 6,
    .cases = cnn_spec_leakyRelu_cases,
    .bug_count = 6,
    .bugs = cnn_spec_leakyRelu_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_leakyRelu(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_leakyRelu, forward, backward);
}

#endif
