import { softmaxCrossEntropyShape } from '../naive/softmaxCrossEntropy.ts';
import { map, max, mul, oneHot, reshape, sub, sum, zip } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { softmax } from './softmax.ts';

/** y = Σ target · cost / N, where cost = log Σ exp(shifted) − shifted and shifted = logits − their row's maximum. */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: NoOptions = {}): Tensor {
  const { N, K } = softmaxCrossEntropyShape(logits, labels, options);
  const shifted = sub(logits, max(logits, [1])); //                           (N, K)
  const logSum = map(sum(map(shifted, Math.exp), [1]), Math.log); //          (N, 1)
  const costs = sub(logSum, shifted);
  const paid = zip(target(labels, K), costs, (t, cost) => (t > 0 ? t * cost : 0)); // mul: 0 · ∞ = NaN
  const mean = map(sum(paid, [0, 1]), (total) => total / N);
  return reshape(mean, []);
}

/** dlogits = (softmax(logits) − target) · dy / N */
export function softmaxCrossEntropyBackward(dy: Tensor, logits: Tensor, labels: Tensor, options: NoOptions = {}) {
  const { N, K } = softmaxCrossEntropyShape(logits, labels, options);
  dims('softmaxCrossEntropyBackward: dy', dy, []);
  const slopes = mul(sub(softmax(logits), target(labels, K)), dy);
  return { dlogits: map(slopes, (slope) => slope / N) };
}

/** (N) or (N, K) → (N, K): how much each class is the right one. */
const target = (labels: Tensor, K: number) => (labels.shape.length === 1 ? oneHot(labels, K) : labels);
