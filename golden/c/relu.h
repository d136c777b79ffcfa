/*
 * The cases of golden/relu.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_relu(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: to-the-last-bit, reals: numbers that have to be rounded, or are no multiples of 1/64; the 2 calls that must
 * be errors; with CNN_SPEC_INT32 special, infinite-dy: NaN, infinity or -0.
 */
#ifndef CNN_SPEC_RELU_H
#define CNN_SPEC_RELU_H

#include "cnn_spec.h"

static const cnn_spec_case cnn_spec_relu_cases[] = {
    {
        .id = "relu/document",
        .title = "the document's −3 and 4",
        .x = {.shape = {2}, .unit = 1, .data = (const int16_t[]){-3, 4}},
        .dy = {.shape = {2}, .unit = 1, .data = (const int16_t[]){5, -7}},
        .y = {.shape = {2}, .unit = 1, .data = (const int16_t[]){0, 4}},
        .dx = {.shape = {2}, .unit = 1, .data = (const int16_t[]){0, -7}},
    },
    {
        .id = "relu/zero",
        .title = "the slope at 0 is 0",
        .x = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){0, -1, 1}},
        .dy = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3}},
        .y = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){0, 0, 1}},
        .dx = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){0, 0, 3}},
    },
    {
        .id = "relu/hostile",
        .title = "four axes of distinct sizes",
        .x = {.shape = {2, 3, 4, 5}, .unit = 16, .data = (const int16_t[]){
            -113, -39, 35, 109, -43,  31, 105, -47, 27, 101,  -51, 23, 97, -55, 19,  93, -59, 15, 89, -63,
            11, 85, -67, 7, 81,  -71, 3, 77, -75, -1,  73, -79, -5, 69, -83,  -9, 65, -87, -13, 61,
            -91, -17, 57, -95, -21,  53, -99, -25, 49, -103,  -29, 45, -107, -33, 41,  -111, -37, 37, 111, -41,
            33, 107, -45, 29, 103,  -49, 25, 99, -53, 21,  95, -57, 17, 91, -61,  13, 87, -65, 9, 83,
            -69, 5, 79, -73, 1,  75, -77, -3, 71, -81,  -7, 67, -85, -11, 63,  -89, -15, 59, -93, -19,
            55, -97, -23, 51, -101,  -27, 47, -105, -31, 43,  -109, -35, 39, -113, -39,  35, 109, -43, 31, 105,
        }},
        .dy = {.shape = {2, 3, 4, 5}, .unit = 1, .data = (const int16_t[]){
            -4, 3, -1, 6, 2,  -2, 5, 1, -3, 4,  0, -4, 3, -1, 6,  2, -2, 5, 1, -3,
            4, 0, -4, 3, -1,  6, 2, -2, 5, 1,  -3, 4, 0, -4, 3,  -1, 6, 2, -2, 5,
            1, -3, 4, 0, -4,  3, -1, 6, 2, -2,  5, 1, -3, 4, 0,  -4, 3, -1, 6, 2,
            -2, 5, 1, -3, 4,  0, -4, 3, -1, 6,  2, -2, 5, 1, -3,  4, 0, -4, 3, -1,
            6, 2, -2, 5, 1,  -3, 4, 0, -4, 3,  -1, 6, 2, -2, 5,  1, -3, 4, 0, -4,
            3, -1, 6, 2, -2,  5, 1, -3, 4, 0,  -4, 3, -1, 6, 2,  -2, 5, 1, -3, 4,
        }},
        .y = {.shape = {2, 3, 4, 5}, .unit = 16, .data = (const int16_t[]){
            0, 0, 35, 109, 0,  31, 105, 0, 27, 101,  0, 23, 97, 0, 19,  93, 0, 15, 89, 0,
            11, 85, 0, 7, 81,  0, 3, 77, 0, 0,  73, 0, 0, 69, 0,  0, 65, 0, 0, 61,
            0, 0, 57, 0, 0,  53, 0, 0, 49, 0,  0, 45, 0, 0, 41,  0, 0, 37, 111, 0,
            33, 107, 0, 29, 103,  0, 25, 99, 0, 21,  95, 0, 17, 91, 0,  13, 87, 0, 9, 83,
            0, 5, 79, 0, 1,  75, 0, 0, 71, 0,  0, 67, 0, 0, 63,  0, 0, 59, 0, 0,
            55, 0, 0, 51, 0,  0, 47, 0, 0, 43,  0, 0, 39, 0, 0,  35, 109, 0, 31, 105,
        }},
        .dx = {.shape = {2, 3, 4, 5}, .unit = 1, .data = (const int16_t[]){
            0, 0, -1, 6, 0,  -2, 5, 0, -3, 4,  0, -4, 3, 0, 6,  2, 0, 5, 1, 0,
            4, 0, 0, 3, -1,  0, 2, -2, 0, 0,  -3, 0, 0, -4, 0,  0, 6, 0, 0, 5,
            0, 0, 4, 0, 0,  3, 0, 0, 2, 0,  0, 1, 0, 0, 0,  0, 0, -1, 6, 0,
            -2, 5, 0, -3, 4,  0, -4, 3, 0, 6,  2, 0, 5, 1, 0,  4, 0, 0, 3, -1,
            0, 2, -2, 0, 1,  -3, 0, 0, -4, 0,  0, 6, 0, 0, 5,  0, 0, 4, 0, 0,
            3, 0, 0, 2, 0,  0, 1, 0, 0, 0,  0, 0, -1, 0, 0,  -2, 5, 0, -3, 4,
        }},
    },
    {
        .id = "relu/special",
        .title = "NaN stays NaN; −0 becomes 0; ∞ stays; −∞ becomes 0",
        .signed_zeros = true,
        .float_only = true,
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, 4}},
        .y = {.shape = {4}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, 0, CNN_SPEC_INFINITY, 0}},
        .dx = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 0, 3, 0}},
    },
    {
        .id = "relu/infinite-dy",
        .title = "what does not pass is 0, an infinite dy too",
        .float_only = true,
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){-1, 2, -3, 0}},
        .dy = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY, CNN_SPEC_NAN, CNN_SPEC_MINUS_INFINITY,
        }},
        .y = {.shape = {4}, .unit = 1, .data = (const int16_t[]){0, 2, 0, 0}},
        .dx = {.shape = {4}, .unit = 1, .data = (const int16_t[]){0, CNN_SPEC_MINUS_INFINITY, 0, 0}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_relu_bugs[] = {
    {"...x.", "relu.mask-product",
     "x times its mask: −∞ becomes NaN, a negative number −0"},
    {"...x.", "relu.nan-dropped",
     "NaN becomes 0"},
    {"xxxxx", "relu.absolute",
     "y is |x|"},
    {"..xx.", "relu.up-to-six",
     "y ends at 6"},
    {".x.xx", "relu.slope-one-at-zero",
     "at 0 dy passes"},
    {".x.xx", "relu.slope-half-at-zero",
     "at 0 half of dy passes"},
    {"...x.", "relu.nan-blocks",
     "where x is NaN no dy passes"},
    {"....x", "relu.dx-mask-product",
     "dy times a mask: an infinite dy that should stop becomes NaN"},
    {"xxxxx", "relu.mask-of-dy",
     "the mask is taken from dy, not from x"},
    {"xxxxx", "relu.dy-passes",
     "all of dy passes"},
};

static const cnn_spec_layer cnn_spec_relu = {
    .name = "relu",
    .products = false,
    .case_count = 5,
    .cases = cnn_spec_relu_cases,
    .bug_count = 10,
    .bugs = cnn_spec_relu_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_relu(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_relu, forward, backward);
}

#endif
