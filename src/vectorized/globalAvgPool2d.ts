import { globalAvgPool2dShape } from '../naive/globalAvgPool2d.ts';
import { map, mul, ones, reshape, sum } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = Σ x / (H·W) over rows and columns */
export function globalAvgPool2d(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  return map(reshape(sum(x, [2, 3]), [N, C]), (total) => total / (H * W));
}

/** dx = dy / (H·W), the same for every pixel. */
export function globalAvgPool2dBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  dims('globalAvgPool2dBackward: dy', dy, [N, C]);
  const shares = map(reshape(dy, [N, C, 1, 1]), (slope) => slope / (H * W));
  return { dx: mul(ones([1, 1, H, W]), shares) };
}
