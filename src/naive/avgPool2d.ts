import { accumulate, dims, get, getOr, knownOptions, set, trueOrFalse, zeros, type Tensor } from '../tensor.ts';
import { poolGeometry, type PoolOptions } from '../window.ts';

/**
 * The mean of the pixels under each window, channel by channel.
 *
 *     y[n,c,oh,ow] = Σ_{kh,kw} x[n, c, ih, iw] / count(oh, ow)
 *     ih = oh·stride + kh·dilation − top        iw = ow·stride + kw·dilation − left
 *
 * where x is 0 outside the image. count is how many taps lie on the image or its padding: KH·KW, but for a window that
 * reaches beyond the padding in ceil mode. With countIncludePad: false it is how many lie on the image.
 *
 *     x (N, C, H, W)    y (N, C, OH, OW)
 *
 * @throws RangeError if a shape or an option does not fit, or the padding exceeds half the kernel
 */
export function avgPool2d(x: Tensor, options: AvgPool2dOptions): Tensor {
  const { N, C, KH, KW, OH, OW, row, column, count } = avgPool2dShape(x, options);
  const y = zeros([N, C, OH, OW]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          let sum = 0;
          for (let kh = 0; kh < KH; kh++)
            for (let kw = 0; kw < KW; kw++) sum += getOr(0, x, n, c, row(oh, kh), column(ow, kw));
          set(y, sum / count(oh, ow), n, c, oh, ow);
        }
  return y;
}

/** Every pixel under a window gets an equal share of its dy: dy / count. */
export function avgPool2dBackward(dy: Tensor, x: Tensor, options: AvgPool2dOptions): { dx: Tensor } {
  const { N, C, KH, KW, OH, OW, row, column, inside, count } = avgPool2dShape(x, options);
  dims('avgPool2dBackward: dy', dy, [N, C, OH, OW]);
  const dx = zeros(x.shape);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          const share = get(dy, n, c, oh, ow) / count(oh, ow);
          for (let kh = 0; kh < KH; kh++)
            for (let kw = 0; kw < KW; kw++) {
              const [ih, iw] = [row(oh, kh), column(ow, kw)];
              if (inside(ih, iw)) accumulate(dx, share, n, c, ih, iw);
            }
        }
  return { dx };
}

/** Without dilation, so that no window misses the image. */
export interface AvgPool2dOptions extends Omit<PoolOptions, 'dilation'> {
  /** Whether padding counts as pixels of value 0. Default true. */
  readonly countIncludePad?: boolean;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function avgPool2dShape(x: Tensor, options: AvgPool2dOptions) {
  knownOptions('avgPool2d', options, ['kernel', 'stride', 'padding', 'ceilMode', 'countIncludePad']);
  const { countIncludePad = true, ...window } = options;
  trueOrFalse('avgPool2d: countIncludePad', countIncludePad);
  const g = poolGeometry('avgPool2d', x, window);
  const counts = countIncludePad ? g.padded : g.inside;
  const count = (oh: number, ow: number) => {
    let taps = 0;
    for (let kh = 0; kh < g.KH; kh++)
      for (let kw = 0; kw < g.KW; kw++) if (counts(g.row(oh, kh), g.column(ow, kw))) taps++;
    return taps;
  };
  return { countIncludePad, ...g, count };
}
