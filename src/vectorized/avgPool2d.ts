import { avgPool2dShape, type AvgPool2dOptions } from '../naive/avgPool2d.ts';
import { div, fold, mul, ones, reshape, sum, unfold } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';
import type { Geometry } from '../window.ts';

/** y = the sum of every window / count, each channel an image of its own. */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const { N, C, countIncludePad, ...g } = avgPool2dShape(x, options);
  const windows = unfold(reshape(x, [N * C, 1, g.H, g.W]), g); //                 (N·C, KH·KW, OH·OW)
  return reshape(div(sum(windows, [1]), counts(g, countIncludePad)), [N, C, g.OH, g.OW]);
}

/** dx = fold(dy / count, the same for every pixel of the window). */
export function avgPool2dBackward(dy: Tensor, x: Tensor, options: AvgPool2dOptions) {
  const { N, C, countIncludePad, ...g } = avgPool2dShape(x, options);
  dims('avgPool2dBackward: dy', dy, [N, C, g.OH, g.OW]);
  const shares = div(reshape(dy, [N * C, 1, g.OH * g.OW]), counts(g, countIncludePad));
  return { dx: reshape(fold(mul(ones([g.KH * g.KW, 1]), shares), g), x.shape) };
}

/** (1, 1, OH·OW): the sum of every window of an image of ones, where padding is 1 or 0 and what lies beyond it is 0. */
function counts(g: Geometry, countIncludePad: boolean): Tensor {
  return sum(unfold(ones([1, 1, g.H, g.W]), g, countIncludePad ? 1 : 0, 0), [1]);
}
