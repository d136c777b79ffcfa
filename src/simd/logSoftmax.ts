import { logSoftmaxShape } from '../naive/logSoftmax.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, kernels, put, room, take } from './kernels.ts';
import { probabilities } from './softmax.ts';

/** y = x − m − log Σ exp(x − m), m the maximum of the row */
export function logSoftmax(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, K] = logSoftmaxShape(x, options);
  clear();
  const y = room(N * K);
  kernels.logSoftmax(put(x), y, N, K);
  return take(y, [N, K]);
}

/** dx = dy − softmax(x) · Σ dy */
export function logSoftmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  const [N, K] = logSoftmaxShape(x, options);
  dims('logSoftmaxBackward: dy', dy, [N, K]);
  clear();
  const dx = room(N * K);
  kernels.logSoftmaxBackward(put(dy), probabilities(x, N, K), dx, N, K);
  return { dx: take(dx, [N, K]) };
}
