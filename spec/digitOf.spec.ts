import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { digitOf } from '../src/data/digitOf.ts';
import { frameAsMnist } from '../src/data/frameAsMnist.ts';
import { invert, type Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { resize } from '../src/data/resize.ts';
import { random } from '../src/random.ts';
import { expectPicture, gray, pictureOf, placed } from './pictures.ts';

const { test } = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url)));
const digits = Array.from({ length: 20 }, (_, n) => pictureOf(test, n));
/** A digit as it lies on a page: black on white, enlarged. */
const page = (digit: Picture) => invert(placed(resize(digit, 168, 168), 0, [220, 260], [20, 70]));
/** How far two pictures differ, on average over their pixels. */
const differ = (a: Picture, b: Picture) =>
  a.pixels.reduce((sum, value, i) => sum + Math.abs(value - b.pixels[i]) / a.pixels.length, 0);

describe('digitOf', () => {
  it('black on white or white on black is the same digit', () => {
    for (const digit of digits) expectPicture(digitOf(invert(page(digit))), digitOf(page(digit)));
  });

  it('nor do brightness and contrast matter', () => {
    for (const digit of digits) {
      const { pixels, ...size } = page(digit);
      const inked = (paper: number, ink: number) => ({ ...size, pixels: pixels.map((v) => (v < 128 ? ink : paper)) });
      expectPicture(digitOf(inked(190, 110)), digitOf(inked(255, 0)));
    }
  });

  it('gray paper with grain, under a shadow: what the network gets is nearly what it gets from a clean page', () => {
    const { uniform } = random(7);
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value / values.length, 0);
    const photos = digits.map(page).map(({ pixels, ...size }) => {
      const shadow = (i: number) => (30 * (i % size.width)) / size.width;
      return { ...size, pixels: pixels.map((value, i) => 60 + (140 * value) / 255 - shadow(i) + 16 * uniform()) };
    });
    const clean = digits.map((digit) => digitOf(page(digit)));
    expect(mean(photos.map((photo, n) => differ(digitOf(photo), clean[n])))).toBeLessThan(10); // of 255; measured: 6.7
    // and without it the page itself is ink
    expect(mean(photos.map((photo, n) => differ(frameAsMnist(invert(photo)), clean[n])))).toBeGreaterThan(30); // 36.2
  });

  it('golden: the middle parts ink and paper, and what is ink fills 0 to 255', () => {
    // 40 to 241 becomes 0 to 255: 140 is 126.9, paper; 141 is 128.1, ink
    const line = [40, 40, 140, 40, 141, 241, 40, 40];
    const rows = Array.from({ length: 12 }, (_, i) => (i > 0 && i < 11 ? line : Array<number>(8).fill(40)));
    const digit = digitOf(gray(rows)); // ink of 10×2, enlarged to 20×4
    const seen = [...digit.pixels.subarray(14 * 28, 15 * 28)];
    expect(seen.filter((value) => value > 0)).toEqual([128, 160, 223, 255]); // ends, and a quarter of the way from each
  });

  it('a difference of 32 is ink', () => {
    expect(() => digitOf(gray([[200, 232, 200], [200, 232, 200], [200, 200, 200]]))).not.toThrow(); // prettier-ignore
  });

  it.each([
    [0, [200, 200, 200]],
    [31, [200, 231, 200]],
  ])('error: a page without ink, whose pixels differ by %i', (contrast, line) => {
    expect(() => digitOf(gray([line, line, line]))).toThrow(
      new RangeError(
        `digitOf: the darkest and the brightest pixel differ by ${contrast} of 255, expected 32: ink on paper`,
      ),
    );
  });
});
