import { meanSquaredErrorShape } from '../naive/meanSquaredError.ts';
import { map, mul, reshape, sub, sum } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = Σ errors² / count, where errors = x − target. */
export function meanSquaredError(x: Tensor, target: Tensor, options: NoOptions = {}): Tensor {
  const { count } = meanSquaredErrorShape(x, target, options);
  const errors = sub(x, target);
  const total = sum(reshape(mul(errors, errors), [count]), [0]);
  const mean = map(total, (value) => value / count);
  return reshape(mean, []);
}

/** dx = 2 · errors · dy / count */
export function meanSquaredErrorBackward(dy: Tensor, x: Tensor, target: Tensor, options: NoOptions = {}) {
  const { count } = meanSquaredErrorShape(x, target, options);
  dims('meanSquaredErrorBackward: dy', dy, []);
  return { dx: map(mul(sub(x, target), dy), (slope) => (2 * slope) / count) };
}
