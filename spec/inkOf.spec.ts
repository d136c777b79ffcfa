import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inkOf } from '../src/data/inkOf.ts';
import { invert, type Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { resize } from '../src/data/resize.ts';
import { expectPicture, gray, pictureOf, placed, rowsOf } from './pictures.ts';

const { test } = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url)));
const digits = Array.from({ length: 100 }, (_, n) => pictureOf(test, n));

/** A page of 9×9 pixels with strokes of one pixel on it: brightnesses of the middle row. */
const page = (paper: number, row: number[]): Picture =>
  gray(Array.from({ length: 9 }, (_, i) => (i === 4 ? row : Array<number>(9).fill(paper))));
const inkIn = (picture: Picture) => rowsOf(inkOf(picture).ink)[4];

describe('inkOf', () => {
  it('golden: ink is the share of the light that it takes away, of paper brighter by 32', () => {
    // (232 − v) / (232 + 32) of 0, 116, 174: 0.879, 0.439, 0.220; the greatest becomes 255
    expect(inkIn(page(232, [232, 0, 232, 116, 232, 174, 232, 232, 232]))).toEqual([0, 255, 0, 128, 0, 64, 0, 0, 0]);
  });

  it('golden: where only half of the light falls it is nearly as much', () => {
    const row = [200, 200, 50, 200, 100, 100, 25, 100, 100]; // a quarter of the light, and of half the light
    const shadow = gray(Array.from({ length: 9 }, (_, i) => row.map((v, j) => (i === 4 ? v : j < 4 ? 200 : 100))));
    // 150/232 and 75/132; seen as differences they would be 255 and 127
    expect(inkIn(shadow)).toEqual([0, 0, 255, 0, 0, 0, 224, 0, 0]);
  });

  it('golden: light on dark is the same of 255 − v', () => {
    // 232 and 174 of 264, as above; the gap between them, 174/429 were it ink, is less
    expect(inkIn(page(23, [23, 255, 23, 197, 23, 23, 23, 23, 23]))).toEqual([0, 255, 0, 191, 0, 0, 0, 0, 0]);
  });

  it('a stroke narrower than a third of the longer side is ink, one as wide may be a shadow', () => {
    const band = (width: number) =>
      gray(
        Array.from({ length: 10 }, () => Array.from({ length: 30 }, (_, j) => (j >= 9 && j < 9 + width ? 20 : 200))),
      );
    const inked = (picture: Picture) => [...inkOf(picture).ink.pixels].filter((value) => value > 0);
    expect(inked(band(9))).toEqual(Array(10 * 9).fill(255)); // squares of 10×10 do not fit in
    expect(inked(band(10))).toEqual([]); // one does; nor do they find light on dark
    expect(inkOf(band(10)).contrast).toBe(0);
  });

  it('digits of MNIST are dark on light or light on dark, as they are: also thick ones, and those with holes', () => {
    for (const digit of digits) {
      const large = placed(resize(digit, 112, 112), 0, [130, 150], [10, 20]);
      for (const each of [digit, large]) {
        const { ink } = inkOf(each);
        expectPicture(inkOf(invert(each)).ink, ink);
        const share =
          ink.pixels.reduce((sum, v, i) => sum + v * each.pixels[i], 0) / ink.pixels.reduce((s, v) => s + v, 0);
        expect(share).toBeGreaterThan(128); // what is ink is bright, also in the original
      }
    }
  });

  it('contrast is the greatest difference of a pixel from its paper', () => {
    expect(inkOf(page(232, [232, 0, 232, 116, 232, 174, 232, 232, 232])).contrast).toBe(232);
    expect(inkOf(page(40, [40, 40, 52, 40, 40, 40, 40, 40, 40])).contrast).toBe(12);
  });

  it('where all is paper there is no ink', () => {
    for (const paper of [0, 130, 255]) {
      const { ink, contrast } = inkOf(page(paper, Array<number>(9).fill(paper)));
      expectPicture(ink, page(0, Array<number>(9).fill(0)));
      expect(contrast).toBe(0);
    }
  });

  it('error: not in gray', () => {
    expect(() => inkOf({ height: 1, width: 1, channels: 3, pixels: new Uint8Array(3) })).toThrow(
      new RangeError('inkOf: the picture has 3 channels, expected 1: see grayscale'),
    );
  });
});
