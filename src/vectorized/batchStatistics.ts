import {
  batchStatisticsShape,
  updateRunningShape,
  type BatchStatistics,
  type Statistics,
  type UpdateRunningOptions,
} from '../naive/batchStatistics.ts';
import { map, mul, reshape, sub, sum, zip } from '../ndarray.ts';
import type { Tensor } from '../tensor.ts';

/** mean = Σ x / count,  variance = Σ (x − mean)² / count */
export function batchStatistics(x: Tensor): BatchStatistics {
  const { C, count, flat } = batchStatisticsShape('batchStatistics', x);
  const mean = map(sum(flat(x), [0, 2]), (total) => total / count); //               (1, C, 1)
  const centred = sub(flat(x), mean); //                                             (N, C, P)
  const variance = map(sum(mul(centred, centred), [0, 2]), (total) => total / count);
  return { mean: reshape(mean, [C]), variance: reshape(variance, [C]), count };
}

/** decay·running + (1 − decay)·batch */
export function updateRunning(
  running: Statistics,
  batch: BatchStatistics,
  options: UpdateRunningOptions = {},
): Statistics {
  const { decay, correction } = updateRunningShape(running, batch, options);
  return {
    mean: zip(running.mean, batch.mean, (old, now) => decay * old + (1 - decay) * now),
    variance: zip(running.variance, batch.variance, (old, now) => decay * old + (1 - decay) * correction * now),
  };
}
