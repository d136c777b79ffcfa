import { dims, knownOptions, size, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * Every batch entry as one row, in reading order: channel by channel, row by row.
 *
 *     y[n, ((c·H) + h)·W + w] = x[n,c,h,w]
 *
 *     x (N, …)    y (N, D)    D: the product of the other sizes
 *
 * @throws RangeError if x has fewer than two axes
 */
export function flatten(x: Tensor, options: NoOptions = {}): Tensor {
  return { shape: flattenShape(x, options), data: x.data.slice() };
}

/** Every dy goes back to where its x was. */
export function flattenBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  dims('flattenBackward: dy', dy, flattenShape(x, options));
  return { dx: { shape: x.shape, data: dy.data.slice() } };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function flattenShape(x: Tensor, options: NoOptions): readonly [N: number, D: number] {
  knownOptions('flatten', options, []);
  const [N, ...others] = dims('flatten: x', x, ['N', '…']);
  return [N, size(others)];
}
