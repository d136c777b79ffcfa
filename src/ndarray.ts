import { atLeast, dims, set, size, zeros, type Tensor } from './tensor.ts';
import type { Geometry } from './window.ts';

// ── Shape ───────────────────────────────────────────────────────────────────

/** Same numbers, new shape. Shares `data`: no function here writes to its inputs. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  if (size(shape) !== x.data.length)
    throw new RangeError(`reshape: ${x.data.length} numbers do not fill (${shape.join(', ')})`);
  return { shape, data: x.data };
}

/** The same tensor, in memory of its own. */
export const copy = (x: Tensor): Tensor => ({ shape: x.shape, data: x.data.slice() });

/** All ones. */
export const ones = (shape: readonly number[]): Tensor => map(zeros(shape), () => 1);

/** Swaps the last two axes: (…, A, B) → (…, B, A). */
export function transpose(x: Tensor): Tensor {
  if (x.shape.length < 2) throw new RangeError(`transpose: x has shape (${x.shape.join(', ')}), expected (…, A, B)`);
  const [A, B] = x.shape.slice(-2);
  const y = zeros([...x.shape.slice(0, -2), B, A]);
  for (let start = 0; start < x.data.length; start += A * B)
    for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) y.data[start + b * A + a] = x.data[start + a * B + b];
  return y;
}

/** Axis i of the result is axis axes[i] of x: permute(x, [0, 2, 3, 1]) turns (N, C, H, W) into (N, H, W, C). */
export function permute(x: Tensor, axes: readonly number[]): Tensor {
  const all = x.shape.map((_, axis) => axis);
  if (`${axes.toSorted((a, b) => a - b)}` !== `${all}`)
    throw new RangeError(`permute: axes is (${axes.join(', ')}), expected ${all.join(', ')} in any order`);
  const steps = x.shape.map((_, axis) => size(x.shape.slice(axis + 1)));
  const y = zeros(axes.map((axis) => x.shape[axis]));
  const from = walk(
    y.shape,
    axes.map((axis) => steps[axis]),
  );
  for (let i = 0; i < from.length; i++) y.data[i] = x.data[from[i]];
  return y;
}

/** (N) → (N, K): 1 at [n, labels[n]], 0 elsewhere. */
export function oneHot(labels: Tensor, K: number): Tensor {
  const [N] = dims('oneHot: labels', labels, ['N']);
  atLeast('oneHot: K', K, 1);
  const y = zeros([N, K]);
  labels.data.forEach((label, n) => {
    if (!Number.isInteger(label) || label < 0 || label >= K)
      throw new RangeError(`oneHot: labels[${n}] is ${label}, expected an integer in [0, ${K})`);
    set(y, 1, n, label);
  });
  return y;
}

// ── Element by element ──────────────────────────────────────────────────────

export function map(x: Tensor, f: (value: number) => number): Tensor {
  return { shape: x.shape, data: x.data.map(f) };
}

/** f(a, b) element by element. Axes of size 1, and missing leading axes, repeat (NumPy broadcasting). */
export function zip(a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor {
  const rank = Math.max(a.shape.length, b.shape.length);
  const [sa, sb] = [a, b].map((t) => [...Array<number>(rank - t.shape.length).fill(1), ...t.shape]);
  if (sa.some((s, axis) => s !== sb[axis] && s !== 1 && sb[axis] !== 1))
    throw new RangeError(`zip: shapes (${a.shape.join(', ')}) and (${b.shape.join(', ')}) do not broadcast`);
  const y = zeros(sa.map((s, axis) => (s === 1 ? sb[axis] : s)));
  const [left, right, out] = [a.data, b.data, y.data];
  const [ra, rb] = [rows(sa, y.shape), rows(sb, y.shape)];
  for (let row = 0, at = 0; row < ra.starts.length; row++)
    for (let k = 0, ia = ra.starts[row], ib = rb.starts[row]; k < ra.count; k++, at++, ia += ra.step, ib += rb.step)
      out[at] = f(left[ia], right[ib]);
  return y;
}
export const add = (a: Tensor, b: Tensor) => zip(a, b, (a, b) => a + b);
export const sub = (a: Tensor, b: Tensor) => zip(a, b, (a, b) => a - b);
export const mul = (a: Tensor, b: Tensor) => zip(a, b, (a, b) => a * b);
export const div = (a: Tensor, b: Tensor) => zip(a, b, (a, b) => a / b);

// ── Reductions: the reduced axes stay, with size 1, so the result broadcasts back ──

export function reduce(
  x: Tensor,
  axes: readonly number[],
  start: number,
  f: (acc: number, value: number) => number,
): Tensor {
  const none = axes.find((axis) => !(axis in x.shape));
  if (none !== undefined) throw new RangeError(`reduce: x has shape (${x.shape.join(', ')}) and no axis ${none}`);
  const y = zeros(x.shape.map((s, axis) => (axes.includes(axis) ? 1 : s)));
  y.data.fill(start);
  const { starts, count, step } = rows(y.shape, x.shape);
  const [from, to] = [x.data, y.data];
  for (let row = 0, at = 0; row < starts.length; row++)
    for (let k = 0, iy = starts[row]; k < count; k++, at++, iy += step) to[iy] = f(to[iy], from[at]);
  return y;
}
export const sum = (x: Tensor, axes: readonly number[]) => reduce(x, axes, 0, (a, b) => a + b);
export const max = (x: Tensor, axes: readonly number[]) => reduce(x, axes, -Infinity, Math.max);

/**
 * (N, K, L) → (N, K, L): 1 where x holds the first maximum of its column x[n, :, l], 0 elsewhere.
 * NaN is larger than any number; a column of −∞ has no maximum.
 */
export function firstMax(x: Tensor): Tensor {
  const [N, K, L] = dims('firstMax: x', x, ['N', 'K', 'L']);
  const y = zeros(x.shape);
  for (let n = 0; n < N; n++)
    for (let l = 0; l < L; l++) {
      let [largest, winner] = [-Infinity, -1];
      for (let k = 0, at = n * K * L + l; k < K; k++, at += L) {
        if (!(x.data[at] > largest || (Number.isNaN(x.data[at]) && !Number.isNaN(largest)))) continue;
        [largest, winner] = [x.data[at], at];
      }
      if (winner >= 0) y.data[winner] = 1;
    }
  return y;
}

// ── Products ────────────────────────────────────────────────────────────────

/** (…, M, K) · (…, K, P) → (…, M, P): one product per batch entry; missing leading axes repeat. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  const [M, K] = a.shape.slice(-2);
  const [K2, P] = b.shape.slice(-2);
  const [batchA, batchB] = [a, b].map((t) => t.shape.slice(0, -2));
  const [long, short] = batchA.length > batchB.length ? [batchA, batchB] : [batchB, batchA];
  const repeats = short.every((s, i) => s === long[long.length - short.length + i]);
  if (a.shape.length < 2 || b.shape.length < 2 || K !== K2 || !repeats)
    throw new RangeError(`matmul: (${a.shape.join(', ')}) · (${b.shape.join(', ')}) do not fit`);
  const y = zeros([...long, M, P]);
  const [left, right, out] = [a.data, b.data, y.data];
  for (let entry = 0; entry < size(long); entry++) {
    const ia = (entry * M * K) % left.length;
    const ib = (entry * K * P) % right.length;
    for (let m = 0; m < M; m++) {
      const row = (entry * M + m) * P;
      let k = 0;
      for (; k + 4 <= K; k += 4) {
        // four products for each time that y is read and written: twice as fast, measured
        const [i, j] = [ia + m * K + k, ib + k * P];
        const [a0, a1, a2, a3] = [left[i], left[i + 1], left[i + 2], left[i + 3]];
        const [j1, j2, j3] = [j + P, j + 2 * P, j + 3 * P];
        for (let p = 0; p < P; p++)
          out[row + p] += a0 * right[j + p] + a1 * right[j1 + p] + a2 * right[j2 + p] + a3 * right[j3 + p];
      }
      for (; k < K; k++) {
        const factor = left[ia + m * K + k];
        for (let p = 0; p < P; p++) out[row + p] += factor * right[ib + k * P + p];
      }
    }
  }
  return y;
}

// ── Windows ─────────────────────────────────────────────────────────────────

/**
 * (N, C, H, W) → (N, C·KH·KW, OH·OW): column p holds the pixels under the window at place p.
 * `outside` stands for the padding, `beyond` for what lies beyond it.
 */
export function unfold(x: Tensor, g: Geometry, outside = 0, beyond = outside): Tensor {
  const [N, C] = dims('unfold: x', x, ['N', 'C', g.H, g.W]);
  const y = zeros([N, C * g.KH * g.KW, g.OH * g.OW]);
  const pixels = taps(g);
  const [from, to] = [x.data, y.data];
  for (let image = 0, at = 0; image < N * C; image++)
    for (let i = 0; i < pixels.length; i++, at++) {
      const pixel = pixels[i];
      to[at] = pixel >= 0 ? from[image * g.H * g.W + pixel] : pixel === PADDING ? outside : beyond;
    }
  return y;
}

/** (N, C·KH·KW, OH·OW) → (N, C, H, W), the adjoint of unfold: adds every window back where it came from. */
export function fold(y: Tensor, g: Geometry): Tensor {
  const [N, rows] = dims('fold: y', y, ['N', 'C·KH·KW', g.OH * g.OW]);
  const C = rows / (g.KH * g.KW);
  if (!Number.isInteger(C)) throw new RangeError(`fold: y has ${rows} rows, expected a multiple of ${g.KH * g.KW}`);
  const x = zeros([N, C, g.H, g.W]);
  const pixels = taps(g);
  const [from, to] = [y.data, x.data];
  for (let image = 0, at = 0; image < N * C; image++)
    for (let i = 0; i < pixels.length; i++, at++) if (pixels[i] >= 0) to[image * g.H * g.W + pixels[i]] += from[at];
  return x;
}

const [PADDING, BEYOND] = [-1, -2];

/** For every (kh, kw, oh, ow), in order: the position in its H×W image of the pixel under the tap, or where it is not. */
function taps(g: Geometry): Int32Array {
  const positions = new Int32Array(g.KH * g.KW * g.OH * g.OW);
  let at = 0;
  for (let kh = 0; kh < g.KH; kh++)
    for (let kw = 0; kw < g.KW; kw++)
      for (let oh = 0; oh < g.OH; oh++)
        for (let ow = 0; ow < g.OW; ow++) {
          const [ih, iw] = [g.row(oh, kh), g.column(ow, kw)];
          positions[at++] = g.inside(ih, iw) ? ih * g.W + iw : g.padded(ih, iw) ? PADDING : BEYOND;
        }
  return positions;
}

// ── Index arithmetic ────────────────────────────────────────────────────────

/**
 * The rows of a tensor of shape `to` as they lie in one of shape `from`, whose 1-axes repeat: where each starts there, how
 * many elements it has, and how far apart they are.
 *
 *     rows([2, 1], [2, 3]): 0 1, 3 elements, step 0        rows([1, 3], [2, 3]): 0 0, 3 elements, step 1
 */
function rows(from: readonly number[], to: readonly number[]) {
  let size = 1;
  const steps = from.map(() => 0);
  for (let axis = from.length - 1; axis >= 0; size *= from[axis--]) if (from[axis] > 1) steps[axis] = size;
  return { starts: walk(to.slice(0, -1), steps), count: to.at(-1) ?? 1, step: steps.at(-1) ?? 0 };
}

/** For every element of a tensor of this shape, in order: Σ index · step over its axes. */
function walk(shape: readonly number[], steps: readonly number[]): Int32Array {
  let at = Int32Array.of(0);
  shape.forEach((count, axis) => {
    const next = new Int32Array(at.length * count);
    const step = steps[axis];
    for (let i = 0; i < at.length; i++) for (let k = 0; k < count; k++) next[i * count + k] = at[i] + k * step;
    at = next;
  });
  return at;
}
