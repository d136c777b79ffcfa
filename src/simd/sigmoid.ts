import { sigmoidShape } from '../naive/sigmoid.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

/** y = 1 / (1 + exp −x) */
export function sigmoid(x: Tensor, options: NoOptions = {}): Tensor {
  sigmoidShape(x, options);
  return elementwise('sigmoid', [x]);
}

/** dx = dy · e / (1 + e)², e = exp −|x| */
export function sigmoidBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('sigmoidBackward: dy', dy, sigmoidShape(x, options));
  return { dx: elementwise('sigmoidBackward', [dy, x]) };
}
