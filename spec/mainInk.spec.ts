import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mainInk } from '../src/data/mainInk.ts';
import { expectPicture, gray, pictures, transposed } from './pictures.ts';

/** '9' is ink of brightness 9, '.' is none. */
const drawn = (...rows: string[]) => gray(rows.map((row) => [...row].map((c) => (c === '.' ? 0 : Number(c)))));

describe('mainInk', () => {
  it.each<[string, number, string[], string[]]>([
    ['a piece of less than a tenth of the largest is a speck', 0, ['9.8888', '..8888', '8.8888'], ['..8888', '..8888', '..8888']], // prettier-ignore
    ['one of a tenth is ink', 0, ['9.8888', '..8888', '..88..'], ['9.8888', '..8888', '..88..']],
    ['so are two pieces of like size, as of a 5', 0, ['999..', '.....', '..999'], ['999..', '.....', '..999']],
    [
      'pixels that touch at a corner are of one piece',
      0,
      ['.88888', '9.8888', '..8888'],
      ['.88888', '9.8888', '..8888'],
    ],
    ['at any corner', 0, ['88888.', '8888.9', '8888..'], ['88888.', '8888.9', '8888..']],
    ['what is no brighter than paper is paper, and joins nothing', 3, ['9388', '4.88'], ['9.88', '4.88']],
    ['and a speck is counted in what is brighter', 3, ['9.88833', '..88833', '..88844'], ['..888..', '..888..', '..88844']], // prettier-ignore
    ['a row does not go on in the next', 0, ['8888.', '8888.', '888.9', '.....', '9....'], ['8888.', '8888.', '888.9', '.....', '.....']], // prettier-ignore
  ])('golden: %s', (_, paper, before, after) => {
    expectPicture(mainInk(drawn(...before), paper), drawn(...after));
    expectPicture(mainInk(transposed(drawn(...before)), paper), transposed(drawn(...after)));
  });

  it('each pixel stays as it is or becomes 0, and the largest piece stays', () => {
    fc.assert(
      fc.property(pictures(fc.constantFrom(0, 90, 255)), fc.constantFrom(0, 90), (picture, paper) => {
        const ink = mainInk(picture, paper);
        ink.pixels.forEach((value, i) => expect([0, picture.pixels[i]]).toContain(value));
        expect(ink.pixels.some((value) => value > 0)).toBe(picture.pixels.some((value) => value > paper));
        expectPicture(mainInk(ink, paper), ink);
      }),
    );
  });

  it.each<[string, () => unknown]>([
    ['mainInk: paper is 256, expected a number from 0 to 255', () => mainInk(drawn('9'), 256)],
    [
      'mainInk: the picture has 2 channels, expected 1: see grayscale',
      () => mainInk({ height: 1, width: 1, channels: 2, pixels: new Uint8Array(2) }, 0),
    ],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
