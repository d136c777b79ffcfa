import { atLeast } from '../tensor.ts';
import { inGray, type Picture } from './image.ts';

/** What a pixel of the new picture is made of; see `resize`. */
export type Filter = 'nearest' | 'box' | 'bilinear' | 'bicubic';

/**
 * A picture in gray at another size, to the last bit as Pillow resizes it.
 *
 *     y[i] = Σⱼ k((j + ½ − c) / s)·x[j] / Σⱼ k((j + ½ − c) / s)        c = (i + ½)·n / m, s = max(1, n / m)
 *
 * along each line of n pixels that becomes one of m: first along the rows, then along the columns, rounded to 8 bits
 * each time. The kernel k is
 *
 *     box         1 where −½ < x ≤ ½                                   the mean of the pixels
 *     bilinear    1 − |x| where |x| < 1                                a straight line between neighbours
 *     bicubic     3/2·|x|³ − 5/2·|x|² + 1 where |x| < 1,               Pillow's default
 *                 −½·|x|³ + 5/2·|x|² − 4·|x| + 2 where 1 ≤ |x| < 2
 *
 * and 0 elsewhere. In a smaller picture (s > 1) it reaches over more pixels, so that none is passed over. 'nearest' has no
 * kernel: y[i] is the pixel on which c falls, the others are lost.
 *
 * @throws RangeError if the picture is malformed or not in gray, or a size is not an integer ≥ 1
 * @see Keys, Cubic convolution interpolation for digital image processing, IEEE TASSP 29(6), 1981
 */
export function resize(picture: Picture, height: number, width: number, filter: Filter = 'bicubic'): Picture {
  const { height: H, width: W, pixels } = inGray('resize', picture);
  atLeast('resize: height', height, 1);
  atLeast('resize: width', width, 1);
  if (filter !== 'nearest' && !Object.hasOwn(kernels, filter))
    throw new RangeError(`resize: filter is '${filter}', expected nearest, box, bilinear or bicubic`);
  const taps = (n: number, m: number) => (filter === 'nearest' ? nearest(n, m) : weighted(n, m, kernels[filter]));
  const columns = resizedRows(pixels, W, taps(W, width)); // (width, H)
  return { height, width, channels: 1, pixels: resizedRows(columns, H, taps(H, height)) };
}

interface Kernel {
  /** k(x) is 0 where |x| is larger. */
  readonly support: number;
  readonly k: (x: number) => number;
}
const kernels: Readonly<Record<Exclude<Filter, 'nearest'>, Kernel>> = {
  box: { support: 0.5, k: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) },
  bilinear: { support: 1, k: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: {
    support: 2,
    k(x) {
      const d = Math.abs(x);
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    },
  },
};

/** What one pixel of the new line is made of: weights, in units of 2⁻²², of neighbouring pixels from `first` on. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}
const ONE = 2 ** 22;

function weighted(n: number, m: number, { support, k }: Kernel): readonly Taps[] {
  const stretch = Math.max(1, n / m);
  return Array.from({ length: m }, (_, i) => {
    const centre = (i + 0.5) * (n / m);
    const first = Math.max(0, Math.floor(centre - support * stretch + 0.5));
    const end = Math.min(n, Math.floor(centre + support * stretch + 0.5));
    const values = Array.from({ length: end - first }, (_, j) => k((first + j + 0.5 - centre) / stretch));
    const total = values.reduce((sum, value) => sum + value, 0);
    return { first, weights: values.map((value) => rounded((value / total) * ONE)) };
  });
}

/** The nearest integer; halves away from 0. */
const rounded = (value: number) => Math.sign(value) * Math.round(Math.abs(value));

/** c = (i + ½)·n / m, added up step by step: Pillow's roundings, which decide where c lies between two pixels. */
function nearest(n: number, m: number): readonly Taps[] {
  const taps: Taps[] = [];
  for (let centre = (n / m) * 0.5; taps.length < m; centre += n / m)
    taps.push({ first: Math.floor(centre), weights: [ONE] });
  return taps;
}

/** Rows of `from` pixels, each made into one of taps.length: those are the columns of the result. */
function resizedRows(pixels: Uint8Array, from: number, taps: readonly Taps[]): Uint8Array {
  const rows = pixels.length / from;
  const result = new Uint8Array(taps.length * rows);
  taps.forEach(({ first, weights }, i) => {
    for (let row = 0; row < rows; row++) {
      let sum = ONE / 2;
      for (let j = 0; j < weights.length; j++) sum += weights[j] * pixels[row * from + first + j];
      result[i * rows + row] = Math.min(255, Math.max(0, Math.floor(sum / ONE)));
    }
  });
  return result;
}
