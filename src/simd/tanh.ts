import { tanhShape } from '../naive/tanh.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

/** y = tanh x */
export function tanh(x: Tensor, options: NoOptions = {}): Tensor {
  tanhShape(x, options);
  return elementwise('tanh', [x]);
}

/** dx = dy · sech² x */
export function tanhBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('tanhBackward: dy', dy, tanhShape(x, options));
  return { dx: elementwise('tanhBackward', [dy, x]) };
}
