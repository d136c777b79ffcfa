import { flattenShape } from '../naive/flatten.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, put, take } from './kernels.ts';

/** Tensors are in reading order already: the numbers stay where they are, rounded to float32. */
export function flatten(x: Tensor, options: NoOptions = {}): Tensor {
  const shape = flattenShape(x, options);
  clear();
  return take(put(x), shape);
}

/** Every dy goes back to where its x was. */
export function flattenBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('flattenBackward: dy', dy, flattenShape(x, options));
  clear();
  return { dx: take(put(dy), x.shape) };
}
