import type { Random } from './random.ts';
import { between, size, type Tensor } from './tensor.ts';

/**
 * The mask of a dropout: every number is 0 with probability p, else 1. The shape is that of x, (N, C, …), or (N, C, 1, 1)
 * to leave out whole channels.
 *
 * @throws RangeError if p is not in [0, 1]
 */
export function dropoutMask(shape: readonly number[], p: number, random: Random): Tensor {
  between('dropoutMask: p', p, 0, 1);
  return { shape, data: Float64Array.from({ length: size(shape) }, () => (random.uniform() < p ? 0 : 1)) };
}
