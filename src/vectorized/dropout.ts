import { dropoutShape, type DropoutOptions } from '../naive/dropout.ts';
import { zip } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';

/** y = x / (1 − p) where the mask is 1, else 0. */
export function dropout(x: Tensor, mask: Tensor, options: DropoutOptions = {}): Tensor {
  const { p } = dropoutShape(x, mask, options);
  return zip(x, mask, (value, keep) => (keep && p < 1 ? value / (1 - p) : 0));
}

/** dx = dy / (1 − p) where the mask is 1, else 0. */
export function dropoutBackward(dy: Tensor, x: Tensor, mask: Tensor, options: DropoutOptions = {}) {
  const { p } = dropoutShape(x, mask, options);
  dims('dropoutBackward: dy', dy, x.shape);
  return { dx: zip(dy, mask, (slope, keep) => (keep && p < 1 ? slope / (1 - p) : 0)) };
}
