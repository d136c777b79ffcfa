import { flattenShape } from '../naive/flatten.ts';
import { copy, reshape } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** The same numbers in shape (N, D). */
export function flatten(x: Tensor, options: NoOptions = {}): Tensor {
  return copy(reshape(x, flattenShape(x, options)));
}

/** The same numbers in the shape of x. */
export function flattenBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('flattenBackward: dy', dy, flattenShape(x, options));
  return { dx: copy(reshape(dy, x.shape)) };
}
