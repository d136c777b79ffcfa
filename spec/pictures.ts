import fc from 'fast-check';
import type { Picture } from '../src/data/image.ts';
import type { Images } from '../src/data/images.ts';
import { expectTensor } from './close.ts';
import { random } from '../src/random.ts';

/** The picture in gray that rows of numbers spell out. */
export const gray = (rows: readonly (readonly number[])[]): Picture => ({
  height: rows.length,
  width: rows[0].length,
  channels: 1,
  pixels: Uint8Array.from(rows.flat()),
});

/** And back. */
export const rowsOf = ({ height, width, pixels }: Picture): number[][] =>
  Array.from({ length: height }, (_, row) => [...pixels.subarray(row * width, (row + 1) * width)]);

/** Rows become columns. */
export const transposed = (picture: Picture): Picture => {
  const rows = rowsOf(picture);
  return gray(rows[0].map((_, column) => rows.map((row) => row[column])));
};

/** Picture n of a set in gray. */
export const pictureOf = ({ shape: [, height, width], pixels }: Images, n: number): Picture => ({
  height,
  width,
  channels: 1,
  pixels: Uint8Array.from(pixels.subarray(n * height * width, (n + 1) * height * width)),
});

/** A picture on a larger field of one value. */
export const placed = (picture: Picture, field: number, [height, width]: number[], [top, left]: number[]): Picture => {
  const pixels = new Uint8Array(height * width).fill(field);
  for (let row = 0; row < picture.height; row++)
    pixels.set(picture.pixels.subarray(row * picture.width, (row + 1) * picture.width), (top + row) * width + left);
  return { height, width, channels: 1, pixels };
};

/**
 * The same pixels, each as near as `within`.
 * @throws AssertionError 'picture[3, 0, 0] is 12, expected 13': row, column, channel
 */
export const expectPicture = (actual: Picture, expected: Picture, within = 0): void => {
  const numbers = ({ height, width, channels, pixels }: Picture) => ({
    shape: [height, width, channels],
    data: Float64Array.from(pixels),
  });
  expectTensor('picture', numbers(actual), numbers(expected), within);
};

/** Any pictures in gray, mostly not square. */
export const pictures = (value = fc.nat(255), most = 9): fc.Arbitrary<Picture> =>
  fc
    .record({ height: fc.integer({ min: 1, max: most }), width: fc.integer({ min: 1, max: most }) })
    .chain(({ height, width }) =>
      fc
        .array(value, { minLength: height * width, maxLength: height * width, size: 'max' })
        .map((values) => ({ height, width, channels: 1 as const, pixels: Uint8Array.from(values) })),
    );

/** Pictures of a model's size in three classes, each with a brighter channel or corner of its own. */
export function threeKinds([C, H, W]: readonly number[], count: number): Images {
  const { uniform } = random(7);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 3);
  const pixels = Uint8Array.from({ length: count * C * H * W }, (_, i) => {
    const [n, c, h, w] = [Math.floor(i / (C * H * W)), Math.floor(i / (H * W)) % C, Math.floor(i / W) % H, i % W];
    const bright = [c === 0 && h < H / 2, c === C - 1 && w < W / 2, h >= H / 2 && w >= W / 2][n % 3];
    return 255 * uniform() * (bright ? 1 : 0.3);
  });
  return { shape: [C, H, W], pixels, labels };
}
