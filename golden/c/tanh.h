/*
 * The cases of golden/tanh.json that are exact in float32. Written by `npm run golden`.
 *
 *   cnn_spec_check_tanh(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
 * Left out: document, hostile, saturated, far, near-zero: numbers that have to be rounded, or are no multiples of 1/64;
 * the 2 calls that must be errors; with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole.
 */
#ifndef CNN_SPEC_TANH_H
#define CNN_SPEC_TANH_H

#include "cnn_spec.h"

#ifdef CNN_SPEC_INT32
#error "tanh has no cases for int32_t"
#endif

static const cnn_spec_case cnn_spec_tanh_cases[] = {
    {
        .id = "tanh/special",
        .title = "NaN stays NaN; −0 stays −0; ±∞ become ±1",
        .signed_zeros = true,
        .x = {.shape = {4}, .unit = 1, .data = (const int16_t[]){
            CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, CNN_SPEC_INFINITY, CNN_SPEC_MINUS_INFINITY,
        }},
        .dy = {.shape = {4}, .unit = 1, .data = (const int16_t[]){1, 2, 3, 4}},
        .y = {.shape = {4}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, CNN_SPEC_MINUS_ZERO, 1, -1}},
        .dx = {.shape = {4}, .unit = 1, .data = (const int16_t[]){CNN_SPEC_NAN, 2, 0, 0}},
    },
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_tanh_bugs[] = {
    {"x", "tanh.quotient-overflow",
     "the quotient as it is written: NaN beyond 709, and few digits near 0"},
    {"x", "tanh.quotient-of-squares",
     "(e²ˣ − 1) / (e²ˣ + 1): NaN beyond 354, and few digits near 0"},
    {"x", "tanh.fast",
     "a quotient of polynomials that is right to two digits"},
    {"x", "tanh.dropped",
     "y is x: the function is computed elsewhere, and not used"},
    {"x", "tanh.squared-twice",
     "the slope is taken at y as if it were x"},
    {"x", "tanh.slope-lost",
     "dy passes as if the slope were 1"},
    {"x", "tanh.slope-not-squared",
     "the slope is 1 − y"},
};

static const cnn_spec_layer cnn_spec_tanh = {
    .name = "tanh",
    .products = false,
    .case_count = 1,
    .cases = cnn_spec_tanh_cases,
    .bug_count = 7,
    .bugs = cnn_spec_tanh_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_tanh(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_tanh, forward, backward);
}

#endif
