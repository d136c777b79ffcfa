/*
 * The cases of golden/linear.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_linear(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: tenths: numbers that have to be rounded, or are no multiples of 1/64; the 7 calls that must be errors; with
 * CNN_SPEC_INT32 special: NaN, infinity or -0.
 */
#ifndef CNN_SPEC_LINEAR_H
#define CNN_SPEC_LINEAR_H

#include "cnn_spec.h"

static const cnn_spec_case cnn_spec_linear_cases[] = {
    {
        .id = "linear/dense",
        .title = "the dense layer of the ResNet document",
        .x = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){-4, -1, 2,  5, -3, 0}},
        .w = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){-3, -4, -5,  2, 1, 0}},
        .b = {.shape = {2}, .unit = 8, .data = (const int16_t[]){-2, 5}},
        .dy = {.shape = {2, 2}, .unit = 8, .data = (const int16_t[]){1, 5,  -2, 2}},
        .y = {.shape = {2, 2}, .unit = 64, .data = (const int16_t[]){-10, 31,  -19, 47}},
        .dx = {.shape = {2, 3}, .unit = 64, .data = (const int16_t[]){7, 1, -5,  10, 10, 10}},
        .dw = {.shape = {2, 3}, .unit = 64, .data = (const int16_t[]){-14, 5, 2,  -10, -11, 10}},
        .db = {.shape = {2}, .unit = 8, .data = (const int16_t[]){-1, 7}},
    },
    {
        .id = "linear/out-in",
        .title = "w is (out, in): y = w·x = [1·5 + 2·7, 3·5 + 4·7] (transposed: 26, 38)",
        .x = {.shape = {1, 2}, .unit = 1, .data = (const int16_t[]){5, 7}},
        .w = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){1, 2,  3, 4}},
        .b = {.shape = {2}, .unit = 1, .data = (const int16_t[]){0, 0}},
        .dy = {.shape = {1, 2}, .unit = 1, .data = (const int16_t[]){1, -2}},
        .y = {.shape = {1, 2}, .unit = 1, .data = (const int16_t[]){19, 43}},
        .dx = {.shape = {1, 2}, .unit = 1, .data = (const int16_t[]){-5, -6}},
        .dw = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){5, 7,  -10, -14}},
        .db = {.shape = {2}, .unit = 1, .data = (const int16_t[]){1, -2}},
    },
    {
        .id = "linear/hostile",
        .title = "all sizes distinct",
        .x = {.shape = {2, 5}, .unit = 8, .data = (const int16_t[]){-4, -1, 2, 5, -3,  0, 3, -5, -2, 1}},
        .w = {.shape = {3, 5}, .unit = 8, .data = (const int16_t[]){
            -3, 2, -4, 1, -5,  0, 5, -1, 4, -2,  3, -3, 2, -4, 1,
        }},
        .b = {.shape = {3}, .unit = 1, .data = (const int16_t[]){10, -20, 30}},
        .dy = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){1, 5, -2,  2, -5, -1}},
        .y = {.shape = {2, 3}, .unit = 64, .data = (const int16_t[]){662, -1261, 1892,  659, -1270, 1910}},
        .dx = {.shape = {2, 5}, .unit = 64, .data = (const int16_t[]){-9, 33, -13, 29, -17,  -9, -18, -5, -14, -1}},
        .dw = {.shape = {3, 5}, .unit = 64, .data = (const int16_t[]){
            -4, 5, -8, 1, -1,  -20, -20, 35, 35, -20,  8, -1, 1, -8, 5,
        }},
        .db = {.shape = {3}, .unit = 8, .data = (const int16_t[]){3, 0, -3}},
    },
    {
        .id = "linear/special",
        .title = "0 · ∞ is NaN: no product is left out, and ∞ stays in its row",
        .float_only = true,
        .x = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_INFINITY, 1,  1, 2}},
        .w = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){0, 3,  1, -1}},
        .b = {.shape = {2}, .unit = 1, .data = (const int16_t[]){1, 2}},
        .dy = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){1, 2,  3, 4}},
        .y = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, CNN_SPEC_INFINITY,  7, 1}},
        .dx = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){2, 1,  4, 5}},
        .dw = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_INFINITY, 7,  CNN_SPEC_INFINITY, 10}},
        .db = {.shape = {2}, .unit = 1, .data = (const int16_t[]){4, 6}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_linear_bugs[] = {
    {"xxxx", "linear.weights-in-out",
     "weights are read as (in, out)"},
    {"x.xx", "linear.bias-by-row",
     "the bias goes along the batch, not along the outputs"},
    {"x.xx", "linear.first-bias",
     "every output gets the first bias"},
    {"x.xx", "linear.no-bias",
     "there is no bias"},
    {"x.xx", "linear.bias-per-feature",
     "the bias is added once for every feature"},
    {"xxxx", "linear.last-feature-lost",
     "the last feature is left out"},
    {"x.xx", "linear.first-row",
     "every entry of the batch is the first one"},
    {"x.xx", "linear.dx-scrambled",
     "dx is made as (D, N), and those numbers are read as (N, D)"},
    {"xxxx", "linear.dx-updated-weights",
     "dx is computed with weights that have already taken their step"},
    {"xxxx", "linear.dx-assigned",
     "dx is that of the last output"},
    {"x.xx", "linear.dw-assigned",
     "dw is that of the last entry of the batch"},
    {"x.xx", "linear.dw-mean",
     "dw is the mean over the batch, dx and db are sums"},
    {"x.xx", "linear.db-mean",
     "db is the mean over the batch"},
    {"xxxx", "linear.db-per-feature",
     "db counts dy once for every feature"},
    {"xxxx", "linear.dw-transposed",
     "dw is made as (in, out)"},
    {"x.xx", "linear.dy-first-row",
     "dy of the first entry serves all"},
    {"xxxx", "linear.disconnected",
     "no gradient reaches x"},
};

static const cnn_spec_layer cnn_spec_linear = {
    .name = "linear",
    .products = true,
    .case_count = 4,
    .cases = cnn_spec_linear_cases,
    .bug_count = 17,
    .bugs = cnn_spec_linear_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_linear(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_linear, forward, backward);
}

#endif
