import { leakyReluShape, type LeakyReluOptions } from '../naive/leakyRelu.ts';
import { map, zip } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';

/** y = x where x > 0, else negativeSlope · x. */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  const { negativeSlope } = leakyReluShape(x, options);
  return map(x, (value) => (value > 0 ? value : negativeSlope * value));
}

/** dx = negativeSlope · dy where x ≤ 0, else dy. */
export function leakyReluBackward(dy: Tensor, x: Tensor, options: LeakyReluOptions = {}) {
  const { shape, negativeSlope } = leakyReluShape(x, options);
  dims('leakyReluBackward: dy', dy, shape);
  return { dx: zip(dy, x, (slope, value) => (value <= 0 ? negativeSlope * slope : slope)) };
}
