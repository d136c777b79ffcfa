import { leakyReluShape, type LeakyReluOptions } from '../naive/leakyRelu.ts';
import { dims, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

/** y = x where x > 0, else negativeSlope · x */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  const { negativeSlope } = leakyReluShape(x, options);
  return elementwise('leakyRelu', [x], negativeSlope);
}

/** dx = negativeSlope · dy where x ≤ 0, else dy */
export function leakyReluBackward(dy: Tensor, x: Tensor, options: LeakyReluOptions = {}) {
  const { shape, negativeSlope } = leakyReluShape(x, options);
  dims('leakyReluBackward: dy', dy, shape);
  return { dx: elementwise('leakyReluBackward', [dy, x], negativeSlope) };
}
