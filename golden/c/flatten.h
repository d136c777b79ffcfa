/*
 * The cases of golden/flatten.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_flatten(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: to-the-last-bit, reals: numbers that have to be rounded, or are no multiples of 1/64; the 4 calls that must
 * be errors; with CNN_SPEC_INT32 special: NaN, infinity or -0.
 */
#ifndef CNN_SPEC_FLATTEN_H
#define CNN_SPEC_FLATTEN_H

#include "cnn_spec.h"

static const cnn_spec_case cnn_spec_flatten_cases[] = {
    {
        .id = "flatten/channel-row-column",
        .title = "channel by channel, row by row (NHWC would give 0 4 1 5 2 6 3 7)",
        .x = {.shape = {1, 2, 2, 2}, .unit = 1, .data = (const int16_t[]){0, 1,  2, 3,  4, 5,  6, 7}},
        .dy = {.shape = {1, 8}, .unit = 8, .data = (const int16_t[]){1, 5, -2, 2, -5, -1, 3, -4}},
        .y = {.shape = {1, 8}, .unit = 1, .data = (const int16_t[]){0, 1, 2, 3, 4, 5, 6, 7}},
        .dx = {.shape = {1, 2, 2, 2}, .unit = 8, .data = (const int16_t[]){1, 5,  -2, 2,  -5, -1,  3, -4}},
    },
    {
        .id = "flatten/hostile",
        .title = "four axes of distinct sizes",
        .x = {.shape = {3, 2, 4, 5}, .unit = 1, .data = (const int16_t[]){
            0, 1, 2, 3, 4,  5, 6, 7, 8, 9,  10, 11, 12, 13, 14,  15, 16, 17, 18, 19,
            20, 21, 22, 23, 24,  25, 26, 27, 28, 29,  30, 31, 32, 33, 34,  35, 36, 37, 38, 39,
            40, 41, 42, 43, 44,  45, 46, 47, 48, 49,  50, 51, 52, 53, 54,  55, 56, 57, 58, 59,
            60, 61, 62, 63, 64,  65, 66, 67, 68, 69,  70, 71, 72, 73, 74,  75, 76, 77, 78, 79,
            80, 81, 82, 83, 84,  85, 86, 87, 88, 89,  90, 91, 92, 93, 94,  95, 96, 97, 98, 99,
            100, 101, 102, 103, 104,  105, 106, 107, 108, 109,  110, 111, 112, 113, 114,  115, 116, 117, 118, 119,
        }},
        .dy = {.shape = {3, 40}, .unit = 1, .data = (const int16_t[]){
            -4, 3, -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3,
            -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5,
            1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3,
            4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1,
            6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2,
            -2, 5, 1, -3, 4, 0, -4, 3, -1, 6, 2, -2, 5, 1, -3, 4,
        }},
        .y = {.shape = {3, 40}, .unit = 1, .data = (const int16_t[]){
            0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
            24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39,
            40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
            64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79,
            80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103,
            104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
        }},
        .dx = {.shape = {3, 2, 4, 5}, .unit = 1, .data = (const int16_t[]){
            -4, 3, -1, 6, 2,  -2, 5, 1, -3, 4,  0, -4, 3, -1, 6,  2, -2, 5, 1, -3,
            4, 0, -4, 3, -1,  6, 2, -2, 5, 1,  -3, 4, 0, -4, 3,  -1, 6, 2, -2, 5,
            1, -3, 4, 0, -4,  3, -1, 6, 2, -2,  5, 1, -3, 4, 0,  -4, 3, -1, 6, 2,
            -2, 5, 1, -3, 4,  0, -4, 3, -1, 6,  2, -2, 5, 1, -3,  4, 0, -4, 3, -1,
            6, 2, -2, 5, 1,  -3, 4, 0, -4, 3,  -1, 6, 2, -2, 5,  1, -3, 4, 0, -4,
            3, -1, 6, 2, -2,  5, 1, -3, 4, 0,  -4, 3, -1, 6, 2,  -2, 5, 1, -3, 4,
        }},
    },
    {
        .id = "flatten/two-axes",
        .title = "two axes stay as they are",
        .x = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){-4, -1, 2,  5, -3, 0}},
        .dy = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){1, 5, -2,  2, -5, -1}},
        .y = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){-4, -1, 2,  5, -3, 0}},
        .dx = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){1, 5, -2,  2, -5, -1}},
    },
    {
        .id = "flatten/special",
        .title = "NaN, −0 and ±∞ stay where they are, in y and in dx",
        .signed_zeros = true,
        .float_only = true,
        .x = {.shape = {2, 1, 1, 2}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO,  CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_MINUS_ZERO, CNN_SPEC_NAN,  CNN_SPEC_MINUS_INFINITY, 4,
        }},
        .y = {.shape = {2, 2}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO,  CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dx = {.shape = {2, 1, 1, 2}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_MINUS_ZERO, CNN_SPEC_NAN,  CNN_SPEC_MINUS_INFINITY, 4,
        }},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_flatten_bugs[] = {
    {"xx..", "flatten.channels-last",
     "features are in the order h, w, c"},
    {"xx..", "flatten.columns-first",
     "every channel is read column by column"},
    {".xxx", "flatten.batch-last",
     "numbers are laid out entry by entry last, under the right shape"},
    {".xxx", "flatten.one-row",
     "the whole batch is one row"},
    {"xx.x", "flatten.dx-flat",
     "dx keeps the shape of dy"},
    {"xxxx", "flatten.dx-zero",
     "no gradient passes"},
};

static const cnn_spec_layer cnn_spec_flatten = {
    .name = "flatten",
    .products = false,
    .case_count = 4,
    .cases = cnn_spec_flatten_cases,
    .bug_count = 6,
    .bugs = cnn_spec_flatten_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_flatten(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_flatten, forward, backward);
}

#endif
