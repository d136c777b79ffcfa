import { sigmoidShape } from '../naive/sigmoid.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

export function sigmoid(x: Tensor, options: NoOptions = {}): Tensor {
  sigmoidShape(x, options);
  return elementwise('sigmoid', [x]);
}

export function sigmoidBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('sigmoidBackward: dy', dy, sigmoidShape(x, options));
  return { dx: elementwise('sigmoidBackward', [dy, x]) };
}
