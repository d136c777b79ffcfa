import { accumulate, between, dims, get, knownOptions, set, size, trueOrFalse, zeros, type Tensor } from '../tensor.ts';

/** One mean and one variance per channel. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Those of a batch, and how many values of each channel they are of. */
export interface BatchStatistics extends Statistics {
  readonly count: number;
}

/**
 * Mean and variance of every channel, over the batch and all pixels: count = N·P values.
 *
 *     mean[c] = Σ_{n,i} x[n,c,i] / count        variance[c] = Σ_{n,i} (x[n,c,i] − mean[c])² / count
 *
 * in two passes: E[x²] − mean² loses every digit when the mean is large.
 *
 *     x (N, C) or (N, C, H, W)    i runs over the P = H·W pixels, one in (N, C)
 *     mean, variance (C)
 *
 * @throws RangeError if a channel has one value only
 */
export function batchStatistics(x: Tensor): BatchStatistics {
  const { N, C, P, count, flat } = batchStatisticsShape('batchStatistics', x);
  const values = flat(x);
  const [mean, variance] = [zeros([C]), zeros([C])];
  for (let c = 0; c < C; c++) {
    for (let n = 0; n < N; n++) for (let i = 0; i < P; i++) accumulate(mean, get(values, n, c, i), c);
    set(mean, get(mean, c) / count, c);
    for (let n = 0; n < N; n++)
      for (let i = 0; i < P; i++) {
        const apart = get(values, n, c, i) - get(mean, c);
        accumulate(variance, apart * apart, c);
      }
    set(variance, get(variance, c) / count, c);
  }
  return { mean, variance, count };
}

/**
 * The statistics for inference, after one more batch:
 *
 *     running = decay·running + (1 − decay)·batch
 *
 * With unbiased: true the variance of the batch counts as Σ (x − mean)² / (count − 1), as in PyTorch.
 *
 *     running.mean, running.variance, batch.mean, batch.variance (C)
 *
 * @throws RangeError if a shape or an option does not fit
 */
export function updateRunning(
  running: Statistics,
  batch: BatchStatistics,
  options: UpdateRunningOptions = {},
): Statistics {
  const { C, decay, correction } = updateRunningShape(running, batch, options);
  const [mean, variance] = [zeros([C]), zeros([C])];
  for (let c = 0; c < C; c++) {
    set(mean, decay * get(running.mean, c) + (1 - decay) * get(batch.mean, c), c);
    set(variance, decay * get(running.variance, c) + (1 - decay) * correction * get(batch.variance, c), c);
  }
  return { mean, variance };
}

export interface UpdateRunningOptions {
  /** The weight of the old value, in [0, 1]. Default 0.9. (PyTorch's momentum is 1 − decay.) */
  readonly decay?: number;
  /** Whether the variance of the batch counts as that of a sample. Default false. */
  readonly unbiased?: boolean;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function batchStatisticsShape(layer: string, x: Tensor) {
  const { N, C, P, flat } = channels(layer, x);
  const count = N * P;
  if (count < 2) throw new RangeError(`${layer}: x has ${count} value per channel, expected at least 2`);
  return { N, C, P, count, flat };
}

/** The sizes of x (N, C) or (N, C, H, W), with its P pixels in one row. */
export function channels(layer: string, x: Tensor) {
  if (x?.shape?.length !== 2 && x?.shape?.length !== 4)
    throw new RangeError(`${layer}: x has shape (${x?.shape?.join(', ')}), expected (N, C) or (N, C, H, W)`);
  const [N, C, ...pixels] = dims(`${layer}: x`, x, x.shape.length === 2 ? ['N', 'C'] : ['N', 'C', 'H', 'W']);
  const P = size(pixels);
  return { N, C, P, flat: (t: Tensor): Tensor => ({ shape: [N, C, P], data: t.data }) };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function updateRunningShape(running: Statistics, batch: BatchStatistics, options: UpdateRunningOptions) {
  knownOptions('updateRunning', options, ['decay', 'unbiased']);
  const { decay = 0.9, unbiased = false } = options;
  between('updateRunning: decay', decay, 0, 1);
  trueOrFalse('updateRunning: unbiased', unbiased);
  const [C] = dims('updateRunning: running.mean', running?.mean, ['C']);
  dims('updateRunning: running.variance', running?.variance, [C]);
  dims('updateRunning: batch.mean', batch?.mean, [C]);
  dims('updateRunning: batch.variance', batch?.variance, [C]);
  if (unbiased && !(Number.isInteger(batch.count) && batch.count >= 2))
    throw new RangeError(`updateRunning: batch.count is ${batch.count}, expected an integer ≥ 2`);
  return { C, decay, correction: unbiased ? batch.count / (batch.count - 1) : 1 };
}
