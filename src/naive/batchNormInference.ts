import { accumulate, between, dims, get, knownOptions, set, zeros, type Tensor } from '../tensor.ts';
import type { BatchNormOptions } from './batchNorm.ts';
import { channels } from './batchStatistics.ts';

/**
 * Batch normalisation in inference: the mean and the variance are given, and no image sees another.
 *
 *     y[n,c,i] = gamma[c] · (x[n,c,i] − mean[c]) / √(variance[c] + eps) + beta[c]
 *
 *     x, y (N, C) or (N, C, H, W)    i runs over the P = H·W pixels, one in (N, C)
 *     gamma, beta (C)
 *     mean, variance (C)             constants, without a gradient: see updateRunning in batchStatistics.ts
 *
 * @throws RangeError if a shape or eps does not fit, or a variance is negative
 * @see Ioffe & Szegedy, Batch Normalization, arXiv:1502.03167, algorithm 2
 */
export function batchNormInference(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  const { N, C, P, eps, flat } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  const values = flat(x);
  const y = zeros([N, C, P]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) {
        const normalised = (get(values, n, c, i) - get(mean, c)) / Math.sqrt(get(variance, c) + eps);
        set(y, get(gamma, c) * normalised + get(beta, c), n, c, i);
      }
  return { shape: x.shape, data: y.data };
}

/** y is a straight line in x, of slope gamma / √(variance + eps), and one in gamma and beta. */
export function batchNormInferenceBackward(
  dy: Tensor,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
): { dx: Tensor; dgamma: Tensor; dbeta: Tensor } {
  const { N, C, P, eps, flat } = batchNormInferenceShape(x, gamma, beta, mean, variance, options);
  dims('batchNormInferenceBackward: dy', dy, x.shape);
  const [values, slopes] = [flat(x), flat(dy)];
  const [dx, dgamma, dbeta] = [zeros([N, C, P]), zeros([C]), zeros([C])];
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) {
        const deviation = Math.sqrt(get(variance, c) + eps);
        const slope = get(slopes, n, c, i);
        set(dx, (get(gamma, c) / deviation) * slope, n, c, i);
        accumulate(dgamma, ((get(values, n, c, i) - get(mean, c)) / deviation) * slope, c);
        accumulate(dbeta, slope, c);
      }
  return { dx: { shape: x.shape, data: dx.data }, dgamma, dbeta };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function batchNormInferenceShape(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor,
  mean: Tensor,
  variance: Tensor,
  options: BatchNormOptions,
) {
  knownOptions('batchNormInference', options, ['eps']);
  const { eps = 1e-5 } = options;
  between('batchNormInference: eps', eps, 0);
  const sizes = channels('batchNormInference', x);
  for (const [name, v] of Object.entries({ gamma, beta, mean, variance }))
    dims(`batchNormInference: ${name}`, v, [sizes.C]);
  const negative = variance.data.findIndex((value) => value < 0);
  if (negative >= 0)
    throw new RangeError(
      `batchNormInference: variance[${negative}] is ${variance.data[negative]}, expected a number ≥ 0`,
    );
  return { ...sizes, eps };
}
