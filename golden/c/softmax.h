/*
 * The cases of golden/softmax.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_softmax(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: rows, document-10x4, overflow, nearly-certain, hostile, first-logit-least: numbers that have to be rounded,
 * or are no multiples of 1/64; the 4 calls that must be errors; with CNN_SPEC_INT32 everything: the numbers between x
 * and y do not stay whole.
 */
#ifndef CNN_SPEC_SOFTMAX_H
#define CNN_SPEC_SOFTMAX_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "softmax has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_softmax_cases[] = {
    {
        .id = "softmax/minus-infinity",
        .title = "a logit of −∞ has no share",
        .x = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){0, CNN_SPEC_MINUS_INFINITY, 0}},
        .dy = {.shape = {1, 3}, .unit = 1, .data = (const int16_t[]){1, 2, 4}},
        .y = {.shape = {1, 3}, .unit = 2, .data = (const int16_t[]){1, 0, 1}},
        .dx = {.shape = {1, 3}, .unit = 4, .data = (const int16_t[]){-3, 0, 3}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_softmax_bugs[] = {
    {"x", "softmax.along-batch",
     "columns add up to 1, not rows"},
    {"x", "softmax.dx-diagonal",
     "y·(1 − y)·dy: the other classes of the row are forgotten"},
    {"x", "softmax.dx-combined",
     "y − dy, as if dy were the target of a cross-entropy"},
    {"x", "softmax.dx-plain-mean",
     "dy is freed of its plain mean, not of that under y"},
};

static const cnn_spec_layer cnn_spec_softmax = {
    .name = "softmax",
    .products = false,
    .case_count = 1,
    .cases = cnn_spec_softmax_cases,
    .bug_count = 4,
    .bugs = cnn_spec_softmax_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_softmax(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_softmax, forward, backward);
}

#endif
