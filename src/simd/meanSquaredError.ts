import { meanSquaredErrorShape } from '../naive/meanSquaredError.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';
import { clear, kernels, put, room, take } from './kernels.ts';

/** y = Σ (x − target)² / count */
export function meanSquaredError(x: Tensor, target: Tensor, options: NoOptions = {}): Tensor {
  const { count } = meanSquaredErrorShape(x, target, options);
  clear();
  const y = room(1);
  kernels.meanSquaredError(put(x), put(target), y, count);
  return take(y, []);
}

/** dx = 2 · (x − target) · dy / count */
export function meanSquaredErrorBackward(dy: Tensor, x: Tensor, target: Tensor, options: NoOptions = {}) {
  const { count } = meanSquaredErrorShape(x, target, options);
  dims('meanSquaredErrorBackward: dy', dy, []);
  clear();
  const dx = room(count);
  kernels.meanSquaredErrorBackward(put(dy), put(x), put(target), dx, count);
  return { dx: take(dx, x.shape) };
}
