import { softmaxShape } from '../naive/softmax.ts';
import { div, map, max, mul, sub, sum } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = powers / their row's sum, where powers = exp(x − its row's maximum). */
export function softmax(x: Tensor, options: NoOptions = {}): Tensor {
  softmaxShape(x, options);
  const powers = map(sub(x, max(x, [1])), Math.exp);
  return div(powers, sum(powers, [1]));
}

/** dx = y · (dy − Σ dy·y) */
export function softmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('softmaxBackward: dy', dy, softmaxShape(x, options));
  const y = softmax(x);
  return { dx: mul(y, sub(dy, sum(mul(dy, y), [1]))) };
}
