import { maxPool2dShape } from '../naive/maxPool2d.ts';
import { dims, type Tensor } from '../tensor.ts';
import type { PoolOptions } from '../window.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, room } from './kernels.ts';
import { putPool } from './pool.ts';

/** The largest number under each window. */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  const g = maxPool2dShape(x, options);
  const shape = [g.N, g.C, g.OH, g.OW];
  clear();
  return takeImages(largest(x, g).y, shape);
}

/** dy goes to the first of the largest. */
export function maxPool2dBackward(dy: Tensor, x: Tensor, options: PoolOptions) {
  const g = maxPool2dShape(x, options);
  dims('maxPool2dBackward: dy', dy, [g.N, g.C, g.OH, g.OW]);
  clear();
  const dx = room(x.data.length);
  kernels.maxPoolBackward(putImages(dy), largest(x, g).index, dx, putPool(g));
  return { dx: takeImages(dx, x.shape) };
}

/** The addresses of y, and of the taps where it was found: a byte each, or four in large windows. */
function largest(x: Tensor, g: ReturnType<typeof maxPool2dShape>) {
  const count = g.N * g.C * g.OH * g.OW;
  const [y, index] = [room(count), room(count)];
  kernels.maxPool(putImages(x), y, index, putPool(g));
  return { y, index };
}
