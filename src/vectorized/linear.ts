import { linearShape } from '../naive/linear.ts';
import { add, matmul, reshape, sum, transpose } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = x·wᵀ + b */
export function linear(x: Tensor, w: Tensor, b: Tensor, options: NoOptions = {}): Tensor {
  linearShape(x, w, b, options);
  return add(matmul(x, transpose(w)), b);
}

/** dx = dy·w,  dw = dyᵀ·x,  db = Σ dy. */
export function linearBackward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor, options: NoOptions = {}) {
  const { N, O } = linearShape(x, w, b, options);
  dims('linearBackward: dy', dy, [N, O]);
  return {
    dx: matmul(dy, w),
    dw: matmul(transpose(dy), x),
    db: reshape(sum(dy, [0]), b.shape),
  };
}
