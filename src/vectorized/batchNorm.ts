import { batchNormShape, type BatchNormOptions } from '../naive/batchNorm.ts';
import { batchStatisticsShape } from '../naive/batchStatistics.ts';
import { add, div, map, mul, reshape, sub, sum } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';
import { batchStatistics } from './batchStatistics.ts';

/** y = gamma · x̂ + beta */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}): Tensor {
  const { eps } = batchNormShape(x, gamma, beta, options);
  const { normalised } = normalise(x, eps);
  return reshape(add(mul(perChannel(gamma), normalised), perChannel(beta)), x.shape);
}

/** dx = gamma / √(variance + eps) · (dy − mean(dy) − x̂ · mean(dy · x̂)) */
export function batchNormBackward(dy: Tensor, x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}) {
  const { count, eps, flat } = batchNormShape(x, gamma, beta, options);
  dims('batchNormBackward: dy', dy, x.shape);
  const { normalised, deviation } = normalise(x, eps);
  const dbeta = sum(flat(dy), [0, 2]); //                                 (1, C, 1)
  const dgamma = sum(mul(flat(dy), normalised), [0, 2]); //               (1, C, 1)
  const along = map(add(dbeta, mul(normalised, dgamma)), (total) => total / count);
  return {
    dx: reshape(mul(div(perChannel(gamma), deviation), sub(flat(dy), along)), x.shape),
    dgamma: reshape(dgamma, gamma.shape),
    dbeta: reshape(dbeta, beta.shape),
  };
}

/** x̂ (N, C, P), and √(variance + eps) of each channel, (C, 1). */
function normalise(x: Tensor, eps: number) {
  const { flat } = batchStatisticsShape('batchNorm', x);
  const { mean, variance } = batchStatistics(x);
  const deviation = perChannel(map(variance, (value) => Math.sqrt(value + eps)));
  return { normalised: div(sub(flat(x), perChannel(mean)), deviation), deviation };
}

/** (C) → (C, 1): broadcasts over batch and pixels. */
export const perChannel = (v: Tensor) => reshape(v, [v.data.length, 1]);
