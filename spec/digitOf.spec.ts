import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { digitOf } from '../src/data/digitOf.ts';
import { invert, toBatch, type Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { resize } from '../src/data/resize.ts';
import { packagedMnist } from '../scripts/packagedMnist.ts';
import { readModel, trained } from '../scripts/readModel.ts';
import { integer } from '../scripts/script.ts';
import { predict } from '../src/predict.ts';
import { random } from '../src/random.ts';
import * as simd from '../src/simd/index.ts';
import { expectPicture, gray, pictureOf, placed, rowsOf } from './pictures.ts';

const { test } = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url)));
/** CNN_SPEC_DIGITS=10000: the whole test set, about a minute. */
const count = integer('CNN_SPEC_DIGITS', process.env.CNN_SPEC_DIGITS ?? '500', 1, 10_000);
const { test: all } = mnist(packagedMnist(''));
const digits = Array.from({ length: 20 }, (_, n) => pictureOf(test, n));
/** A digit as it lies on a page: black on white, enlarged. */
const page = (digit: Picture) => invert(placed(resize(digit, 168, 168), 0, [220, 260], [20, 70]));
/** The part of a page where the ink is. */
const cutOut = (page: Picture, ink: Picture) => {
  const inked = [...ink.pixels.keys()].filter((i) => ink.pixels[i] > 80);
  const columns = inked.map((i) => i % ink.width);
  const rows = inked.map((i) => Math.floor(i / ink.width));
  return gray(
    rowsOf(page)
      .slice(Math.min(...rows), Math.max(...rows) + 1)
      .map((row) => row.slice(Math.min(...columns), Math.max(...columns) + 1)),
  );
};
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
  });

  it('golden: what is at most a third as dark as the darkest ink is paper, and the darkest becomes 255', () => {
    // one column of ink, 10 of 12 rows; beside it 85 of 255, paper, and at its other side 86, ink
    const line = [0, 0, 0, 85, 255, 86, 0, 0];
    const rows = Array.from({ length: 12 }, (_, i) => (i > 0 && i < 11 ? line : Array<number>(8).fill(0)));
    const digit = digitOf(gray(rows)); // ink of 10×2, enlarged to 20×4
    const seen = [...digit.pixels.subarray(14 * 28, 15 * 28)];
    expect(seen.filter((value) => value > 0)).toEqual([255, 213, 128, 86]); // ends, and a quarter of the way from each
  });

  it('golden: specks are paper', () => {
    const stroke = placed(gray(Array.from({ length: 40 }, () => Array<number>(5).fill(255))), 0, [60, 60], [10, 27]);
    const speck = { ...stroke, pixels: stroke.pixels.with(60 * 50 + 50, 255) };
    expectPicture(digitOf(speck), digitOf(stroke));
  });

  it(`of ${count} digits of MNIST, as they are or inverted, the network that comes with the project reads as many to half a point`, () => {
    const { model, parameters } = readModel(trained);
    const right = { untouched: 0, asTheyAre: 0, inverted: 0 };
    for (let n = 0; n < count; n++) {
      const digit = pictureOf(all, n);
      const reads = (picture: Picture) =>
        Number(predict(simd, model, parameters, toBatch(picture))[0].digit === all.labels[n]);
      right.untouched += reads(digit);
      right.asTheyAre += reads(digitOf(digit));
      right.inverted += reads(digitOf(invert(digit)));
    }
    expect(right.inverted).toBe(right.asTheyAre);
    expect(right.asTheyAre).toBeGreaterThanOrEqual(right.untouched - count / 200);
  });

  it('a digit cut out along its ink is read the same', () => {
    for (const digit of digits) {
      const { model, parameters } = readModel(trained);
      const reads = (picture: Picture) => predict(simd, model, parameters, toBatch(digitOf(picture)))[0].digit;
      const large = resize(digit, 140, 140);
      for (const page of [large, invert(large)]) expect(reads(cutOut(page, large))).toBe(reads(page));
    }
  });

  const stroke = (contrast: number) => placed(gray([[200 + contrast], [200 + contrast]]), 200, [6, 6], [2, 3]);
  it('a difference of 32 is ink', () => expect(() => digitOf(stroke(32))).not.toThrow());
  it.each([0, 31])('error: a page without ink, whose pixels differ by %i', (contrast) => {
    expect(() => digitOf(stroke(contrast))).toThrow(
      new RangeError(
        `digitOf: there is no ink: no pixel differs by more than ${contrast} of 255 from the paper around it, expected at least 32`,
      ),
    );
  });
});
