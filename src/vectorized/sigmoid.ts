import { sigmoidShape } from '../naive/sigmoid.ts';
import { map, mul, zip } from '../ndarray.ts';
import { dims, type NoOptions, type Tensor } from '../tensor.ts';

/** y = 1 / (1 + e) where x ≥ 0, else e / (1 + e), where e = exp −|x|. */
export function sigmoid(x: Tensor, options: NoOptions = {}): Tensor {
  sigmoidShape(x, options);
  return zip(x, powers(x), (value, e) => (value >= 0 ? 1 : e) / (1 + e));
}

/** dx = dy · e / (1 + e)² */
export function sigmoidBackward(dy: Tensor, x: Tensor, options: NoOptions = {}) {
  dims('sigmoidBackward: dy', dy, sigmoidShape(x, options));
  const slopes = map(powers(x), (e) => e / ((1 + e) * (1 + e)));
  return { dx: mul(dy, slopes) };
}

/** exp −|x|, in [0, 1] */
const powers = (x: Tensor) => map(x, (value) => Math.exp(-Math.abs(value)));
