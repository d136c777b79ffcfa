import { dims, get, knownOptions, set, zeros, type NoOptions, type Tensor } from '../tensor.ts';
import { softmax } from './softmax.ts';

/**
 * The mean cross-entropy between softmax(logits) and what is true.
 *
 *     y = 1/N · Σ_{n,k} target[n,k] · −log( exp(logits[n,k]) / Σⱼ exp(logits[n,j]) )
 *
 * with each −log computed as log Σⱼ exp(logits[n,j] − m) + (m − logits[n,k]), m = maxⱼ logits[n,j]: nothing overflows,
 * and both terms are ≥ 0. A class of target 0 costs nothing, however unlikely: 0 · ∞ is 0 here.
 *
 *     logits (N, K)
 *     labels (N)       the right class of each row, an integer in [0, K): target is 1 there and 0 elsewhere; or
 *            (N, K)    the target itself, one-hot or probabilities: every row ≥ 0 and of sum 1
 *     y      ()        labels are a constant, without a gradient
 *
 * @throws RangeError if a shape or a label does not fit
 */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: NoOptions = {}): Tensor {
  const { N, K, target } = softmaxCrossEntropyShape(logits, labels, options);
  let total = 0;
  for (let n = 0; n < N; n++) {
    let m = -Infinity;
    for (let k = 0; k < K; k++) m = Math.max(m, get(logits, n, k));
    let sum = 0;
    for (let k = 0; k < K; k++) sum += Math.exp(get(logits, n, k) - m);
    for (let k = 0; k < K; k++) if (target(n, k) > 0) total += target(n, k) * (Math.log(sum) + (m - get(logits, n, k)));
  }
  const y = zeros([]);
  set(y, total / N);
  return y;
}

/** dlogits = (softmax(logits) − target) · dy / N, where every row of target counts as having the sum 1. */
export function softmaxCrossEntropyBackward(
  dy: Tensor,
  logits: Tensor,
  labels: Tensor,
  options: NoOptions = {},
): { dlogits: Tensor } {
  const { N, K, target } = softmaxCrossEntropyShape(logits, labels, options);
  dims('softmaxCrossEntropyBackward: dy', dy, []);
  const probability = softmax(logits);
  const dlogits = zeros([N, K]);
  for (let n = 0; n < N; n++)
    for (let k = 0; k < K; k++) set(dlogits, ((get(probability, n, k) - target(n, k)) * get(dy)) / N, n, k);
  return { dlogits };
}

/** How far the sum of a row of labels may lie from 1: probabilities that were rounded to float32 still pass. */
const ROUNDED = 1e-6;

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function softmaxCrossEntropyShape(logits: Tensor, labels: Tensor, options: NoOptions) {
  knownOptions('softmaxCrossEntropy', options, []);
  const [N, K] = dims('softmaxCrossEntropy: logits', logits, ['N', 'K']);
  if (labels?.shape?.length === 2) {
    dims('softmaxCrossEntropy: labels', labels, [N, K]);
    for (let n = 0; n < N; n++) {
      let sum = 0;
      for (let k = 0; k < K; k++) {
        const value = get(labels, n, k);
        if (!(value >= 0))
          throw new RangeError(`softmaxCrossEntropy: labels[${n}, ${k}] is ${value}, expected a probability`);
        sum += value;
      }
      if (Math.abs(sum - 1) > ROUNDED)
        throw new RangeError(`softmaxCrossEntropy: the sum of labels[${n}] is ${sum}, expected 1`);
    }
    return { N, K, target: (n: number, k: number) => get(labels, n, k) };
  }
  if (labels?.shape?.length !== 1)
    throw new RangeError(
      `softmaxCrossEntropy: labels has shape (${labels?.shape?.join(', ')}), expected (${N}) or (${N}, ${K})`,
    );
  dims('softmaxCrossEntropy: labels', labels, [N]);
  labels.data.forEach((label, n) => {
    if (!Number.isInteger(label) || label < 0 || label >= K)
      throw new RangeError(`softmaxCrossEntropy: labels[${n}] is ${label}, expected an integer in [0, ${K})`);
  });
  return { N, K, target: (n: number, k: number) => (get(labels, n) === k ? 1 : 0) };
}
