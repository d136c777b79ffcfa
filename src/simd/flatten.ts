import { flattenShape } from '../naive/flatten.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, put, take } from './kernels.ts';

export function flatten(x: Tensor, options: NoOptions = {}): Tensor {
  const shape = flattenShape(x, options);
  clear();
  return take(put(x), shape);
}

export function flattenBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('flattenBackward: dy', dy, flattenShape(x, options));
  clear();
  return { dx: take(put(dy), x.shape) };
}
