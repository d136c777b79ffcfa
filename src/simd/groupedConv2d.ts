import { groupedConv2dShape, type GroupedConv2dOptions } from '../naive/groupedConv2d.ts';
import { dims, type Tensor } from '../tensor.ts';
import { convolution, convolutionBackward } from './convolution.ts';

/** y = x ∗ w + b, group by group */
export function groupedConv2d(x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions = {}): Tensor {
  const g = groupedConv2dShape(x, w, b, options);
  return convolution(x, w, b, g);
}

/** dx, dw and db, group by group */
export function groupedConv2dBackward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions = {}) {
  const g = groupedConv2dShape(x, w, b, options);
  dims('groupedConv2dBackward: dy', dy, [g.N, g.O, g.OH, g.OW]);
  return convolutionBackward(dy, x, w, g);
}
