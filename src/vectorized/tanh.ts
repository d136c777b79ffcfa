import { tanhShape } from '../naive/tanh.ts';
import { map, mul } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = tanh x */
export function tanh(x: Tensor, _: NoOptions = {}): Tensor {
  tanhShape(x);
  return map(x, Math.tanh);
}

/** dx = dy · sech² x, where sech x = 1 / cosh x. */
export function tanhBackward(dy: Tensor, x: Tensor, _: NoOptions = {}) {
  dims('tanhBackward: dy', dy, tanhShape(x));
  const sech = map(x, (value) => 1 / Math.cosh(value));
  return { dx: mul(mul(dy, sech), sech) };
}
