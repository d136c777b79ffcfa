import { dims, get, knownOptions, set, zeros, type NoOptions, type Tensor } from '../tensor.ts';
import { softmax } from './softmax.ts';

/**
 * Every row of logits as logarithms of probabilities.
 *
 *     y[n,k] = x[n,k] − m − log Σⱼ exp(x[n,j] − m)        m = maxⱼ x[n,j]: nothing overflows
 *
 *     x, y (N, K)    batch, class
 *
 * @throws RangeError if x is not (N, K)
 */
export function logSoftmax(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, K] = logSoftmaxShape(x, options);
  const y = zeros([N, K]);
  for (let n = 0; n < N; n++) {
    let m = -Infinity;
    for (let k = 0; k < K; k++) m = Math.max(m, get(x, n, k));
    let sum = 0;
    for (let k = 0; k < K; k++) sum += Math.exp(get(x, n, k) - m);
    for (let k = 0; k < K; k++) set(y, get(x, n, k) - m - Math.log(sum), n, k);
  }
  return y;
}

/** dx = dy − softmax(x) · Σⱼ dy[n,j]: a logit raises its own y, and lowers those of its row by its probability. */
export function logSoftmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  const [N, K] = logSoftmaxShape(x, options);
  dims('logSoftmaxBackward: dy', dy, [N, K]);
  const probability = softmax(x);
  const dx = zeros([N, K]);
  for (let n = 0; n < N; n++) {
    let total = 0;
    for (let k = 0; k < K; k++) total += get(dy, n, k);
    for (let k = 0; k < K; k++) set(dx, get(dy, n, k) - get(probability, n, k) * total, n, k);
  }
  return { dx };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function logSoftmaxShape(x: Tensor, options: NoOptions) {
  knownOptions('logSoftmax', options, []);
  return dims('logSoftmax: x', x, ['N', 'K']);
}
