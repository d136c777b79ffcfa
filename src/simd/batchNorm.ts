import { batchNormShape, type BatchNormOptions } from '../naive/batchNorm.ts';
import { dims, type Tensor } from '../tensor.ts';
import { roomForSums, statistics } from './batchStatistics.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = gamma · x̂ + beta */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}): Tensor {
  const { N, C, P, count, eps } = batchNormShape(x, gamma, beta, options);
  clear();
  const [values, y, deviation] = [putImages(x), room(x.data.length), room(C)];
  const { mean, variance } = statistics(values, count, C);
  kernels.deviations(variance, deviation, C, eps);
  kernels.normalise(
    ...[values, put(gamma), put(beta), mean, deviation, 0, y],
    ...[N, 1, P, C, ...steps(P, C), ...steps(P, C), 0],
  );
  return takeImages(y, x.shape);
}

/** dx = gamma / deviation · (dy − (dbeta + x̂·dgamma) / count) */
export function batchNormBackward(dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}) {
  const { N, C, P, count, eps } = batchNormShape(x, gamma, beta, options);
  dims('batchNormBackward: dy', dy, x.shape);
  clear();
  const [slopes, values, scale, deviation] = [putImages(dy), putImages(x), put(gamma), room(C)];
  const [dx, dgamma, dbeta] = [room(x.data.length), room(C), room(C)];
  const { mean, variance } = statistics(values, count, C);
  kernels.deviations(variance, deviation, C, eps);
  kernels.normaliseParameterGradients(
    ...[slopes, 0, values, mean, deviation, dgamma, dbeta, roomForSums(C)],
    ...[N, 1, P, C, ...steps(P, C), ...steps(P, C), 0, C],
  );
  kernels.batchNormInputGradient(
    ...[slopes, values, scale, mean, deviation, dgamma, dbeta, dx, count],
    ...[N, 1, P, C, ...steps(P, C)],
  );
  return { dx: takeImages(dx, x.shape), dgamma: take(dgamma, [C]), dbeta: take(dbeta, [C]) };
}

/** Bytes from row to row and from image to image, of images without border: one row of P pixels each. */
export const steps = (P: number, C: number) => [4 * P * C, 4 * P * C] as const;
