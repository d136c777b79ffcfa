import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import * as real from '../src/data/image.ts';
import type { Picture } from '../src/data/image.ts';
import { batchOf, first } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { toNHWC } from '../src/layout.ts';
import { get } from '../src/tensor.ts';
import { expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { expectPicture, gray, pictureOf, pictures, rowsOf } from './pictures.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('image', real, (module, { describe, it }) => {
  const { darkOnLight, grayscale, invert, toBatch, whiteOnBlack } = module;
  it.each(functionFixtures('image'))('golden: $title', (golden) => expectFunction(module, golden));

  const digits = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url))).test;
  const all = Array.from(digits.labels, (_, n) => pictureOf(digits, n));

  /** A row of pixels, each an array of its channels. */
  const row = (...pixels: number[][]) =>
    ({
      height: 1,
      width: pixels.length,
      channels: pixels[0].length,
      pixels: Uint8Array.from(pixels.flat()),
    }) as Picture;

  describe('grayscale', () => {
    it('golden: red, green, blue and a dark blue as Pillow has them', () => {
      const colours = row([255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30], [255, 255, 255], [0, 0, 0]);
      expectPicture(grayscale(colours), gray([[76, 150, 29, 18, 255, 0]]));
    });

    it('golden: where one unit more or less of a factor would be seen', () => {
      const least = [[100, 105, 219], [100, 112, 104], [100, 122, 149]]; // prettier-ignore
      const most = [[100, 108, 186], [100, 118, 231], [100, 125, 116]]; // prettier-ignore
      expectPicture(grayscale(row(...least, ...most)), gray([[117, 108, 119, 114, 125, 116]]));
    });

    it('golden: black strokes on transparent black are black on white', () => {
      const pixels = [
        [0, 0, 0, 255],
        [0, 0, 0, 0],
      ];
      expectPicture(grayscale(row(...pixels)), gray([[0, 255]]));
      expectPicture(grayscale(row(...pixels.map(([v, , , a]) => [v, a]))), gray([[0, 255]]));
    });

    it('golden: half transparent, where Pillow has put it on white first', () => {
      const pixels = row([200, 100, 50, 128], [255, 0, 0, 64], [1, 2, 3, 4], [77, 88, 99, 254]);
      expectPicture(grayscale(pixels), gray([[189, 210, 251, 87]]));
      expectPicture(grayscale(row([0, 128], [0, 127], [100, 1], [100, 254])), gray([[127, 128, 254, 101]]));
    });

    const anyPixels = (channels: number) =>
      fc.array(fc.tuple(...Array<fc.Arbitrary<number>>(channels).fill(fc.nat(255))), { minLength: 1 });
    const one = (pixel: number[]) => grayscale(row(pixel)).pixels[0];

    it('of gray is the gray itself, whether it has one channel or three', () => {
      const values = [...Array(256).keys()];
      expectPicture(grayscale(gray([values])), gray([values]));
      expectPicture(grayscale(row(...values.map((v) => [v, v, v]))), gray([values]));
    });

    it('0.299·r + 0.587·g + 0.114·b, within a rounding', () => {
      fc.assert(
        fc.property(anyPixels(3), (pixels) => {
          const y = grayscale(row(...pixels)).pixels;
          // ½ for the rounding, and 255·3·2⁻¹⁷ for the factors
          pixels.forEach(([r, g, b], i) =>
            expect(Math.abs(y[i] - (0.299 * r + 0.587 * g + 0.114 * b))).toBeLessThan(0.506),
          );
        }),
      );
    });

    it('alpha 255 changes nothing, alpha 0 is white, and more alpha is no brighter', () => {
      fc.assert(
        fc.property(anyPixels(3), fc.nat(255), fc.nat(255), ([[r, g, b]], alpha, other) => {
          const [less, more] = [Math.min(alpha, other), Math.max(alpha, other)];
          expect(one([r, g, b, 255])).toBe(one([r, g, b]));
          expect(one([r, g, b, 0])).toBe(255);
          expect(one([r, g, b, more])).toBeLessThanOrEqual(one([r, g, b, less]));
          expect(one([r, alpha])).toBe(one([r, r, r, alpha]));
        }),
      );
    });

    it('rows stay rows', () => {
      const picture: Picture = { height: 3, width: 2, channels: 2, pixels: Uint8Array.from([...Array(12).keys()]) };
      const opaque = { ...picture, pixels: picture.pixels.map((v, i) => (i % 2 ? 255 : v)) };
      expect(rowsOf(grayscale(opaque))).toEqual([
        [0, 2],
        [4, 6],
        [8, 10],
      ]);
    });
  });

  describe('polarity', () => {
    it.each<[string, boolean, number[][]]>([
      ['black strokes on white', true, [[255, 255, 255], [255, 0, 255], [255, 255, 255]]], // prettier-ignore
      ['white strokes on black', false, [[0, 0, 0], [0, 255, 0], [0, 0, 0]]], // prettier-ignore
      ['dark on gray paper, which a middle of 127.5 takes for light on dark', true, [[90, 90, 90], [90, 20, 90], [90, 90, 90]]], // prettier-ignore
      ['light gray on gray', false, [[140, 140, 140], [140, 220, 140], [140, 140, 140]]], // prettier-ignore
      ['mostly ink: only the border counts', true, Array.from({ length: 8 }, (_, i) => Array.from({ length: 8 }, (_, j) => (i % 7 && j % 7 ? 0 : 9)))], // prettier-ignore
      ['a stroke that leaves at the top and at the right', true, [[255, 0, 255, 255], [255, 0, 0, 0], [255, 255, 255, 255]]], // prettier-ignore
      ['a white page', true, [[255, 255], [255, 255]]], // prettier-ignore
      ['a black page', false, [[0, 0], [0, 0]]], // prettier-ignore
      ['one bright pixel', true, [[128]]],
      ['one dark pixel', false, [[127]]],
      ['a single column', true, [[255], [255], [0]]],
    ])('darkOnLight: %s: %s', (_, dark, rows) => {
      expect(darkOnLight(gray(rows))).toBe(dark);
      expectPicture(whiteOnBlack(gray(rows)), dark ? invert(gray(rows)) : gray(rows));
    });

    it('the border is every pixel of the first and last rows and columns, each once', () => {
      fc.assert(
        fc.property(pictures(fc.constantFrom(0, 100, 255), 5), (picture) => {
          const rows = rowsOf(picture);
          const outside = rows.flatMap((row, i) =>
            row.filter((_, j) => i === 0 || j === 0 || i === rows.length - 1 || j === row.length - 1),
          );
          const [least, most] = [Math.min(...rows.flat()), Math.max(...rows.flat())];
          const middle = least === most ? 127.5 : (least + most) / 2;
          expect(darkOnLight(picture)).toBe(outside.reduce((sum, value) => sum + value, 0) > middle * outside.length);
        }),
        { numRuns: 300 },
      );
    });

    it('golden: of 500 digits of MNIST none is dark on light, and inverted all are', () => {
      expect(all.filter(darkOnLight)).toHaveLength(0);
      expect(all.map(invert).filter(darkOnLight)).toHaveLength(500);
      for (const digit of all) expect(Buffer.compare(whiteOnBlack(invert(digit)).pixels, digit.pixels)).toBe(0);
    });

    it('invert: 255 − v, and twice is the identity', () => {
      expectPicture(invert(gray([[0, 1, 255]])), gray([[255, 254, 0]]));
      fc.assert(fc.property(pictures(), (picture) => expectPicture(invert(invert(picture)), picture)));
    });
  });

  describe('toBatch', () => {
    it('(1, C, H, W) with pixels from 0 to 1: channels that lay side by side lie one behind the other', () => {
      const pixels = Uint8Array.from({ length: 24 }, (_, i) => 10 * i + 5);
      const x = toBatch({ height: 2, width: 3, channels: 4, pixels });
      const expected = tabulate([1, 4, 2, 3], (_, c, h, w) => pixels[(h * 3 + w) * 4 + c] / 255);
      expectTensor('x', x, expected);
    });

    it('its view in NHWC has the order of the pixels', () => {
      fc.assert(
        fc.property(pictures(), (picture) => {
          const { height, width, pixels } = picture;
          const x = toNHWC(toBatch(picture));
          expect(x).toEqual({ shape: [1, height, width, 1], data: Float64Array.from(pixels, (value) => value / 255) });
        }),
      );
    });

    it('golden: a digit of MNIST is the batch that training sees', () => {
      expect(toBatch(all[0])).toEqual(batchOf(first(1, digits), Uint32Array.of(0)).x);
      expect(get(toBatch(gray([[0, 255]])), 0, 0, 0, 1)).toBe(1);
    });
  });

  it('no function writes to the picture it was given', () => {
    const before = gray([[255, 255], [255, 7]]); // prettier-ignore
    const picture = structuredClone(before);
    for (const f of [grayscale, darkOnLight, invert, whiteOnBlack, toBatch]) f(picture);
    expect(picture).toEqual(before);
  });

  const picture = gray([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
  const rgb: Picture = { height: 1, width: 1, channels: 3, pixels: Uint8Array.of(1, 2, 3) };
  it.each<[string, () => unknown]>([
    ["grayscale: the picture's height is 0, expected an integer ≥ 1", () => grayscale({ ...picture, height: 0 })],
    ["invert: the picture's width is 1.5, expected an integer ≥ 1", () => invert({ ...picture, width: 1.5 })],
    [
      "grayscale: the picture's width is undefined, expected an integer ≥ 1",
      () => grayscale({ ...picture, width: undefined } as never),
    ],
    [
      'grayscale: the picture has 5 channels, expected 1, 2, 3 or 4',
      () => grayscale({ ...picture, channels: 5 } as never),
    ],
    [
      'toBatch: the picture has 6 numbers, expected 12: 2×3 pixels with 2 channels',
      () => toBatch({ ...picture, channels: 2 }),
    ],
    [
      'darkOnLight: the picture has 5 numbers, expected 6: 2×3 pixels with 1 channel',
      () => darkOnLight({ ...picture, pixels: picture.pixels.subarray(1) }),
    ],
    [
      'grayscale: the picture has 7 numbers, expected 6: 2×3 pixels with 1 channel',
      () => grayscale({ ...picture, pixels: new Uint8Array(7) }),
    ],
    [
      "grayscale: the picture's pixels are no Uint8Array, expected one of 6 numbers",
      () => grayscale({ ...picture, pixels: [1, 2, 3, 4, 5, 6] } as never),
    ],
    ['invert: the picture has 3 channels, expected 1: see grayscale', () => invert(rgb)],
    ['darkOnLight: the picture has 3 channels, expected 1: see grayscale', () => whiteOnBlack(rgb)],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
