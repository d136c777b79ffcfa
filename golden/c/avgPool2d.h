/*
 * The cases of golden/avgPool2d.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_avgPool2d(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: k3s1, include-pad, exclude-pad, hostile, hostile-exclude: numbers that have to be rounded, or are no
 * multiples of 1/64; the 9 calls that must be errors; with CNN_SPEC_INT32 special: NaN, infinity or -0.
 */
#ifndef CNN_SPEC_AVGPOOL2D_H
#define CNN_SPEC_AVGPOOL2D_H

#include "cnn_spec.h"

static const cnn_spec_case cnn_spec_avgPool2d_cases[] = {
    {
        .id = "avgPool2d/k2s2",
        .title = "2×2 windows side by side",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 0, .bottom = 0, .left = 0, .right = 0},
        .ceil_mode = false,
        .count_include_pad = true,
        .x = {.shape = {1, 1, 4, 4}, .unit = 1, .data = (const int16_t[]){
            1, 3, 2, 1,  4, 6, 5, 2,  3, 1, 7, 4,  8, 2, 3, 6,
        }},
        .dy = {.shape = {1, 1, 2, 2}, .unit = 1, .data = (const int16_t[]){1, 2,  3, 4}},
        .y = {.shape = {1, 1, 2, 2}, .unit = 2, .data = (const int16_t[]){7, 5,  7, 10}},
        .dx = {.shape = {1, 1, 4, 4}, .unit = 4, .data = (const int16_t[]){
            1, 1, 2, 2,  1, 1, 2, 2,  3, 3, 4, 4,  3, 3, 4, 4,
        }},
    },
    {
        .id = "avgPool2d/k2s1",
        .title = "2×2 windows that overlap",
        .kernel = {2, 2},
        .stride = {1, 1},
        .padding = {.top = 0, .bottom = 0, .left = 0, .right = 0},
        .ceil_mode = false,
        .count_include_pad = true,
        .x = {.shape = {1, 1, 4, 4}, .unit = 1, .data = (const int16_t[]){
            1, 3, 2, 1,  4, 6, 5, 2,  3, 1, 7, 4,  8, 2, 3, 6,
        }},
        .dy = {.shape = {1, 1, 3, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3,  4, 5, 6,  7, 8, 9}},
        .y = {.shape = {1, 1, 3, 3}, .unit = 4, .data = (const int16_t[]){14, 16, 10,  14, 19, 18,  14, 13, 20}},
        .dx = {.shape = {1, 1, 4, 4}, .unit = 4, .data = (const int16_t[]){
            1, 3, 5, 3,  5, 12, 16, 9,  11, 24, 28, 15,  7, 15, 17, 9,
        }},
    },
    {
        .id = "avgPool2d/ceil-overhang",
        .title = "ceil mode: what lies beyond the padding does not count, although padding does",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 1, .bottom = 0, .left = 1, .right = 0},
        .ceil_mode = true,
        .count_include_pad = true,
        .x = {.shape = {1, 1, 4, 6}, .unit = 1, .data = (const int16_t[]){
            8, 4, 2, 16, 32, 64,  1, 2, 4, 8, 16, 24,  40, 48, 56, 12, 20, 28,  36, 44, 52, 60, 68, 76,
        }},
        .dy = {.shape = {1, 1, 3, 4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, -4,  5, 6, -7, 8,  9, 10, -11, 12}},
        .y = {.shape = {1, 1, 3, 4}, .unit = 4, .data = (const int16_t[]){
            8, 6, 48, 128,  41, 110, 56, 104,  72, 192, 256, 304,
        }},
        .dx = {.shape = {1, 1, 4, 6}, .unit = 4, .data = (const int16_t[]){
            1, 2, 2, 3, 3, -8,  5, 6, 6, -7, -7, 16,  5, 6, 6, -7, -7, 16,  18, 20, 20, -22, -22, 48,
        }},
    },
    {
        .id = "avgPool2d/ceil-exclude",
        .title = "ceil mode, and padding does not count",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 1, .bottom = 0, .left = 1, .right = 0},
        .ceil_mode = true,
        .count_include_pad = false,
        .x = {.shape = {1, 1, 4, 6}, .unit = 1, .data = (const int16_t[]){
            8, 4, 2, 16, 32, 64,  1, 2, 4, 8, 16, 24,  40, 48, 56, 12, 20, 28,  36, 44, 52, 60, 68, 76,
        }},
        .dy = {.shape = {1, 1, 3, 4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, -4,  5, 6, -7, 8,  9, 10, -11, 12}},
        .y = {.shape = {1, 1, 3, 4}, .unit = 2, .data = (const int16_t[]){
            16, 6, 48, 128,  41, 55, 28, 52,  72, 96, 128, 152,
        }},
        .dx = {.shape = {1, 1, 4, 6}, .unit = 4, .data = (const int16_t[]){
            4, 4, 4, 6, 6, -16,  10, 6, 6, -7, -7, 16,  10, 6, 6, -7, -7, 16,  36, 20, 20, -22, -22, 48,
        }},
    },
    {
        .id = "avgPool2d/ceil-starts-at-end",
        .title = "ceil mode: a last window that would start where the image ends is left out, although padding follows",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 1, .bottom = 1, .left = 1, .right = 1},
        .ceil_mode = true,
        .count_include_pad = true,
        .x = {.shape = {1, 1, 3, 5}, .unit = 1, .data = (const int16_t[]){
            8, 4, 2, 16, 32,  64, 1, 2, 4, 8,  16, 24, 40, 48, 56,
        }},
        .dy = {.shape = {1, 1, 2, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3,  -4, 5, 6}},
        .y = {.shape = {1, 1, 2, 3}, .unit = 4, .data = (const int16_t[]){8, 6, 48,  80, 67, 116}},
        .dx = {.shape = {1, 1, 3, 5}, .unit = 4, .data = (const int16_t[]){
            1, 2, 2, 3, 3,  -4, 5, 5, 6, 6,  -4, 5, 5, 6, 6,
        }},
    },
    {
        .id = "avgPool2d/defaults",
        .title = "options left out: the stride is the kernel, no padding, no ceil mode, padding would count",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 0, .bottom = 0, .left = 0, .right = 0},
        .ceil_mode = false,
        .count_include_pad = true,
        .x = {.shape = {1, 2, 3, 5}, .unit = 8, .data = (const int16_t[]){
            -4, -1, 2, 5, -3,  0, 3, -5, -2, 1,  4, -4, -1, 2, 5,  -3, 0, 3, -5, -2,  1, 4, -4, -1, 2,  5, -3, 0, 3, -5,
        }},
        .dy = {.shape = {1, 2, 1, 2}, .unit = 1, .data = (const int16_t[]){1, 2,  -3, 4}},
        .y = {.shape = {1, 2, 1, 2}, .unit = 32, .data = (const int16_t[]){-2, 0,  2, -7}},
        .dx = {.shape = {1, 2, 3, 5}, .unit = 4, .data = (const int16_t[]){
            1, 1, 2, 2, 0,  1, 1, 2, 2, 0,  0, 0, 0, 0, 0,  -3, -3, 4, 4, 0,  -3, -3, 4, 4, 0,  0, 0, 0, 0, 0,
        }},
    },
    {
        .id = "avgPool2d/defaults-padded",
        .title = "countIncludePad left out: padding counts",
        .kernel = {2, 2},
        .stride = {2, 2},
        .padding = {.top = 1, .bottom = 1, .left = 1, .right = 1},
        .ceil_mode = false,
        .count_include_pad = true,
        .x = {.shape = {1, 1, 1, 1}, .unit = 1, .data = (const int16_t[]){4}},
        .dy = {.shape = {1, 1, 1, 1}, .unit = 1, .data = (const int16_t[]){8}},
        .y = {.shape = {1, 1, 1, 1}, .unit = 1, .data = (const int16_t[]){1}},
        .dx = {.shape = {1, 1, 1, 1}, .unit = 1, .data = (const int16_t[]){2}},
    },
    {
        .id = "avgPool2d/special",
        .title = "NaN and ∞ make their windows NaN and ∞, and no others",
        .kernel = {1, 2},
        .stride = {1, 2},
        .padding = {.top = 0, .bottom = 0, .left = 0, .right = 0},
        .ceil_mode = false,
        .count_include_pad = true,
        .float_only = true,
        .x = {.shape = {1, 1, 1, 6}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, 1, CNN_SPEC_INFINITY, 2, 3, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {1, 1, 1, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 3}},
        .y = {.shape = {1, 1, 1, 3}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dx = {.shape = {1, 1, 1, 6}, .unit = 2, .data = (const int16_t[]){1, 1, 2, 2, 3, 3}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_avgPool2d_bugs[] = {
    {"xxxxxxx.", "avgPool2d.sum",
     "y is the sum under each window"},
    {".xxxxxx.", "avgPool2d.image-mean",
     "the sum is divided by the number of places"},
    {"..xx....", "avgPool2d.first-count",
     "the divisor of the first window serves all"},
    {"..xx....", "avgPool2d.count-cached",
     "divisors are kept from call to call, by kernel and place alone"},
    {"..xxx.x.", "avgPool2d.border-repeated",
     "outside the image the nearest pixel is repeated"},
    {"xxxxxx..", "avgPool2d.integer",
     "the mean is an integer division"},
    {"..xxx.x.", "avgPool2d.count-inverted",
     "countIncludePad means its opposite"},
    {"..x.x.x.", "avgPool2d.padding-never-counts",
     "countIncludePad is ignored: padding never counts"},
    {"..x.....", "avgPool2d.overhang-counts",
     "what ceil mode adds beyond the padding counts too: the divisor is KH·KW"},
    {"..xx....", "avgPool2d.backward-divisor",
     "backward divides by KH·KW, forward by what counts"},
    {"xxxxxxxx", "avgPool2d.backward-undivided",
     "every pixel gets all of dy"},
    {"xxxxxxxx", "avgPool2d.backward-divided-twice",
     "backward divides twice"},
    {".x......", "avgPool2d.dx-assigned",
     "where windows overlap only the last counts"},
    {"xxxxxx.x", "avgPool2d.dx-integer",
     "gradients are kept as integers"},
    {"xxxxxxxx", "avgPool2d.dx-winner",
     "one pixel of the window gets the share, the others none"},
    {"..xxx.x.", "avgPool2d.dx-in-padded",
     "dx is placed by the rows and columns of the padded image"},
    {"..x.....", "avgPool2d.padding-not-symmetric",
     "the padding below is counted as that above"},
    {"..x.x.x.", "avgPool2d.padding-before-lost",
     "the padding above does not count"},
    {"..xx....", "avgPool2d.ceil-mode-ignored",
     "ceil mode floors"},
    {"....x...", "avgPool2d.ceil-keeps-last",
     "ceil mode keeps a last window that starts beyond the image: its mean is 0/0"},
};

static const cnn_spec_layer cnn_spec_avgPool2d = {
    .name = "avgPool2d",
    .products = false,
    .case_count = 8,
    .cases = cnn_spec_avgPool2d_cases,
    .bug_count = 20,
    .bugs = cnn_spec_avgPool2d_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_avgPool2d(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_avgPool2d, forward, backward);
}

#endif
