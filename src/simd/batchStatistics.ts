import { batchStatisticsShape, updateRunningShape } from '../naive/batchStatistics.ts';
import type { BatchStatistics, Statistics, UpdateRunningOptions } from '../naive/batchStatistics.ts';
import type { Tensor } from '../tensor.ts';
import { putImages } from './images.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** Mean and biased variance of every channel. */
export function batchStatistics(x: Tensor): BatchStatistics {
  const { C, count } = batchStatisticsShape('batchStatistics', x);
  clear();
  const { mean, variance } = statistics(putImages(x), count, C);
  return { mean: take(mean, [C]), variance: take(variance, [C]), count };
}

/** The addresses of the mean and the variance of every channel, of x (rows, C). */
export function statistics(x: number, rows: number, C: number) {
  const [mean, variance] = [room(C), room(C)];
  kernels.batchStatistics(x, mean, variance, roomForSums(C), rows, C, 0, C);
  return { mean, variance };
}

/** The address of two float64 for each channel. */
export const roomForSums = (C: number) => room(4 * C);

/** running = decay·running + (1 − decay)·batch */
export function updateRunning(
  running: Statistics,
  batch: BatchStatistics,
  options: UpdateRunningOptions = {},
): Statistics {
  const { C, decay, correction } = updateRunningShape(running, batch, options);
  const blend = (old: Tensor, now: Tensor, weight: number) => {
    clear();
    const y = room(C);
    kernels.updateRunning(put(old), put(now), y, C, decay, weight);
    return take(y, [C]);
  };
  return {
    mean: blend(running.mean, batch.mean, 1 - decay),
    variance: blend(running.variance, batch.variance, (1 - decay) * correction),
  };
}
