import { accumulate, between, dims, get, knownOptions, set, zeros, type Tensor } from '../tensor.ts';
import { batchStatistics, batchStatisticsShape } from './batchStatistics.ts';

/**
 * Batch normalisation in training: over the batch, every channel gets mean beta and standard deviation |gamma|, but for eps.
 *
 *     x̂[n,c,i] = (x[n,c,i] − mean[c]) / √(variance[c] + eps)        y = gamma[c]·x̂ + beta[c]
 *
 * with the mean and the biased variance of the channel in this batch: see batchStatistics.ts.
 *
 *     x, y (N, C) or (N, C, H, W)    i runs over the P = H·W pixels, one in (N, C)
 *     gamma, beta (C)
 *
 * @throws RangeError if a shape or eps does not fit, or a channel has one value only
 * @see Ioffe & Szegedy, Batch Normalization, arXiv:1502.03167, algorithm 1
 */
export function batchNorm(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions = {}): Tensor {
  const { N, C, P, eps } = batchNormShape(x, gamma, beta, options);
  const { normalised } = normalise(x, eps);
  const y = zeros([N, C, P]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) set(y, get(gamma, c) * get(normalised, n, c, i) + get(beta, c), n, c, i);
  return { shape: x.shape, data: y.data };
}

/**
 * dx is gamma·dy / √(variance + eps) without its parts along 1 and along x̂: moving a channel along the first changes its
 * mean, along the second its variance, and both are taken out again.
 */
export function batchNormBackward(
  dy: Tensor,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  options: BatchNormOptions = {},
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor } {
  const { N, C, P, count, eps, flat } = batchNormShape(x, gamma, beta, options);
  dims('batchNormBackward: dy', dy, x.shape);
  const { normalised, deviation } = normalise(x, eps);
  const slopes = flat(dy);
  const [dx, dgamma, dbeta] = [zeros([N, C, P]), zeros([C]), zeros([C])];
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) {
        accumulate(dgamma, get(slopes, n, c, i) * get(normalised, n, c, i), c);
        accumulate(dbeta, get(slopes, n, c, i), c);
      }
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) {
        const along = (get(dbeta, c) + get(normalised, n, c, i) * get(dgamma, c)) / count;
        set(dx, (get(gamma, c) / get(deviation, c)) * (get(slopes, n, c, i) - along), n, c, i);
      }
  return { dx: { shape: x.shape, data: dx.data }, dgamma, dbeta };
}

/** x̂ (N, C, P), and √(variance + eps) of each channel. */
function normalise(x: Tensor, eps: number): { normalised: Tensor; deviation: Tensor } {
  const { N, C, P, flat } = batchStatisticsShape('batchNorm', x);
  const { mean, variance } = batchStatistics(x);
  const values = flat(x);
  const [normalised, deviation] = [zeros([N, C, P]), zeros([C])];
  for (let c = 0; c < C; c++) set(deviation, Math.sqrt(get(variance, c) + eps), c);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) set(normalised, (get(values, n, c, i) - get(mean, c)) / get(deviation, c), n, c, i);
  return { normalised, deviation };
}

export interface BatchNormOptions {
  /** Added to the variance, inside the root. A number ≥ 0. Default 1e-5. */
  readonly eps?: number;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function batchNormShape(x: Tensor, gamma: Tensor, beta: Tensor, options: BatchNormOptions) {
  knownOptions('batchNorm', options, ['eps']);
  const { eps = 1e-5 } = options;
  between('batchNorm: eps', eps, 0);
  const sizes = batchStatisticsShape('batchNorm', x);
  dims('batchNorm: gamma', gamma, [sizes.C]);
  dims('batchNorm: beta', beta, [sizes.C]);
  return { ...sizes, eps };
}
