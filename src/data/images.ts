import { div, reshape, sub, unfold } from '../ndarray.ts';
import type { Random } from '../random.ts';
import { atLeast, dims, size, type Tensor } from '../tensor.ts';
import { geometry, type Border, type Pair } from '../window.ts';

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

/**
 * The last `count` pictures.
 * @throws RangeError if there are not as many
 */
export function last(count: number, { shape, pixels, labels }: Images): Images {
  const { length } = first(count, { shape, pixels, labels }).labels;
  return {
    shape,
    pixels: pixels.subarray(pixels.length - length * size(shape)),
    labels: labels.subarray(labels.length - length),
  };
}

/**
 * One pass over the pictures, `batch` at a time and at last those that are left: in the order of the set, or in one
 * drawn from `random`.
 *
 * @throws RangeError if batch is not an integer ≥ 1
 */
export function* batches(images: Images, batch: number, random?: Random): Generator<{ x: Tensor; labels: Tensor }> {
  for (const positions of batchPositions(images, batch, random)) yield batchOf(images, positions);
}

/** The positions of the pictures in each batch: see batches. */
export function* batchPositions({ labels }: Images, batch: number, random?: Random): Generator<Uint32Array> {
  atLeast('batches: batch', batch, 1);
  const order = random?.shuffled(labels.length) ?? Uint32Array.from(labels, (_, i) => i);
  for (let start = 0; start < order.length; start += batch) yield order.subarray(start, start + batch);
}

/**
 * (x − mean[c]) / std[c] for the pixels of every channel c. MNIST's own are 0.1307 and 0.3081.
 *
 *     x (N, C, H, W)    mean, std: one number for each channel
 *
 * @throws RangeError if there are not as many, a mean is not finite, or a std is not above 0
 */
export function normalize(x: Tensor, mean: readonly number[], std: readonly number[]): Tensor {
  const [, C] = dims('normalize: x', x, ['N', 'C', 'H', 'W']);
  for (const [name, values] of Object.entries({ mean, std })) {
    if (values.length !== C)
      throw new RangeError(`normalize: ${name} has ${values.length} numbers, expected ${C}: one for each channel`);
    const wrong = values.findIndex((value) => !Number.isFinite(value) || (name === 'std' && value <= 0));
    if (wrong >= 0)
      throw new RangeError(
        `normalize: ${name}[${wrong}] is ${values[wrong]}, expected a number${name === 'std' ? ' above 0' : ''}`,
      );
  }
  const [m, s] = [mean, std].map((values) => ({ shape: [C, 1, 1], data: Float64Array.from(values) }));
  return div(sub(x, m), s);
}

/**
 * Zeros around every picture: (N, C, H, W) → (N, C, top + H + bottom, left + W + right).
 * @throws RangeError if the padding is not of integers ≥ 0
 */
export function pad(x: Tensor, padding: Pair | Border): Tensor {
  const [N, C, H, W] = dims('pad: x', x, ['N', 'C', 'H', 'W']);
  const g = geometry('pad', [H, W], [1, 1], { padding }); // a window of one pixel stops at every pixel there will be
  return reshape(unfold(x, g), [N, C, g.OH, g.OW]);
}
