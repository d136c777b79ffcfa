import { reluShape } from '../naive/relu.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

/** y = max(0, x) */
export function relu(x: Tensor, options: NoOptions = {}): Tensor {
  reluShape(x, options);
  return elementwise('relu', [x]);
}

/** dx = dy, but 0 where x ≤ 0 */
export function reluBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('reluBackward: dy', dy, reluShape(x, options));
  return { dx: elementwise('reluBackward', [dy, x]) };
}
