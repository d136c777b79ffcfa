import { dropoutShape, type DropoutOptions } from '../naive/dropout.ts';
import { dims, type Tensor } from '../tensor.ts';
import { elementwise } from './kernels.ts';

/** y = x / (1 − p) where the mask is 1, else 0 */
export function dropout(x: Tensor, mask: Tensor, options: DropoutOptions = {}): Tensor {
  const sizes = dropoutShape(x, mask, options);
  return elementwise('dropout', [x, wholeMask(x, sizes)], 1 - sizes.p);
}

/** dx = dy / (1 − p) where the mask is 1, else 0 */
export function dropoutBackward(dy: Tensor, x: Tensor, mask: Tensor, options: DropoutOptions = {}) {
  const sizes = dropoutShape(x, mask, options);
  dims('dropoutBackward: dy', dy, x.shape);
  return { dx: elementwise('dropout', [dy, wholeMask(x, sizes)], 1 - sizes.p) };
}

/** 1 for every number of x that is kept, else 0. */
const wholeMask = ({ shape, data }: Tensor, { C, P, kept }: ReturnType<typeof dropoutShape>): Tensor => ({
  shape,
  data: data.map((_, at) => (kept(Math.floor(at / (C * P)), Math.floor(at / P) % C, at % P) ? 1 : 0)),
});
