import { dims, get, knownOptions, set, zeros, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * Every row of logits as probabilities.
 *
 *     y[n,k] = exp(x[n,k] − m) / Σⱼ exp(x[n,j] − m)        m = maxⱼ x[n,j]: nothing overflows
 *
 *     x, y (N, K)    batch, class
 *
 * @throws RangeError if x is not (N, K)
 */
export function softmax(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, K] = softmaxShape(x, options);
  const y = zeros([N, K]);
  for (let n = 0; n < N; n++) {
    let m = -Infinity;
    for (let k = 0; k < K; k++) m = Math.max(m, get(x, n, k));
    let sum = 0;
    for (let k = 0; k < K; k++) sum += Math.exp(get(x, n, k) - m);
    for (let k = 0; k < K; k++) set(y, Math.exp(get(x, n, k) - m) / sum, n, k);
  }
  return y;
}

/** dx = y · (dy − Σⱼ dy[n,j]·y[n,j]): what one class of a row gains, the others lose. */
export function softmaxBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  const [N, K] = softmaxShape(x, options);
  dims('softmaxBackward: dy', dy, [N, K]);
  const y = softmax(x);
  const dx = zeros([N, K]);
  for (let n = 0; n < N; n++) {
    let mean = 0;
    for (let k = 0; k < K; k++) mean += get(dy, n, k) * get(y, n, k);
    for (let k = 0; k < K; k++) set(dx, get(y, n, k) * (get(dy, n, k) - mean), n, k);
  }
  return { dx };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function softmaxShape(x: Tensor, options: NoOptions) {
  knownOptions('softmax', options, []);
  return dims('softmax: x', x, ['N', 'K']);
}
