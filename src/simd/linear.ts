import { linearShape } from '../naive/linear.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { geometry } from '../window.ts';
import { convolve, convolveBackward, type Convolution } from './convolution.ts';
import { clear, put, take } from './kernels.ts';

/** A batch is one image of one row, an entry a pixel, a feature a channel: so linear is convolution with a 1×1 kernel. */
const asConvolution = ({ N, D, O }: ReturnType<typeof linearShape>): Convolution => ({
  ...{ N: 1, groups: 1, slice: D, O },
  ...geometry('linear', [1, N], [1, 1], {}),
});

/** y = x·wᵀ + b */
export function linear(x: Tensor, w: Tensor, b: Tensor, options: NoOptions = {}): Tensor {
  const sizes = linearShape(x, w, b, options);
  clear();
  return take(convolve(put(x), put(w), put(b), asConvolution(sizes)), [sizes.N, sizes.O]);
}

/** dx = dy·w,  dw = dyᵀ·x,  db = Σ dy */
export function linearBackward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor, options: NoOptions = {}) {
  const sizes = linearShape(x, w, b, options);
  dims('linearBackward: dy', dy, [sizes.N, sizes.O]);
  clear();
  const { dx, dw, db } = convolveBackward(put(dy), put(x), put(w), asConvolution(sizes));
  return { dx: take(dx, x.shape), dw: take(dw, w.shape), db: take(db, b.shape) };
}
