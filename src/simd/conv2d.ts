import { conv2dShape, type Conv2dOptions } from '../naive/conv2d.ts';
import { dims, type Tensor } from '../tensor.ts';
import { convolution, convolutionBackward } from './convolution.ts';

/** y = x ∗ w + b: a convolution in one group */
export function conv2d(x: Tensor, w: Tensor, b: Tensor, options: Conv2dOptions = {}): Tensor {
  const { C, ...g } = conv2dShape(x, w, b, options);
  return convolution(x, w, b, { groups: 1, slice: C, ...g });
}

/** dx, dw and db: see assembly/convolution.ts */
export function conv2dBackward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor, options: Conv2dOptions = {}) {
  const { C, ...g } = conv2dShape(x, w, b, options);
  dims('conv2dBackward: dy', dy, [g.N, g.O, g.OH, g.OW]);
  return convolutionBackward(dy, x, w, { groups: 1, slice: C, ...g });
}
