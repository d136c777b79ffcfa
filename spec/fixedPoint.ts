import { all, create, type BigNumber } from 'mathjs';
import { taps, type ExactLayer } from './exact.ts';

/**
 * The layers of LeNet-5 in fixed-point numbers, 256 bits or 77 digits after the point: an integer n is n / 2²⁵⁶. A forward
 * pass takes a second, where mathjs' decimals take minutes; only exp and log are theirs. Nothing is shared with src/.
 */

export type Fixed = bigint;
export interface FixedTensor {
  readonly shape: readonly number[];
  readonly data: readonly Fixed[];
}

const BITS = 256n;
const math = create(all, { precision: 80 });
/** Less than any difference of pixels, and more than a step h moves one: of equal pixels the first is the largest. */
const TINY = 1n << (BITS - 70n);
/** A step of difference quotients, exact to 2⁻²⁴⁰ and to 2⁻¹²⁰ by rounding. */
export const h: Fixed = 1n << (BITS - 120n);
const ONE = math.bignumber((1n << BITS).toString());

/** Exact for every float64 that is a multiple of 2⁻²⁵⁶; what is smaller is cut off. */
export function fixed(value: number): Fixed {
  let halvings = 0n;
  for (; !Number.isInteger(value); value *= 2) halvings++;
  return (BigInt(value) << BITS) >> halvings;
}

/** a·b */
export const times = (a: Fixed, b: Fixed): Fixed => (a * b) >> BITS;
/** a / b */
export const over = (a: Fixed, b: Fixed): Fixed => (a << BITS) / b;
/** To the nearest float64, or its neighbour. */
export const toNumber = (value: Fixed): number => Number(value) / 2 ** Number(BITS);

/** The y of every step, from x on: layer(previous y, ...arguments). */
export function flow(
  steps: readonly ExactLayer[],
  x: FixedTensor,
  named: Readonly<Record<string, FixedTensor>>,
): readonly FixedTensor[] {
  const ys: FixedTensor[] = [];
  for (const { layer, arguments: names, options } of steps) {
    if (!(layer in layers)) throw new RangeError(`no ${layer} in fixed-point numbers`);
    ys.push(layers[layer]([ys.at(-1) ?? x, ...names.map((name) => named[name])], options as never));
  }
  return ys;
}

type Window = Parameters<typeof taps>[3] & { readonly kernel: readonly number[] };
type Layer = (args: readonly FixedTensor[], options: Window) => FixedTensor;

const layers: Readonly<Record<string, Layer>> = {
  conv2d([x, w, b], options) {
    const [N, C, H, W] = x.shape;
    const [O, , KH, KW] = w.shape;
    const [rows, columns] = [taps(H, KH, 0, options), taps(W, KW, 1, options)];
    const data: Fixed[] = [];
    for (let n = 0; n < N; n++)
      for (let o = 0; o < O; o++)
        for (const row of rows)
          for (const column of columns) {
            let sum = b.data[o] << BITS;
            for (let c = 0; c < C; c++)
              for (let kh = 0; kh < KH; kh++)
                for (let kw = 0; kw < KW; kw++) {
                  const [ih, iw] = [row[kh], column[kw]];
                  if (ih >= 0 && ih < H && iw >= 0 && iw < W)
                    sum += x.data[((n * C + c) * H + ih) * W + iw] * w.data[((o * C + c) * KH + kh) * KW + kw];
                }
            data.push(sum >> BITS);
          }
    return { shape: [N, O, rows.length, columns.length], data };
  },

  relu: ([x]) => ({ shape: x.shape, data: x.data.map((value) => (value > TINY ? value : 0n)) }),

  maxPool2d([x], options) {
    const [N, C, H, W] = x.shape;
    const rows = taps(H, options.kernel[0], 0, options);
    const columns = taps(W, options.kernel[1], 1, options);
    const data: Fixed[] = [];
    for (let image = 0; image < N * C; image++)
      for (const row of rows)
        for (const column of columns) {
          const pixels = row.flatMap((ih) => column.map((iw) => x.data[(image * H + ih) * W + iw]));
          data.push(pixels.reduce((a, b) => (b > a + TINY ? b : a)));
        }
    return { shape: [N, C, rows.length, columns.length], data };
  },

  flatten: ([x]) => ({ shape: [x.shape[0], x.data.length / x.shape[0]], data: x.data }),

  linear([x, w, b]) {
    const [[N, D], [O]] = [x.shape, w.shape];
    const data: Fixed[] = [];
    for (let n = 0; n < N; n++)
      for (let o = 0; o < O; o++) {
        let sum = b.data[o] << BITS;
        for (let d = 0; d < D; d++) sum += x.data[n * D + d] * w.data[o * D + d];
        data.push(sum >> BITS);
      }
    return { shape: [N, O], data };
  },

  softmaxCrossEntropy([logits, labels]) {
    const [N, K] = logits.shape;
    const decimals = logits.data.map((value) => math.bignumber(value.toString()).div(ONE));
    let total = math.bignumber(0);
    for (let n = 0; n < N; n++) {
      const row = decimals.slice(n * K, (n + 1) * K);
      const sum = row.map((value) => math.exp(value)).reduce((a, b) => a.add(b));
      total = total.add(math.log(sum) as BigNumber).sub(row[Number(labels.data[n] >> BITS)]);
    }
    return { shape: [], data: [BigInt(total.div(N).mul(ONE).round().toFixed())] };
  },
};
