import { between, dims, knownOptions, type Tensor } from '../tensor.ts';

/**
 * The leaky rectifier: what is negative becomes small.
 *
 *     y[i] = x[i] where x[i] > 0, else negativeSlope · x[i]
 *
 * NaN stays NaN; −0 stays −0.
 *
 *     x, y    any shape
 *
 * @throws RangeError if x has not as many numbers as its shape says, or an option does not fit
 * @see Maas, Hannun & Ng, Rectifier nonlinearities improve neural network acoustic models, ICML 2013
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  const { negativeSlope } = leakyReluShape(x, options);
  return { shape: x.shape, data: x.data.map((value) => (value > 0 ? value : negativeSlope * value)) };
}

/** dy passes, times negativeSlope where x ≤ 0: that is the slope at 0 too, and NaN lets dy pass, as in relu. */
export function leakyReluBackward(dy: Tensor, x: Tensor, options: LeakyReluOptions = {}): { dx: Tensor } {
  const { shape, negativeSlope } = leakyReluShape(x, options);
  dims('leakyReluBackward: dy', dy, shape);
  return { dx: { shape, data: dy.data.map((slope, i) => (x.data[i] <= 0 ? negativeSlope * slope : slope)) } };
}

export interface LeakyReluOptions {
  /** The slope for x ≤ 0, a number ≥ 0. Default 0.01. */
  readonly negativeSlope?: number;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function leakyReluShape(x: Tensor, options: LeakyReluOptions) {
  knownOptions('leakyRelu', options, ['negativeSlope']);
  const { negativeSlope = 0.01 } = options;
  between('leakyRelu: negativeSlope', negativeSlope, 0);
  return { shape: dims('leakyRelu: x', x, x?.shape), negativeSlope };
}
