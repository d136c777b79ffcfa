import { dims, knownOptions, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The rectifier: what is negative becomes 0.
 *
 *     y[i] = max(0, x[i])
 *
 * NaN stays NaN; −0 becomes 0.
 *
 *     x, y    any shape
 *
 * @throws RangeError if x has not as many numbers as its shape says
 * @see Nair & Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010
 */
export function relu(x: Tensor, options: NoOptions = {}): Tensor {
  reluShape(x, options);
  return { shape: x.shape, data: x.data.map((value) => Math.max(0, value)) };
}

/** dy passes unless x ≤ 0: the slope at 0 is 0, and NaN lets dy pass, as a NaN that wins a max-pool does. */
export function reluBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  dims('reluBackward: dy', dy, reluShape(x, options));
  return { dx: { shape: x.shape, data: dy.data.map((slope, i) => (x.data[i] <= 0 ? 0 : slope)) } };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function reluShape(x: Tensor, options: NoOptions) {
  knownOptions('relu', options, []);
  return dims('relu: x', x, x?.shape);
}
