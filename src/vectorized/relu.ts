import { reluShape } from '../naive/relu.ts';
import { map, zip } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = max(0, x) */
export function relu(x: Tensor, options: NoOptions = {}): Tensor {
  reluShape(x, options);
  return map(x, (value) => Math.max(0, value));
}

/** dx = 0 where x ≤ 0, else dy. */
export function reluBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('reluBackward: dy', dy, reluShape(x, options));
  return { dx: zip(dy, x, (slope, value) => (value <= 0 ? 0 : slope)) };
}
