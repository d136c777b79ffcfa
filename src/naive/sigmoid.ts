import { dims, knownOptions, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The logistic function: every number as a probability.
 *
 *     y[i] = 1 / (1 + exp −x[i])
 *
 * computed as 1 / (1 + e) for x ≥ 0 and e / (1 + e) for x < 0, e = exp −|x[i]|: nothing overflows. NaN stays NaN.
 *
 *     x, y    any shape
 *
 * @throws RangeError if x has not as many numbers as its shape says
 * @see Rumelhart, Hinton & Williams, Learning representations by back-propagating errors, Nature 323, 1986
 */
export function sigmoid(x: Tensor, options: NoOptions = {}): Tensor {
  sigmoidShape(x, options);
  const y = (value: number) => {
    const e = Math.exp(-Math.abs(value));
    return value >= 0 ? 1 / (1 + e) : e / (1 + e);
  };
  return { shape: x.shape, data: x.data.map(y) };
}

/** dx = dy · e / (1 + e)². That is dy·y·(1 − y), but does not cancel: at x = 40 y rounds to 1, its slope not to 0. */
export function sigmoidBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  dims('sigmoidBackward: dy', dy, sigmoidShape(x, options));
  const slope = (value: number) => {
    const e = Math.exp(-Math.abs(value));
    return e / ((1 + e) * (1 + e));
  };
  return { dx: { shape: x.shape, data: x.data.map((value, i) => dy.data[i] * slope(value)) } };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function sigmoidShape(x: Tensor, options: NoOptions) {
  knownOptions('sigmoid', options, []);
  return dims('sigmoid: x', x, x?.shape);
}
