import type { BatchNormOptions } from '../naive/batchNorm.ts';
import { batchNormInferenceShape } from '../naive/batchNormInference.ts';
import { dims, type Tensor } from '../tensor.ts';
import { steps } from './batchNorm.ts';
import { roomForSums } from './batchStatistics.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = gamma · (x − mean) / √(variance + eps) + beta */
export function batchNormInference(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  const { N, C, P, eps } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  clear();
  const [y, deviation] = [room(x.data.length), room(C)];
  kernels.deviations(put(variance), deviation, C, eps);
  kernels.normalise(
    ...[putImages(x), put(gamma), put(beta), put(mean), deviation, 0, y],
    ...[N, 1, P, C, ...steps(P, C), ...steps(P, C), 0],
  );
  return takeImages(y, x.shape);
}

/** dx = gamma · dy / √(variance + eps) */
export function batchNormInferenceBackward(
  dy: Tensor,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
) {
  const { N, C, P, eps } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  dims('batchNormInferenceBackward: dy', dy, x.shape);
  clear();
  const [slopes, deviation] = [putImages(dy), room(C)];
  const [dx, dgamma, dbeta] = [room(x.data.length), room(C), room(C)];
  kernels.deviations(put(variance), deviation, C, eps);
  kernels.normaliseParameterGradients(
    ...[slopes, 0, putImages(x), put(mean), deviation, dgamma, dbeta, roomForSums(C)],
    ...[N, 1, P, C, ...steps(P, C), ...steps(P, C), 0, C],
  );
  kernels.normaliseInputGradient(slopes, put(gamma), deviation, dx, N, 1, P, C, ...steps(P, C));
  return { dx: takeImages(dx, x.shape), dgamma: take(dgamma, [C]), dbeta: take(dbeta, [C]) };
}
