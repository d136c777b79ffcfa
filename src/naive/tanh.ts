import { dims, knownOptions, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The hyperbolic tangent: every number squashed into [−1, 1].
 *
 *     y[i] = tanh x[i] = (exp x[i] − exp −x[i]) / (exp x[i] + exp −x[i])
 *
 * NaN stays NaN; −0 stays −0.
 *
 *     x, y    any shape
 *
 * @throws RangeError if x has not as many numbers as its shape says
 * @see LeCun, Bottou, Orr & Müller, Efficient BackProp, 1998, section 4.4
 */
export function tanh(x: Tensor, options: NoOptions = {}): Tensor {
  tanhShape(x, options);
  return { shape: x.shape, data: x.data.map((value) => Math.tanh(value)) };
}

/**
 * dx = dy · sech² x, where sech x = 1 / cosh x. That is dy·(1 − y²), but does not cancel: at x = 20 y rounds to 1, its
 * slope not to 0.
 */
export function tanhBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  dims('tanhBackward: dy', dy, tanhShape(x, options));
  const sech = (value: number) => 1 / Math.cosh(value);
  return { dx: { shape: x.shape, data: x.data.map((value, i) => dy.data[i] * sech(value) * sech(value)) } };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function tanhShape(x: Tensor, options: NoOptions) {
  knownOptions('tanh', options, []);
  return dims('tanh: x', x, x?.shape);
}
