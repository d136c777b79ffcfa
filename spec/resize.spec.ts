import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBatch, type Picture } from '../src/data/image.ts';
import { resize, type Filter } from '../src/data/resize.ts';
import { avgPool2d } from '../src/naive/avgPool2d.ts';
import { map } from '../src/ndarray.ts';
import { expectTensor } from './close.ts';
import { expectPicture, gray, pictures, rowsOf, transposed } from './pictures.ts';

const filters: readonly Filter[] = ['nearest', 'box', 'bilinear', 'bicubic'];

// Expected values: Pillow 9.4.0, Image.resize of a picture of mode 'L'.
describe('golden: as Pillow, to the last bit', () => {
  const halved = gray([...Array(8).keys()].map((i) => [...Array(8).keys()].map((j) => (37 * i + 11 * j) % 256)));
  it.each<[Filter, number[][]]>([
    ['nearest', [[48, 70, 92, 114], [122, 144, 166, 188], [196, 218, 240, 6], [14, 36, 58, 80]]], // prettier-ignore
    ['box', [[25, 47, 69, 91], [99, 121, 143, 165], [173, 195, 217, 175], [119, 141, 35, 57]]], // prettier-ignore
    ['bilinear', [[34, 54, 76, 95], [101, 121, 143, 162], [175, 191, 189, 162], [131, 137, 77, 66]]], // prettier-ignore
    ['bicubic', [[26, 47, 70, 91], [97, 118, 143, 169], [183, 202, 204, 168], [127, 139, 60, 56]]], // prettier-ignore
  ])('8×8 to 4×4: %s', (filter, expected) => {
    expectPicture(resize(halved, 4, 4, filter), gray(expected));
  });

  const narrow = gray([[0, 97, 194], [53, 181, 53], [212, 115, 18], [221, 155, 89], [80, 45, 10]]); // prettier-ignore
  it.each<[Filter, number[][]]>([
    ['nearest', [[0, 0, 97, 97, 97, 194, 194], [212, 212, 115, 115, 115, 18, 18], [80, 80, 45, 45, 45, 10, 10]]], // prettier-ignore
    ['box', [[27, 27, 139, 139, 139, 124, 124], [212, 212, 115, 115, 115, 18, 18], [151, 151, 100, 100, 100, 50, 50]]], // prettier-ignore
    ['bilinear', [[23, 38, 85, 133, 133, 133, 134], [179, 173, 156, 139, 97, 55, 42], [140, 134, 113, 92, 72, 51, 44]]], // prettier-ignore
    ['bicubic', [[11, 28, 82, 133, 141, 135, 134], [191, 185, 170, 144, 95, 47, 28], [149, 139, 117, 90, 66, 48, 40]]], // prettier-ignore
  ])('5×3 to 3×7, fewer rows and more columns: %s', (filter, expected) => {
    expectPicture(resize(narrow, 3, 7, filter), gray(expected));
  });

  it('nearest where c falls between two pixels: 4½·⅔ = 3 added up is just below 3', () => {
    const counted = gray([[...Array(10).keys()]]);
    expectPicture(resize(counted, 1, 15, 'nearest'), gray([[0, 1, 1, 2, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9, 9]]));
  });

  it('box where the mean is 10½: up or down, as the weights are rounded to 2⁻²²', () => {
    const mean = (n: number) =>
      resize(gray([Array.from({ length: n }, (_, i) => 10 + (i % 2))]), 1, 1, 'box').pixels[0];
    // 2²²/6 = 699050.67 is rounded up, 2²²/10 = 419430.4 and 2²²/12 = 349525.33 down
    expect([6, 10, 12].map(mean)).toEqual([11, 10, 10]);
  });

  it('without a filter it is bicubic', () => {
    expectPicture(resize(narrow, 3, 7), resize(narrow, 3, 7, 'bicubic'));
  });
});

const size = fc.integer({ min: 1, max: 14 });
/** A picture and another size. */
const cases = (value?: fc.Arbitrary<number>) => fc.record({ picture: pictures(value), height: size, width: size });

describe.each(filters)('%s', (filter) => {
  it('at its own size a picture stays what it is, in memory of its own', () => {
    fc.assert(
      fc.property(pictures(), (picture) => {
        const same = resize(picture, picture.height, picture.width, filter);
        expectPicture(same, picture);
        expect(same.pixels.buffer).not.toBe(picture.pixels.buffer);
      }),
    );
    const digit = gray([...Array(28).keys()].map((i) => [...Array(28).keys()].map((j) => (i * 91 + j * j * 7) % 256)));
    expectPicture(resize(digit, 28, 28, filter), digit);
  });

  it('one value everywhere stays everywhere', () => {
    const one = fc.nat(255).chain((value) => fc.tuple(fc.constant(value), cases(fc.constant(value))));
    fc.assert(
      fc.property(one, ([value, { picture, height, width }]) => {
        const expected = gray(Array.from({ length: height }, () => Array<number>(width).fill(value)));
        expectPicture(resize(picture, height, width, filter), expected);
      }),
    );
  });

  it('rows and columns are treated alike, within the roundings between the two passes', () => {
    // A first pass errs by ½, which the weights of a second (Σ|w| ≤ 1¼) pass on, and that errs by ½: 1⅛ each way.
    // Bicubic values beyond 0 and 255 would be cut off between the passes: the pixels keep away from there.
    fc.assert(
      fc.property(cases(fc.integer({ min: 64, max: 191 })), ({ picture, height, width }) => {
        const one = resize(picture, height, width, filter);
        const other = transposed(resize(transposed(picture), width, height, filter));
        expectPicture(one, other, filter === 'nearest' ? 0 : 2);
      }),
    );
  });

  it('no line depends on how many others there are: a row resized alone is the same', () => {
    fc.assert(
      fc.property(pictures(), size, (picture, width) => {
        const rows = rowsOf(picture).map((row) => rowsOf(resize(gray([row]), 1, width, filter))[0]);
        expect(rowsOf(resize(picture, picture.height, width, filter))).toEqual(rows);
      }),
    );
  });
});

it.each<Filter>(['box', 'bilinear'])('%s stays between the darkest and the brightest pixel', (filter) => {
  fc.assert(
    fc.property(cases(), ({ picture, height, width }) => {
      const { pixels } = resize(picture, height, width, filter);
      expect(Math.min(...pixels)).toBeGreaterThanOrEqual(Math.min(...picture.pixels));
      expect(Math.max(...pixels)).toBeLessThanOrEqual(Math.max(...picture.pixels));
    }),
  );
});

it('golden: bicubic does not: beside an edge it is darker and brighter, and cut off at 0 and 255', () => {
  const step = resize(gray([[100, 100, 150, 150]]), 1, 8, 'bicubic');
  expectPicture(step, gray([[100, 99, 97, 110, 140, 153, 151, 150]]));
  expectPicture(resize(gray([[0, 0, 255, 255]]), 1, 8, 'bicubic'), gray([[0, 0, 0, 52, 203, 255, 255, 255]]));
});

it('nearest only moves pixels, and lines never change their order', () => {
  const numbered = (count: number) => gray([[...Array(count).keys()]]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 200 }), (n, m) => {
      const [row] = rowsOf(resize(numbered(n), 1, m, 'nearest'));
      expect(row).toEqual(row.toSorted((a, b) => a - b));
      row.forEach((pixel, i) => expect(Math.abs(pixel + 0.5 - ((i + 0.5) * n) / m)).toBeLessThan(0.5 + 1e-9));
    }),
  );
});

it('box is the mean of each block where the sizes divide, within the two roundings', () => {
  const factor = fc.integer({ min: 1, max: 4 });
  const blocks = fc.tuple(size, size, factor, factor).chain(([height, width, KH, KW]) =>
    fc.record({
      kernel: fc.constant([KH, KW] as const),
      pixels: fc.uint8Array({ minLength: height * KH * width * KW, maxLength: height * KH * width * KW, size: 'max' }),
      height: fc.constant(height),
      width: fc.constant(width),
    }),
  );
  fc.assert(
    fc.property(blocks, ({ kernel: [KH, KW], pixels, height, width }) => {
      const picture: Picture = { height: height * KH, width: width * KW, channels: 1, pixels };
      const expected = avgPool2d(toBatch(picture), { kernel: [KH, KW] });
      const steps = (x: typeof expected) => map(x, (value) => value * 255);
      expectTensor('y', steps(toBatch(resize(picture, height, width, 'box'))), steps(expected), 1 + 1e-3);
    }),
  );
});

it('a smaller picture passes no pixel over, but for nearest', () => {
  const line = Array<number>(30).fill(0);
  for (let at = 0; at < 30; at++) {
    const lone = gray([line.with(at, 255)]);
    for (const filter of filters.slice(1)) expect(Math.max(...resize(lone, 1, 5, filter).pixels)).toBeGreaterThan(0);
    expect(Math.max(...resize(lone, 1, 5, 'nearest').pixels)).toBe(at % 6 === 3 ? 255 : 0);
  }
});

const picture = gray([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
it.each<[string, () => unknown]>([
  ['resize: height is 0, expected an integer ≥ 1', () => resize(picture, 0, 4)],
  ['resize: width is 2.5, expected an integer ≥ 1', () => resize(picture, 4, 2.5, 'box')],
  ['resize: width is NaN, expected an integer ≥ 1', () => resize(picture, 4, NaN)],
  ["resize: height is '4', expected an integer ≥ 1", () => resize(picture, '4' as never, 4)],
  [
    "resize: filter is 'lanczos', expected nearest, box, bilinear or bicubic",
    () => resize(picture, 4, 4, 'lanczos' as never),
  ],
  [
    "resize: filter is 'toString', expected nearest, box, bilinear or bicubic",
    () => resize(picture, 4, 4, 'toString' as never),
  ],
  [
    'resize: the picture has 3 channels, expected 1: see grayscale',
    () => resize({ height: 2, width: 1, channels: 3, pixels: picture.pixels }, 4, 4),
  ],
  [
    'resize: the picture has 6 numbers, expected 9: 3×3 pixels with 1 channel',
    () => resize({ ...picture, height: 3 }, 4, 4),
  ],
])('error: %s', (message, attempt) => {
  expect(attempt).toThrow(new RangeError(message));
});
