import { avgPool2dShape, type AvgPool2dOptions } from '../naive/avgPool2d.ts';
import { dims, size, type Tensor } from '../tensor.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, room } from './kernels.ts';
import { putPool } from './pool.ts';

/** The mean under each window. */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const g = avgPool2dShape(x, options);
  const shape = [g.N, g.C, g.OH, g.OW];
  clear();
  const y = room(size(shape));
  kernels.avgPool(putImages(x), y, putPool(g));
  return takeImages(y, shape);
}

/** Every pixel under a window gets dy / count. */
export function avgPool2dBackward(dy: Tensor, x: Tensor, options: AvgPool2dOptions) {
  const g = avgPool2dShape(x, options);
  dims('avgPool2dBackward: dy', dy, [g.N, g.C, g.OH, g.OW]);
  clear();
  const dx = room(x.data.length);
  kernels.avgPoolBackward(putImages(dy), dx, putPool(g));
  return { dx: takeImages(dx, x.shape) };
}
