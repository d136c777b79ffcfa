import { tanhShape } from '../naive/tanh.ts';
import { map, mul } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = tanh x */
export function tanh(x: Tensor, options: NoOptions = {}): Tensor {
  tanhShape(x, options);
  return map(x, Math.tanh);
}

/** dx = dy · sech² x, where sech x = 1 / cosh x. */
export function tanhBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('tanhBackward: dy', dy, tanhShape(x, options));
  const sech = map(x, (value) => 1 / Math.cosh(value));
  return { dx: mul(mul(dy, sech), sech) };
}
