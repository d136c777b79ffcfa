/*
 * The cases of golden/globalAvgPool2d.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_globalAvgPool2d(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: hostile: numbers that have to be rounded, or are no multiples of 1/64; the 3 calls that must be errors;
 * with CNN_SPEC_INT32 special: NaN, infinity or -0.
 */
#ifndef CNN_SPEC_GLOBALAVGPOOL2D_H
#define CNN_SPEC_GLOBALAVGPOOL2D_H

#include "cnn_spec.h"

static const cnn_spec_case cnn_spec_globalAvgPool2d_cases[] = {
    {
        .id = "globalAvgPool2d/document",
        .title = "2×2 pixels",
        .x = {.shape = {2, 3, 2, 2}, .unit = 8, .data = (const int16_t[]){
            -4, -1,  2, 5,  -3, 0,  3, -5,  -2, 1,  4, -4,  -1, 2,  5, -3,  0, 3,  -5, -2,  1, 4,  -4, -1,
        }},
        .dy = {.shape = {2, 3}, .unit = 8, .data = (const int16_t[]){1, 5, -2,  2, -5, -1}},
        .y = {.shape = {2, 3}, .unit = 32, .data = (const int16_t[]){2, -5, -1,  3, -4, 0}},
        .dx = {.shape = {2, 3, 2, 2}, .unit = 32, .data = (const int16_t[]){
            1, 1,  1, 1,  5, 5,  5, 5,  -2, -2,  -2, -2,  2, 2,  2, 2,  -5, -5,  -5, -5,  -1, -1,  -1, -1,
        }},
    },
    {
        .id = "globalAvgPool2d/special",
        .title = "NaN and ∞ stay in their channel",
        .float_only = true,
        .x = {.shape = {1, 3, 1, 2}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, 1,  CNN_SPEC_INFINITY, 2,  3, 5,
        }},
        .dy = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3}},
        .y = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, CNN_SPEC_INFINITY, 4}},
        .dx = {.shape = {1, 3, 1, 2}, .unit = 2, .data = (const int16_t[]){1, 1,  2, 2,  3, 3}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_globalAvgPool2d_bugs[] = {
    {"xx", "globalAvgPool2d.sum",
     "y is the sum of the pixels"},
    {"x.", "globalAvgPool2d.batch-pooled",
     "the mean is taken over the batch too"},
    {".x", "globalAvgPool2d.divided-by-square",
     "the sum is divided by the height squared"},
    {"x.", "globalAvgPool2d.last-row-lost",
     "the last row is left out, and counted"},
    {"xx", "globalAvgPool2d.channels-last",
     "images are read as (N, H, W, C)"},
    {"xx", "globalAvgPool2d.sum-carried-on",
     "the sum of a channel starts from the mean of the channel before"},
    {".x", "globalAvgPool2d.nan-left-out",
     "NaN counts as 0"},
    {"xx", "globalAvgPool2d.dx-undivided",
     "every pixel gets the whole dy"},
    {".x", "globalAvgPool2d.dx-divided-by-square",
     "dx is divided by the width squared"},
    {"x.", "globalAvgPool2d.dx-divided-by-batch",
     "dx is divided by the size of the batch as well"},
    {"x.", "globalAvgPool2d.dy-first-image",
     "dy of the first image serves all"},
    {"xx", "globalAvgPool2d.dy-ignored",
     "dy counts as ones"},
};

static const cnn_spec_layer cnn_spec_globalAvgPool2d = {
    .name = "globalAvgPool2d",
    .products = false,
    .case_count = 2,
    .cases = cnn_spec_globalAvgPool2d_cases,
    .bug_count = 12,
    .bugs = cnn_spec_globalAvgPool2d_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_globalAvgPool2d(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_globalAvgPool2d, forward, backward);
}

#endif
