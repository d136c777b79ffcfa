import { get, getOr, zeros, type Tensor } from '../src/tensor.ts';
import type { Border } from '../src/window.ts';

/** The tensor whose element at (i₀, i₁, …) is f(i₀, i₁, …). */
export function tabulate(shape: readonly number[], f: (...index: number[]) => number): Tensor {
  const y = zeros(shape);
  const index = shape.map(() => 0);
  for (let at = 0; at < y.data.length; at++) {
    y.data[at] = f(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return y;
}

/** Zeros around every image. */
export function pad(x: Tensor, { top, bottom, left, right }: Border): Tensor {
  const [N, C, H, W] = x.shape;
  return tabulate([N, C, top + H + bottom, left + W + right], (n, c, h, w) => getOr(0, x, n, c, h - top, w - left));
}

/** Every `rows`-th row and `columns`-th column of every image, from the first on. */
export function subsample(x: Tensor, { rows, columns }: { rows: number; columns: number }): Tensor {
  const [N, C, H, W] = x.shape;
  return tabulate([N, C, Math.ceil(H / rows), Math.ceil(W / columns)], (n, c, h, w) =>
    get(x, n, c, h * rows, w * columns),
  );
}

/** The inverse: the rows and columns of every image, with zeros between. */
export function stuff(x: Tensor, { rows, columns }: { rows: number; columns: number }): Tensor {
  const [N, C, H, W] = x.shape;
  return tabulate([N, C, (H - 1) * rows + 1, (W - 1) * columns + 1], (n, c, h, w) =>
    h % rows || w % columns ? 0 : get(x, n, c, h / rows, w / columns),
  );
}

/** Batch entry n alone: (N, …) → (1, …). */
export function entry(x: Tensor, n: number): Tensor {
  return tabulate([1, ...x.shape.slice(1)], (_, ...rest) => get(x, n, ...rest));
}

/** The sum of numbers, rounded once (Neumaier: what every addition loses is added up apart). */
export function exactSum(values: Iterable<number>): number {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
