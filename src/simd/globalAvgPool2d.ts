import { globalAvgPool2dShape } from '../naive/globalAvgPool2d.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = Σ x / (H·W) over rows and columns */
export function globalAvgPool2d(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  clear();
  const y = room(N * C);
  kernels.globalAvgPool(putImages(x), y, N, C, H * W);
  return take(y, [N, C]);
}

/** dx = dy / (H·W), the same for every pixel */
export function globalAvgPool2dBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  dims('globalAvgPool2dBackward: dy', dy, [N, C]);
  clear();
  const dx = room(x.data.length);
  kernels.globalAvgPoolBackward(put(dy), dx, N, C, H * W);
  return { dx: takeImages(dx, x.shape) };
}
