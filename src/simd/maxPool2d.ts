import { maxPool2dShape } from '../naive/maxPool2d.ts';
import { dims, size, type Tensor } from '../tensor.ts';
import type { PoolOptions } from '../window.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, room } from './kernels.ts';
import { putPool } from './pool.ts';

/** The largest number under each window. */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  const g = maxPool2dShape(x, options);
  const shape = [g.N, g.C, g.OH, g.OW];
  clear();
  const y = room(size(shape));
  kernels.maxPool(putImages(x), y, putPool(g));
  return takeImages(y, shape);
}

/** dy goes to the first of the largest. */
export function maxPool2dBackward(dy: Tensor, x: Tensor, options: PoolOptions) {
  const g = maxPool2dShape(x, options);
  dims('maxPool2dBackward: dy', dy, [g.N, g.C, g.OH, g.OW]);
  clear();
  const dx = room(x.data.length);
  kernels.maxPoolBackward(putImages(dy), putImages(x), dx, putPool(g));
  return { dx: takeImages(dx, x.shape) };
}
