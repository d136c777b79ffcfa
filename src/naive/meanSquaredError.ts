import { dims, get, knownOptions, set, size, zeros, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The mean squared error between x and what is true.
 *
 *     y = 1/count · Σᵢ (x[i] − target[i])²        count = how many numbers x has, over all its axes
 *
 *     x         any shape of at least one number
 *     target    the shape of x; a constant, without a gradient
 *     y         ()
 *
 * @throws RangeError if the shapes differ or x is empty
 */
export function meanSquaredError(x: Tensor, target: Tensor, options: NoOptions = {}): Tensor {
  const { count } = meanSquaredErrorShape(x, target, options);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const error = x.data[i] - target.data[i];
    total += error * error;
  }
  const y = zeros([]);
  set(y, total / count);
  return y;
}

/** dx = 2·(x − target)·dy / count */
export function meanSquaredErrorBackward(
  dy: Tensor,
  x: Tensor,
  target: Tensor,
  options: NoOptions = {},
): { dx: Tensor } {
  const { count } = meanSquaredErrorShape(x, target, options);
  dims('meanSquaredErrorBackward: dy', dy, []);
  const dx = zeros(x.shape);
  for (let i = 0; i < count; i++) dx.data[i] = (2 * (x.data[i] - target.data[i]) * get(dy)) / count;
  return { dx };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function meanSquaredErrorShape(x: Tensor, target: Tensor, options: NoOptions) {
  knownOptions('meanSquaredError', options, []);
  const shape = dims('meanSquaredError: x', x, x?.shape);
  const count = size(shape);
  if (count === 0)
    throw new RangeError(`meanSquaredError: x has shape (${shape.join(', ')}), expected at least one number`);
  dims('meanSquaredError: target', target, shape);
  return { count };
}
