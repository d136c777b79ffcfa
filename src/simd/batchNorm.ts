import { batchNormShape, type BatchNormOptions } from '../naive/batchNorm.ts';
import { dims, type Tensor } from '../tensor.ts';
import { statistics } from './batchStatistics.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = gamma · x̂ + beta */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}): Tensor {
  const { C, count, eps } = batchNormShape(x, gamma, beta, options);
  clear();
  const [values, y, deviation] = [putImages(x), room(x.data.length), room(C)];
  const { mean, variance } = statistics(values, count, C);
  kernels.deviations(variance, deviation, C, eps);
  kernels.normalise(values, put(gamma), put(beta), mean, deviation, y, count, C);
  return takeImages(y, x.shape);
}

/** dx = gamma / deviation · (dy − (dbeta + x̂·dgamma) / count) */
export function batchNormBackward(dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}) {
  const { C, count, eps } = batchNormShape(x, gamma, beta, options);
  dims('batchNormBackward: dy', dy, x.shape);
  clear();
  const [slopes, values, scale, deviation] = [putImages(dy), putImages(x), put(gamma), room(C)];
  const [dx, dgamma, dbeta] = [room(x.data.length), room(C), room(C)];
  const { mean, variance } = statistics(values, count, C);
  kernels.deviations(variance, deviation, C, eps);
  kernels.normaliseParameterGradients(slopes, values, mean, deviation, dgamma, dbeta, count, C);
  kernels.batchNormInputGradient(slopes, values, scale, mean, deviation, dgamma, dbeta, dx, count, C);
  return { dx: takeImages(dx, x.shape), dgamma: take(dgamma, [C]), dbeta: take(dbeta, [C]) };
}
