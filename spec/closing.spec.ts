import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closing } from '../src/data/closing.ts';
import type { Picture } from '../src/data/image.ts';
import { expectPicture, gray, pictures, transposed } from './pictures.ts';

/** The definition word by word: the least, over all squares that hold a pixel, of the greatest pixel in the square. */
function byDefinition({ height, width, pixels, channels }: Picture, size: number): Picture {
  const greatest = (top: number, left: number) => {
    let most = -Infinity;
    for (let row = Math.max(0, top); row < Math.min(height, top + size); row++)
      for (let column = Math.max(0, left); column < Math.min(width, left + size); column++)
        most = Math.max(most, pixels[row * width + column]);
    return most;
  };
  const closed = pixels.map((_, i) => {
    const [row, column] = [Math.floor(i / width), i % width];
    let least = Infinity;
    for (let top = row - size + 1; top <= row; top++)
      for (let left = column - size + 1; left <= column; left++) least = Math.min(least, greatest(top, left));
    return least;
  });
  return { height, width, channels, pixels: closed };
}

const sizes = fc.integer({ min: 1, max: 12 });

describe('closing', () => {
  it('is the least, over all squares that hold a pixel, of the greatest pixel in the square', () => {
    fc.assert(
      fc.property(pictures(), sizes, (picture, size) =>
        expectPicture(closing(picture, size), byDefinition(picture, size)),
      ),
    );
  });

  it.each<[string, number, number[], number[]]>([
    ['a stroke narrower than the square becomes paper', 3, [9, 8, 1, 2, 9, 9], [9, 8, 8, 8, 9, 9]],
    ['one as wide as the square stays', 3, [9, 9, 1, 2, 1, 9, 9], [9, 9, 2, 2, 2, 9, 9]],
    ['one at the edge may go on beyond it, and stays', 3, [1, 9, 9, 9, 9], [1, 9, 9, 9, 9]],
    ['what is bright stays, however narrow', 3, [1, 1, 1, 9, 1, 1, 1], [1, 1, 1, 9, 1, 1, 1]],
    ['between two bright pixels it is as bright as the darker', 4, [7, 0, 0, 0, 5, 5], [7, 5, 5, 5, 5, 5]],
  ])('golden: %s', (_, size, line, closed) => {
    const rows = (values: number[]) => gray(Array.from({ length: size }, () => values));
    expectPicture(closing(rows(line), size), rows(closed));
    expectPicture(closing(transposed(rows(line)), size), transposed(rows(closed)));
  });

  it('once is enough: what has been closed stays as it is, and squares of one pixel close nothing', () => {
    fc.assert(
      fc.property(pictures(), sizes, (picture, size) => {
        const closed = closing(picture, size);
        expectPicture(closing(closed, size), closed);
        expectPicture(closing(picture, 1), picture);
      }),
    );
  });

  it('the picture is not written to', () => {
    const picture = gray([[0, 4, 0], [0, 9, 0]]); // prettier-ignore
    const before = structuredClone(picture);
    closing(picture, 2);
    expect(picture).toEqual(before);
  });

  it.each<[string, () => unknown]>([
    ['closing: size is 0, expected an integer ≥ 1', () => closing(gray([[0]]), 0)],
    ['closing: size is 1.5, expected an integer ≥ 1', () => closing(gray([[0]]), 1.5)],
    [
      'closing: the picture has 3 channels, expected 1: see grayscale',
      () => closing({ height: 1, width: 1, channels: 3, pixels: new Uint8Array(3) }, 1),
    ],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
