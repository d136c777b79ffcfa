/*
 * The cases of golden/meanSquaredError.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_meanSquaredError(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: hostile, probabilities: numbers that have to be rounded, or are no multiples of 1/64; the 5 calls that must
 * be errors; with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole.
 */
#ifndef CNN_SPEC_MEANSQUAREDERROR_H
#define CNN_SPEC_MEANSQUAREDERROR_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "meanSquaredError has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_meanSquaredError_cases[] = {
    {
        .id = "meanSquaredError/eight",
        .title = "the mean over eight squares",
        .x = {.shape = {2, 4}, .unit = 4, .data = (const int16_t[]){4, -8, 2, 12,  -6, 8, 1, -16}},
        .target = {.shape = {2, 4}, .unit = 4, .data = (const int16_t[]){2, 4, 2, -8,  -6, 16, 3, -12}},
        .dy = {.shape = {0}, .unit = 1, .data = (const int16_t[]){-3}},
        .y = {.shape = {0}, .unit = 16, .data = (const int16_t[]){79}},
        .dx = {.shape = {2, 4}, .unit = 8, .data = (const int16_t[]){-3, 18, 0, -30,  0, 12, 3, 6}},
    },
    {
        .id = "meanSquaredError/scalar",
        .title = "a scalar: its own square",
        .x = {.shape = {0}, .unit = 1, .data = (const int16_t[]){3}},
        .target = {.shape = {0}, .unit = 4, .data = (const int16_t[]){5}},
        .dy = {.shape = {0}, .unit = 1, .data = (const int16_t[]){-2}},
        .y = {.shape = {0}, .unit = 16, .data = (const int16_t[]){49}},
        .dx = {.shape = {0}, .unit = 1, .data = (const int16_t[]){-7}},
    },
    {
        .id = "meanSquaredError/right",
        .title = "what is right costs nothing",
        .x = {.shape = {3, 2}, .unit = 2, .data = (const int16_t[]){2, -4,  1, 6,  -3, 4}},
        .target = {.shape = {3, 2}, .unit = 2, .data = (const int16_t[]){2, -4,  1, 6,  -3, 4}},
        .dy = {.shape = {0}, .unit = 1, .data = (const int16_t[]){5}},
        .y = {.shape = {0}, .unit = 1, .data = (const int16_t[]){0}},
        .dx = {.shape = {3, 2}, .unit = 1, .data = (const int16_t[]){0, 0,  0, 0,  0, 0}},
    },
    {
        .id = "meanSquaredError/nan",
        .title = "one NaN makes y NaN, and no other dx",
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, 1, 3, 5}},
        .target = {.shape = {4}, .unit = 1, .data = (const int16_t[]){0, 1, 1, 1}},
        .dy = {.shape = {0}, .unit = 1, .data = (const int16_t[]){2}},
        .y = {.shape = {0}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN}},
        .dx = {.shape = {4}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, 0, 2, 4}},
    },
    {
        .id = "meanSquaredError/infinite",
        .title = "one ∞ makes y ∞, and no other dx",
        .x = {.shape = {2}, .unit = 1, .data = (const int16_t[]){1, CNN_SPEC_MINUS_INFINITY}},
        .target = {.shape = {2}, .unit = 1, .data = (const int16_t[]){-1, 0}},
        .dy = {.shape = {0}, .unit = 1, .data = (const int16_t[]){3}},
        .y = {.shape = {0}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_INFINITY}},
        .dx = {.shape = {2}, .unit = 1, .data = (const int16_t[]){6, CNN_SPEC_MINUS_INFINITY}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_meanSquaredError_bugs[] = {
    {"x....", "meanSquaredError.sum",
     "y is the sum of the squares"},
    {"xx...", "meanSquaredError.half",
     "y is half the mean"},
    {"x....", "meanSquaredError.per-row",
     "the sum is divided by the rows of the batch only"},
    {"xx...", "meanSquaredError.root",
     "y is the root of the mean"},
    {"xx...", "meanSquaredError.absolute",
     "y is the mean of the distances"},
    {"....x", "meanSquaredError.expanded",
     "x² − 2x·t + t² in the place of the square: it cancels far from 0"},
    {"xx.xx", "meanSquaredError.dx-half",
     "the slope of a square lacks its 2"},
    {"x....", "meanSquaredError.dx-per-row",
     "backward divides by the rows of the batch only"},
    {"x..xx", "meanSquaredError.dx-sum",
     "backward does not divide"},
    {"xx.xx", "meanSquaredError.dx-sign",
     "dx points the other way"},
    {"xx.xx", "meanSquaredError.dy-ignored",
     "dy counts as 1"},
    {"x....", "meanSquaredError.dx-integer",
     "gradients are kept as integers"},
};

static const cnn_spec_layer cnn_spec_meanSquaredError = {
    .name = "meanSquaredError",
    .products = false,
    .case_count = 5,
    .cases = cnn_spec_meanSquaredError_cases,
    .bug_count = 12,
    .bugs = cnn_spec_meanSquaredError_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_meanSquaredError(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_meanSquaredError, forward, backward);
}

#endif
