import { size, type Tensor } from '../tensor.ts';

/** A set of labelled pictures, as bytes: 60,000 of them as float64 would take 376 MB. */
export interface Images {
  /** The shape (C, H, W) of one picture. */
  readonly shape: readonly number[];
  /** Picture after picture, one byte a pixel. */
  readonly pixels: Uint8Array;
  /** The class of each picture. */
  readonly labels: Uint8Array;
}

/** The pictures at the given positions: x (N, C, H, W) with pixels from 0 to 1, labels (N). */
export function batchOf(images: Images, positions: Uint32Array): { x: Tensor; labels: Tensor } {
  const pixels = size(images.shape);
  const x = { shape: [positions.length, ...images.shape], data: new Float64Array(positions.length * pixels) };
  positions.forEach((position, n) => {
    for (let i = 0; i < pixels; i++) x.data[n * pixels + i] = images.pixels[position * pixels + i] / 255;
  });
  return { x, labels: { shape: [positions.length], data: Float64Array.from(positions, (p) => images.labels[p]) } };
}

/**
 * The first `count` pictures.
 * @throws RangeError if there are not as many
 */
export function first(count: number, { shape, pixels, labels }: Images): Images {
  if (!Number.isInteger(count) || count < 1 || count > labels.length)
    throw new RangeError(`the number of images is ${count}, expected an integer from 1 to ${labels.length}`);
  return { shape, pixels: pixels.subarray(0, count * size(shape)), labels: labels.subarray(0, count) };
}
