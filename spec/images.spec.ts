import fc from 'fast-check';
import { expect } from 'vitest';
import * as real from '../src/data/images.ts';
import type { Images } from '../src/data/images.ts';
import { random } from '../src/random.ts';
import { get, tensor, zeros, type Tensor } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';
import { expectTensor } from './close.ts';
import { pad as padded, tabulate } from './images.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('images', real, (module, { describe, it }) => {
  const { batches, batchOf, first, last, normalize, pad } = module;
  it.each(functionFixtures('images'))('golden: $title', (golden) => expectFunction(module, golden));

  describe('images', () => {
    const images = {
      shape: [1, 1, 2],
      pixels: Uint8Array.of(0, 255, 51, 102, 153, 204),
      labels: Uint8Array.of(7, 8, 9),
    };

    it('a batch: the pictures asked for, in that order, from 0 to 1', () => {
      const { x, labels } = batchOf(images, Uint32Array.of(2, 0));
      expect(x).toEqual({ shape: [2, 1, 1, 2], data: Float64Array.of(0.6, 0.8, 0, 1) });
      expect(labels).toEqual({ shape: [2], data: Float64Array.of(9, 7) });
    });

    it('the last pictures', () => {
      expect(last(2, images)).toEqual({ ...images, pixels: images.pixels.slice(2), labels: images.labels.slice(1) });
    });

    it('the first pictures', () => {
      expect(first(2, images)).toEqual({
        ...images,
        pixels: images.pixels.slice(0, 4),
        labels: images.labels.slice(0, 2),
      });
      for (const count of [0, 4, 1.5, NaN])
        expect(() => first(count, images)).toThrow(
          new RangeError(`the number of images is ${count}, expected an integer from 1 to 3`),
        );
    });
  });

  /** Picture i is [[i], [255 − i]], and its label i mod 7: whoever sees one of them knows which picture it is. */
  const numbered = (count: number): Images => ({
    shape: [1, 2, 1],
    pixels: Uint8Array.from({ length: 2 * count }, (_, at) => (at % 2 === 0 ? at / 2 : 255 - (at - 1) / 2)),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 7),
  });
  /** The numbers of the pictures of a batch. */
  const numbers = ({ x }: { x: Tensor }) =>
    Array.from({ length: x.shape[0] }, (_, n) => Math.round(255 * get(x, n, 0, 0, 0)));
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

  describe('batches: one pass over a set', () => {
    const passes = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      batch: fc.integer({ min: 1, max: 70 }),
      seed: fc.option(fc.nat(1000), { nil: undefined }), // without: in the order of the set
    });
    const pass = ({ count, batch, seed }: { count: number; batch: number; seed: number | undefined }) => [
      ...batches(numbered(count), batch, ...(seed === undefined ? [] : [random(seed)])),
    ];

    it('every picture comes exactly once', () => {
      fc.assert(
        fc.property(passes, (options) => {
          const seen = pass(options).flatMap(numbers);
          expect(seen.toSorted((a, b) => a - b)).toEqual(upTo(options.count));
        }),
      );
    });

    it('every picture comes whole, and with its own label', () => {
      fc.assert(
        fc.property(passes, (options) => {
          for (const { x, labels } of pass(options)) {
            const at = numbers({ x });
            expect(labels).toEqual({ shape: [at.length], data: Float64Array.from(at, (i) => i % 7) });
            expect(x).toEqual({
              shape: [at.length, 1, 2, 1],
              data: Float64Array.from(at.flatMap((i) => [i / 255, (255 - i) / 255])),
            });
          }
        }),
      );
    });

    it('every batch is full, but for the last: what is left', () => {
      fc.assert(
        fc.property(passes, (options) => {
          const { count, batch } = options;
          const sizes = pass(options).map(({ labels }) => labels.data.length);
          expect(sizes).toHaveLength(Math.ceil(count / batch));
          for (const size of sizes.slice(0, -1)) expect(size).toBe(batch);
          expect(sizes.at(-1)).toBe(count % batch || batch);
        }),
      );
    });

    it('without random numbers: in the order of the set', () => {
      expect([...batches(numbered(7), 3)].map(numbers)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    });

    it('the same seed draws the same order, another another', () => {
      const order = (seed: number, stream?: number) =>
        [...batches(numbered(40), 16, random(seed, stream))].flatMap(numbers);
      expect(order(3)).toEqual(order(3));
      expect(order(3)).toEqual([...random(3).shuffled(40)]);
      expect(order(3)).not.toEqual(upTo(40));
      expect(order(3)).not.toEqual(order(4));
      expect(order(3)).not.toEqual(order(3, 1));
    });

    it('a second pass with the same random numbers goes on drawing: another order', () => {
      const numbersToCome = random(5);
      const [one, two] = [1, 2].map(() => [...batches(numbered(40), 16, numbersToCome)].flatMap(numbers));
      expect(two).not.toEqual(one);
    });

    it('golden: 200 pictures by 32 are 7 batches, 60,000 by 64 are 938', () => {
      const sizes = (count: number, batch: number) => {
        const tiny = { shape: [1, 1, 1], pixels: new Uint8Array(count), labels: new Uint8Array(count) };
        return Array.from(batches(tiny, batch, random(0)), ({ labels }) => labels.data.length);
      };
      expect(sizes(200, 32)).toEqual([32, 32, 32, 32, 32, 32, 8]);
      expect([sizes(60_000, 64).length, sizes(60_000, 64).at(-1)]).toEqual([938, 32]);
    });

    it('a batch larger than the set is the set', () => {
      expect([...batches(numbered(3), 100)].map(numbers)).toEqual([[0, 1, 2]]);
    });

    it.each([0, -1, 1.5, NaN, Infinity])('error: batches of %d', (batch) => {
      expect(() => [...batches(numbered(3), batch)]).toThrow(
        new RangeError(`batches: batch is ${batch}, expected an integer ≥ 1`),
      );
    });
  });

  describe('normalize', () => {
    const cases = fc.shuffledSubarray([2, 3, 4, 5], { minLength: 4 }).chain((shape) =>
      fc.record({
        x: eighths(shape),
        mean: eighths([shape[1]]),
        std: eighths([shape[1]]).map(({ data }) => Array.from(data, (value) => Math.abs(value) + 0.5)),
      }),
    );

    it('y[n,c,h,w] = (x[n,c,h,w] − mean[c]) / std[c]', () => {
      fc.assert(
        fc.property(cases, ({ x, mean, std }) => {
          const y = tabulate(x.shape, (n, c, h, w) => (get(x, n, c, h, w) - get(mean, c)) / std[c]);
          expectTensor('y', normalize(x, [...mean.data], std), y);
        }),
      );
    });

    it('golden: the pixels of MNIST then go from −0.42421 to 2.82149', () => {
      const { data } = normalize(tensor([[[[0, 1]]]]), [0.1307], [0.3081]);
      expect(Array.from(data, (value) => value.toFixed(5))).toEqual(['-0.42421', '2.82149']);
    });

    const x = zeros([4, 2, 3, 5]);
    it.each<[string, () => unknown]>([
      ['normalize: x has shape (2, 3, 5), expected (N, C, H, W)', () => normalize(zeros([2, 3, 5]), [0], [1])],
      ['normalize: mean has 1 numbers, expected 2: one for each channel', () => normalize(x, [0], [1, 1])],
      ['normalize: std has 3 numbers, expected 2: one for each channel', () => normalize(x, [0, 0], [1, 1, 1])],
      ['normalize: mean[1] is NaN, expected a number', () => normalize(x, [0, NaN], [1, 1])],
      ['normalize: mean[0] is Infinity, expected a number', () => normalize(x, [Infinity, 0], [1, 1])],
      ['normalize: std[1] is 0, expected a number above 0', () => normalize(x, [0, 0], [1, 0])],
      ['normalize: std[0] is -1, expected a number above 0', () => normalize(x, [0, 0], [-1, 1])],
      ['normalize: std[0] is NaN, expected a number above 0', () => normalize(x, [0, 0], [NaN, 1])],
    ])('error: %s', (message, attempt) => {
      expect(attempt).toThrow(new RangeError(message));
    });
  });

  describe('pad', () => {
    const side = fc.nat(3);
    const border = fc.record({ top: side, bottom: side, left: side, right: side });
    const pictures = fc.shuffledSubarray([2, 3, 4, 5], { minLength: 4 }).chain(eighths);

    it('zeros around every picture', () => {
      fc.assert(
        fc.property(pictures, border, (x, padding) => expectTensor('pad(x)', pad(x, padding), padded(x, padding))),
      );
    });

    it('a number is for all sides, a pair for rows and columns', () => {
      fc.assert(
        fc.property(pictures, side, side, (x, a, b) => {
          expectTensor('pad(x, a)', pad(x, a), padded(x, { top: a, bottom: a, left: a, right: a }));
          expectTensor('pad(x, [a, b])', pad(x, [a, b]), padded(x, { top: a, bottom: a, left: b, right: b }));
        }),
      );
    });

    it('is memory of its own, also without padding', () => {
      const x = zeros([1, 1, 2, 2]);
      expect(pad(x, 0)).toEqual(x);
      expect(pad(x, 0).data.buffer).not.toBe(x.data.buffer);
    });

    const x = zeros([4, 2, 3, 5]);
    it.each<[string, () => unknown]>([
      ['pad: x has shape (3, 5), expected (N, C, H, W)', () => pad(zeros([3, 5]), 1)],
      ['pad: padding is -1, expected an integer ≥ 0', () => pad(x, -1)],
      ['pad: padding is 0.5, expected an integer ≥ 0', () => pad(x, [1, 0.5])],
      [
        'pad: padding at the left is NaN, expected an integer ≥ 0',
        () => pad(x, { top: 0, bottom: 0, left: NaN, right: 0 }),
      ],
      ['pad: padding at the bottom is undefined, expected an integer ≥ 0', () => pad(x, { top: 1 } as never)],
    ])('error: %s', (message, attempt) => {
      expect(attempt).toThrow(new RangeError(message));
    });
  });
});
