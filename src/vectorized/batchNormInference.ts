import type { BatchNormOptions } from '../naive/batchNorm.ts';
import { batchNormInferenceShape } from '../naive/batchNormInference.ts';
import { add, div, map, mul, reshape, sub, sum } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';
import { perChannel } from './batchNorm.ts';

/** y = gamma · (x − mean) / √(variance + eps) + beta */
export function batchNormInference(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  const { eps, flat } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  const normalised = div(sub(flat(x), perChannel(mean)), deviation(variance, eps));
  return reshape(add(mul(perChannel(gamma), normalised), perChannel(beta)), x.shape);
}

/** dx = gamma / √(variance + eps) · dy,  dgamma = Σ dy · x̂,  dbeta = Σ dy */
export function batchNormInferenceBackward(
  dy: Tensor,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
) {
  const { eps, flat } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  dims('batchNormInferenceBackward: dy', dy, x.shape);
  const normalised = div(sub(flat(x), perChannel(mean)), deviation(variance, eps));
  return {
    dx: reshape(mul(div(perChannel(gamma), deviation(variance, eps)), flat(dy)), x.shape),
    dgamma: reshape(sum(mul(flat(dy), normalised), [0, 2]), gamma.shape),
    dbeta: reshape(sum(flat(dy), [0, 2]), beta.shape),
  };
}

/** √(variance + eps) of each channel, (C, 1) */
const deviation = (variance: Tensor, eps: number) => perChannel(map(variance, (value) => Math.sqrt(value + eps)));
