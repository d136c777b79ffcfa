import { softmaxShape } from '../naive/softmax.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = exp(x − m) / Σ exp(x − m), m the maximum of the row */
export function softmax(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, K] = softmaxShape(x, options);
  clear();
  return take(probabilities(x, N, K), [N, K]);
}

/** The address of softmax(x). */
export function probabilities(x: Tensor, N: number, K: number): number {
  const y = room(N * K);
  kernels.softmax(put(x), y, N, K);
  return y;
}

/** dx = y · (dy − Σ dy·y) */
export function softmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  const [N, K] = softmaxShape(x, options);
  dims('softmaxBackward: dy', dy, [N, K]);
  clear();
  const dx = room(N * K);
  kernels.softmaxBackward(put(dy), probabilities(x, N, K), dx, N, K);
  return { dx: take(dx, [N, K]) };
}
