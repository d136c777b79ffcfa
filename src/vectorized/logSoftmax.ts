import { logSoftmaxShape } from '../naive/logSoftmax.ts';
import { map, max, mul, sub, sum } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { softmax } from './softmax.ts';

/** y = shifted − log Σ exp(shifted), where shifted = x − its row's maximum. */
export function logSoftmax(x: Tensor, options: NoOptions = {}): Tensor {
  logSoftmaxShape(x, options);
  const shifted = sub(x, max(x, [1])); //                            (N, K)
  const logSum = map(sum(map(shifted, Math.exp), [1]), Math.log); // (N, 1)
  return sub(shifted, logSum);
}

/** dx = dy − softmax(x) · Σ dy */
export function logSoftmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('logSoftmaxBackward: dy', dy, logSoftmaxShape(x, options));
  return { dx: sub(dy, mul(softmax(x), sum(dy, [1]))) };
}
