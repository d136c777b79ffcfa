import { softmaxCrossEntropyShape } from '../naive/softmaxCrossEntropy.ts';
import { oneHot } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, kernels, put, room, take } from './kernels.ts';
import { probabilities } from './softmax.ts';

/** y = Σ target · (log Σ exp(x − m) + m − x) / N */
export function softmaxCrossEntropy(logits: Tensor, labels: Tensor, options: NoOptions = {}): Tensor {
  const { N, K } = softmaxCrossEntropyShape(logits, labels, options);
  clear();
  const y = room(1);
  kernels.softmaxCrossEntropy(put(logits), put(target(labels, K)), y, N, K);
  return take(y, []);
}

/** dlogits = (softmax(logits) − target) · dy / N */
export function softmaxCrossEntropyBackward(dy: Tensor, logits: Tensor, labels: Tensor, options: NoOptions = {}) {
  const { N, K } = softmaxCrossEntropyShape(logits, labels, options);
  dims('softmaxCrossEntropyBackward: dy', dy, []);
  clear();
  const dlogits = room(N * K);
  kernels.softmaxCrossEntropyBackward(put(dy), probabilities(logits, N, K), put(target(labels, K)), dlogits, N, K);
  return { dlogits: take(dlogits, [N, K]) };
}

/** (N) or (N, K) → (N, K): how much each class is the right one. */
const target = (labels: Tensor, K: number) => (labels.shape.length === 1 ? oneHot(labels, K) : labels);
