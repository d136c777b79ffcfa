/*
 * The cases of golden/dropout.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_dropout(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: quarter, hostile: numbers that have to be rounded, or are no multiples of 1/64; the 8 calls that must be
 * errors; with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole.
 */
#ifndef CNN_SPEC_DROPOUT_H
#define CNN_SPEC_DROPOUT_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "dropout has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_dropout_cases[] = {
    {
        .id = "dropout/document",
        .title = "p = ½: what is kept counts double",
        .p = 0.5,
        .x = {.shape = {1, 4}, .unit = 2, .data = (const int16_t[]){2, -4, 6, 1}},
        .mask = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 0, 1, 1}},
        .dy = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 1, 1, 1}},
        .y = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){2, 0, 6, 1}},
        .dx = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){2, 0, 2, 2}},
    },
    {
        .id = "dropout/pixels",
        .title = "a mask for every pixel, four axes of distinct sizes",
        .p = 0.75,
        .x = {.shape = {2, 3, 4, 5}, .unit = 8, .data = (const int16_t[]){
            -43, -26, 5, -47, 12,  -12, -22, -18, 0, 32,  -19, 41, 18, 9, 14,  33, -31, 16, -20, -42,
            47, -44, -24, 10, -39,  23, 2, -5, 2, 23,  -39, 10, -24, -44, 47,  -42, -20, 16, -31, 33,
            14, 9, 18, 41, -19,  32, 0, -18, -22, -12,  12, -47, 5, -26, -43,  -46, -35, -10, 29, -15,
            -45, 36, 34, 46, -25,  15, -28, 40, 25, 24,  37, -33, 8, -34, 35,  21, 21, 35, -34, 8,
            -33, 37, 24, 25, 40,  -28, 15, -25, 46, 34,  36, -45, -15, 29, -10,  -35, -46, -43, -26, 5,
            -47, 12, -12, -22, -18,  0, 32, -19, 41, 18,  9, 14, 33, -31, 16,  -20, -42, 47, -44, -24,
        }},
        .mask = {.shape = {2, 3, 4, 5}, .unit = 1, .data = (const int16_t[]){
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
            1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,  1, 1, 0, 0, 0,
        }},
        .dy = {.shape = {2, 3, 4, 5}, .unit = 16, .data = (const int16_t[]){
            -39, -15, 31, 2, -5,  10, 47, 9, -7, -1,  27, -20, -45, -48, -29,  12, -22, -34, -24, 8,
            -35, 41, 42, -32, 13,  -17, -25, -11, 25, -14,  -31, -26, 1, -47, 24,  20, 38, -19, 43, 30,
            39, -27, 26, 4, 4,  26, -27, 39, 30, 43,  -19, 38, 20, 24, -47,  1, -26, -31, -14, 25,
            -11, -25, -17, 13, -32,  42, 41, -35, 8, -24,  -34, -22, 12, -29, -48,  -45, -20, 27, -1, -7,
            9, 47, 10, -5, 2,  31, -15, -39, -41, -21,  21, -12, -23, -12, 21,  -21, -41, -39, -15, 31,
            2, -5, 10, 47, 9,  -7, -1, 27, -20, -45,  -48, -29, 12, -22, -34,  -24, 8, -35, 41, 42,
        }},
        .y = {.shape = {2, 3, 4, 5}, .unit = 2, .data = (const int16_t[]){
            -43, -26, 0, 0, 0,  -12, -22, 0, 0, 0,  -19, 41, 0, 0, 0,  33, -31, 0, 0, 0,
            47, -44, 0, 0, 0,  23, 2, 0, 0, 0,  -39, 10, 0, 0, 0,  -42, -20, 0, 0, 0,
            14, 9, 0, 0, 0,  32, 0, 0, 0, 0,  12, -47, 0, 0, 0,  -46, -35, 0, 0, 0,
            -45, 36, 0, 0, 0,  15, -28, 0, 0, 0,  37, -33, 0, 0, 0,  21, 21, 0, 0, 0,
            -33, 37, 0, 0, 0,  -28, 15, 0, 0, 0,  36, -45, 0, 0, 0,  -35, -46, 0, 0, 0,
            -47, 12, 0, 0, 0,  0, 32, 0, 0, 0,  9, 14, 0, 0, 0,  -20, -42, 0, 0, 0,
        }},
        .dx = {.shape = {2, 3, 4, 5}, .unit = 4, .data = (const int16_t[]){
            -39, -15, 0, 0, 0,  10, 47, 0, 0, 0,  27, -20, 0, 0, 0,  12, -22, 0, 0, 0,
            -35, 41, 0, 0, 0,  -17, -25, 0, 0, 0,  -31, -26, 0, 0, 0,  20, 38, 0, 0, 0,
            39, -27, 0, 0, 0,  26, -27, 0, 0, 0,  -19, 38, 0, 0, 0,  1, -26, 0, 0, 0,
            -11, -25, 0, 0, 0,  42, 41, 0, 0, 0,  -34, -22, 0, 0, 0,  -45, -20, 0, 0, 0,
            9, 47, 0, 0, 0,  31, -15, 0, 0, 0,  21, -12, 0, 0, 0,  -21, -41, 0, 0, 0,
            2, -5, 0, 0, 0,  -7, -1, 0, 0, 0,  -48, -29, 0, 0, 0,  -24, 8, 0, 0, 0,
        }},
    },
    {
        .id = "dropout/channels",
        .title = "a mask for every channel of an image, (N, C, 1, 1)",
        .p = 0.5,
        .x = {.shape = {2, 3, 4, 5}, .unit = 8, .data = (const int16_t[]){
            -43, -26, 5, -47, 12,  -12, -22, -18, 0, 32,  -19, 41, 18, 9, 14,  33, -31, 16, -20, -42,
            47, -44, -24, 10, -39,  23, 2, -5, 2, 23,  -39, 10, -24, -44, 47,  -42, -20, 16, -31, 33,
            14, 9, 18, 41, -19,  32, 0, -18, -22, -12,  12, -47, 5, -26, -43,  -46, -35, -10, 29, -15,
            -45, 36, 34, 46, -25,  15, -28, 40, 25, 24,  37, -33, 8, -34, 35,  21, 21, 35, -34, 8,
            -33, 37, 24, 25, 40,  -28, 15, -25, 46, 34,  36, -45, -15, 29, -10,  -35, -46, -43, -26, 5,
            -47, 12, -12, -22, -18,  0, 32, -19, 41, 18,  9, 14, 33, -31, 16,  -20, -42, 47, -44, -24,
        }},
        .mask = {.shape = {2, 3, 1, 1}, .unit = 1, .data = (const int16_t[]){1, 0, 0, 1, 1, 0}},
        .dy = {.shape = {2, 3, 4, 5}, .unit = 16, .data = (const int16_t[]){
            -39, -15, 31, 2, -5,  10, 47, 9, -7, -1,  27, -20, -45, -48, -29,  12, -22, -34, -24, 8,
            -35, 41, 42, -32, 13,  -17, -25, -11, 25, -14,  -31, -26, 1, -47, 24,  20, 38, -19, 43, 30,
            39, -27, 26, 4, 4,  26, -27, 39, 30, 43,  -19, 38, 20, 24, -47,  1, -26, -31, -14, 25,
            -11, -25, -17, 13, -32,  42, 41, -35, 8, -24,  -34, -22, 12, -29, -48,  -45, -20, 27, -1, -7,
            9, 47, 10, -5, 2,  31, -15, -39, -41, -21,  21, -12, -23, -12, 21,  -21, -41, -39, -15, 31,
            2, -5, 10, 47, 9,  -7, -1, 27, -20, -45,  -48, -29, 12, -22, -34,  -24, 8, -35, 41, 42,
        }},
        .y = {.shape = {2, 3, 4, 5}, .unit = 4, .data = (const int16_t[]){
            -43, -26, 5, -47, 12,  -12, -22, -18, 0, 32,  -19, 41, 18, 9, 14,  33, -31, 16, -20, -42,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
            -45, 36, 34, 46, -25,  15, -28, 40, 25, 24,  37, -33, 8, -34, 35,  21, 21, 35, -34, 8,
            -33, 37, 24, 25, 40,  -28, 15, -25, 46, 34,  36, -45, -15, 29, -10,  -35, -46, -43, -26, 5,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
        }},
        .dx = {.shape = {2, 3, 4, 5}, .unit = 8, .data = (const int16_t[]){
            -39, -15, 31, 2, -5,  10, 47, 9, -7, -1,  27, -20, -45, -48, -29,  12, -22, -34, -24, 8,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
            -11, -25, -17, 13, -32,  42, 41, -35, 8, -24,  -34, -22, 12, -29, -48,  -45, -20, 27, -1, -7,
            9, 47, 10, -5, 2,  31, -15, -39, -41, -21,  21, -12, -23, -12, 21,  -21, -41, -39, -15, 31,
            0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,  0, 0, 0, 0, 0,
        }},
    },
    {
        .id = "dropout/nothing",
        .title = "p = 0 changes nothing that is kept",
        .p = 0,
        .x = {.shape = {1, 4}, .unit = 2, .data = (const int16_t[]){2, -4, 6, 1}},
        .mask = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 1, 1, 1}},
        .dy = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 2, -3, 4}},
        .y = {.shape = {1, 4}, .unit = 2, .data = (const int16_t[]){2, -4, 6, 1}},
        .dx = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 2, -3, 4}},
    },
    {
        .id = "dropout/everything",
        .title = "p = 1 gives zeros, whatever the mask, and no x / 0",
        .p = 1,
        .x = {.shape = {1, 4}, .unit = 2, .data = (const int16_t[]){2, -4, 6, 1}},
        .mask = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 0, 1, 0}},
        .dy = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 2, -3, 4}},
        .y = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){0, 0, 0, 0}},
        .dx = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){0, 0, 0, 0}},
    },
    {
        .id = "dropout/special",
        .title = "NaN and ∞ that are left out are 0",
        .p = 0.5,
        .x = {.shape = {1, 6}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY, CNN_SPEC_NAN, CNN_SPEC_INFINITY, -1,
        }},
        .mask = {.shape = {1, 6}, .unit = 1, .data = (const int16_t[]){0, 0, 0, 1, 1, 0}},
        .dy = {.shape = {1, 6}, .unit = 1, .data = (const int16_t[]){1, 2, 3, 4, 5, 6}},
        .y = {.shape = {1, 6}, .unit = 1, .data = (const int16_t[]){0, 0, 0, CNN_SPEC_NAN, CNN_SPEC_INFINITY, 0}},
        .dx = {.shape = {1, 6}, .unit = 1, .data = (const int16_t[]){0, 0, 0, 8, 10, 0}},
    },
    {
        .id = "dropout/defaults",
        .title = "p left out: ½",
        .p = 0.5,
        .x = {.shape = {1, 4}, .unit = 2, .data = (const int16_t[]){2, -4, 6, 1}},
        .mask = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 0, 1, 1}},
        .dy = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){1, 2, -3, 4}},
        .y = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){2, 0, 6, 1}},
        .dx = {.shape = {1, 4}, .unit = 1, .data = (const int16_t[]){2, 0, -6, 8}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_dropout_bugs[] = {
    {"xxx...x", "dropout.unscaled",
     "what is kept is not made larger"},
    {".x.x...", "dropout.scaled-by-p",
     "what is kept is divided by p"},
    {"xxx...x", "dropout.scaled-twice",
     "what is kept is divided by 1 − p twice"},
    {"xxx...x", "dropout.scaled-for-inference",
     "what is kept is multiplied by 1 − p, as the paper does in inference"},
    {"xxx..xx", "dropout.nothing-left-out",
     "nothing is left out, and everything scaled"},
    {"xxxx.xx", "dropout.mask-inverted",
     "what the mask keeps is left out"},
    {"..x....", "dropout.one-mask-per-batch",
     "the mask of the first image serves all"},
    {"..x....", "dropout.mask-batch-channel-swapped",
     "the mask is read with batch and channels in each other’s place"},
    {".x.....", "dropout.one-mask-number-per-channel",
     "the first number of a channel’s mask decides for all its pixels"},
    {"...x...", "dropout.mask-of-an-earlier-call",
     "the first mask of a shape is used again"},
    {".....x.", "dropout.multiplied",
     "x is multiplied by the mask: an infinite number left out gives NaN"},
    {"....x..", "dropout.all-left-out-divided",
     "with p = 1 what the mask keeps is divided by 0"},
    {"xxx..xx", "dropout.dx-unscaled",
     "dx is not made larger"},
    {"..x....", "dropout.dx-other-mask",
     "dx takes the mask of another image"},
    {"xxx..xx", "dropout.dx-unmasked",
     "the gradient reaches also what was left out"},
    {".xxx.xx", "dropout.dy-ignored",
     "dy counts as ones"},
};

static const cnn_spec_layer cnn_spec_dropout = {
    .name = "dropout",
    .products = false,
    .case_count = 7,
    .cases = cnn_spec_dropout_cases,
    .bug_count = 16,
    .bugs = cnn_spec_dropout_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_dropout(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_dropout, forward, backward);
}

#endif
