import { atLeast, dims, trueOrFalse, type Tensor } from './tensor.ts';

/** One number for both axes, or [height, width]. */
export type Pair = number | readonly [height: number, width: number];

/** Rows and columns outside an image, on each of its sides. */
export interface Border {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

export interface WindowOptions {
  /** Pixels from one place of the window to the next. Integers ≥ 1. Default 1. */
  readonly stride?: Pair;
  /**
   * Pixels around the image. Integers ≥ 0. Default 0. 'valid' adds none; 'same' adds what makes
   * OH = ⌈H / stride⌉, with the odd row and column at the bottom and right.
   */
  readonly padding?: Pair | Border | 'same' | 'valid';
  /** Pixels from one tap of the window to the next. Integers ≥ 1; 1 leaves no holes. Default 1. */
  readonly dilation?: Pair;
}

/** Of these, padding is at most half the kernel on each side, 'same' included. Average pools have no dilation. */
export interface PoolOptions extends WindowOptions {
  /** Rows and columns of the window, in pixels. Integers ≥ 1. The default stride is the kernel: no overlap. */
  readonly kernel: Pair;
  /**
   * Whether a last window may reach beyond the padded image. It must start inside the image or before it.
   * Default false.
   */
  readonly ceilMode?: boolean;
}

/** Where a KH×KW window stops on an H×W image: at OH×OW places, each time with KH×KW taps. */
export interface Geometry extends Border {
  readonly H: number;
  readonly W: number;
  readonly KH: number;
  readonly KW: number;
  readonly OH: number;
  readonly OW: number;
  /** ih = oh·strideH + kh·dilationH − top, the image row under tap row kh at place oh. */
  readonly row: (oh: number, kh: number) => number;
  /** iw = ow·strideW + kw·dilationW − left */
  readonly column: (ow: number, kw: number) => number;
  /** Whether (ih, iw) is a pixel of the image. */
  readonly inside: (ih: number, iw: number) => boolean;
  /** Whether (ih, iw) is a pixel of the image or of its padding: in ceil mode a window may reach beyond. */
  readonly padded: (ih: number, iw: number) => boolean;
}

/**
 * The places of a window, and the pixel under each of its taps.
 *
 * @throws RangeError if an option is out of range, or the window fits nowhere
 */
export function geometry(
  layer: string,
  [H, W]: readonly [number, number],
  [KH, KW]: readonly [number, number],
  { stride = 1, padding = 0, dilation = 1, ceilMode = false }: WindowOptions & Pick<PoolOptions, 'ceilMode'>,
): Geometry {
  const [strideH, strideW] = pair(`${layer}: stride`, stride, 1);
  const [dilationH, dilationW] = pair(`${layer}: dilation`, dilation, 1);
  const reachH = dilationH * (KH - 1) + 1; // rows from the first tap to the last
  const reachW = dilationW * (KW - 1) + 1;
  const { top, bottom, left, right } = border(layer, padding, [H, W], [reachH, reachW], [strideH, strideW]);
  const OH = places(H, top, bottom, reachH, strideH, ceilMode);
  const OW = places(W, left, right, reachW, strideW, ceilMode);
  if (OH < 1 || OW < 1)
    throw new RangeError(
      `${layer}: the window is ${reachH}×${reachW} pixels, ` +
        `expected at most the ${top + H + bottom}×${left + W + right} of the image and its padding`,
    );
  const row = (oh: number, kh: number) => oh * strideH + kh * dilationH - top;
  const column = (ow: number, kw: number) => ow * strideW + kw * dilationW - left;
  const inside = (ih: number, iw: number) => ih >= 0 && ih < H && iw >= 0 && iw < W;
  const padded = (ih: number, iw: number) => ih >= -top && ih < H + bottom && iw >= -left && iw < W + right;
  return { H, W, KH, KW, OH, OW, top, bottom, left, right, row, column, inside, padded };
}

/**
 * The one home of the output-size formula:
 *
 *     places = ⌊(before + size + after − reach) / stride⌋ + 1        reach = dilation·(taps − 1) + 1
 *
 * In ceil mode ⌈…⌉ + 1, less the last place if it starts beyond the image.
 *
 * @see Dumoulin & Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285, section 4
 */
function places(size: number, before: number, after: number, reach: number, stride: number, ceilMode: boolean): number {
  const steps = (before + size + after - reach) / stride;
  if (!ceilMode) return Math.floor(steps) + 1;
  const last = Math.ceil(steps);
  return last * stride < before + size ? last + 1 : last;
}

/** The shape rule of every pool: each channel is an image of its own, the padding at most half the kernel. */
export function poolGeometry(layer: string, x: Tensor, options: PoolOptions) {
  const [N, C, H, W] = dims(`${layer}: x`, x, ['N', 'C', 'H', 'W']);
  const { kernel, stride = kernel, ceilMode = false, ...others } = options;
  trueOrFalse(`${layer}: ceilMode`, ceilMode);
  const [KH, KW] = pair(`${layer}: kernel`, kernel, 1);
  const g = geometry(layer, [H, W], [KH, KW], { stride, ceilMode, ...others });
  for (const [side, taps] of Object.entries({ top: KH, bottom: KH, left: KW, right: KW })) {
    const width = g[side as keyof Border];
    if (2 * width > taps)
      throw new RangeError(`${layer}: padding at the ${side} is ${width}, expected at most half the kernel's ${taps}`);
  }
  return { N, C, ...g };
}

/** [height, width], both integers ≥ minimum. */
function pair(what: string, value: Pair, minimum: number): readonly [number, number] {
  if (typeof value !== 'number' && !(Array.isArray(value) && value.length === 2))
    throw new RangeError(`${what} is ${JSON.stringify(value)}, expected an integer ≥ ${minimum} or [height, width]`);
  const [height, width] = typeof value === 'number' ? [value, value] : value;
  atLeast(what, height, minimum);
  atLeast(what, width, minimum);
  return [height, width];
}

function border(
  layer: string,
  padding: NonNullable<WindowOptions['padding']>,
  [H, W]: readonly [number, number],
  [reachH, reachW]: readonly [number, number],
  [strideH, strideW]: readonly [number, number],
): Border {
  if (padding === 'valid') return { top: 0, bottom: 0, left: 0, right: 0 };
  if (padding === 'same') {
    const [top, bottom] = same(H, reachH, strideH);
    const [left, right] = same(W, reachW, strideW);
    return { top, bottom, left, right };
  }
  if (typeof padding === 'string')
    throw new RangeError(`${layer}: padding is '${padding}', expected 'same', 'valid' or numbers`);
  if (typeof padding === 'object' && padding !== null && !Array.isArray(padding)) {
    const { top, bottom, left, right } = padding as Border;
    for (const [side, width] of Object.entries({ top, bottom, left, right }))
      atLeast(`${layer}: padding at the ${side}`, width, 0);
    return { top, bottom, left, right };
  }
  const [rows, columns] = pair(`${layer}: padding`, padding as Pair, 0);
  return { top: rows, bottom: rows, left: columns, right: columns };
}

/** The padding [before, after] that lets the window stop ⌈size / stride⌉ times; the odd pixel comes after. */
function same(size: number, reach: number, stride: number): readonly [number, number] {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}
