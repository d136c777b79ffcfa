import { expect } from 'vitest';
import * as real from '../src/dropoutMask.ts';
import { implementations } from '../src/layers.ts';
import { ones } from '../src/ndarray.ts';
import { random } from '../src/random.ts';
import { size } from '../src/tensor.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('dropoutMask', real, (module, { describe, it }) => {
  const { dropoutMask } = module;
  it.each(functionFixtures('dropoutMask'))('golden: $title', (golden) => expectFunction(module, golden));

  /** The largest deviation from a mean that is tolerated, in standard errors: 1 run in 1.7 million would leave it by chance. */
  const Z = 5;
  const shape = [20, 30, 10, 10];
  const share = (p: number, seed: number, of = shape) =>
    dropoutMask(of, p, random(seed)).data.reduce((a, b) => a + b, 0) / size(of);

  describe('dropoutMask', () => {
    it.each([
      [0.1, 1],
      [0.25, 2],
      [0.5, 3],
      [0.9, 4],
    ])('p = %f: a share of 1 − p is kept, within 5 standard errors (seed %i)', (p, seed) => {
      expect(Math.abs(share(p, seed) - (1 - p))).toBeLessThan(Z * Math.sqrt((p * (1 - p)) / size(shape)));
    });

    it('p = 0 keeps everything, p = 1 nothing', () => {
      expect([share(0, 5), share(1, 5)]).toEqual([1, 0]);
    });

    it('p = 0 keeps everything, also where the random number is 0', () => {
      const zero = { ...random(1), uniform: () => 0 };
      expect(dropoutMask([2, 3], 0, zero)).toEqual(ones([2, 3]));
    });

    it('every number is decided by itself: neighbours agree as often as chance has it', () => {
      const { data } = dropoutMask(shape, 0.5, random(6));
      const agree = data.filter((keep, i) => i > 0 && keep === data[i - 1]).length / (data.length - 1);
      expect(Math.abs(agree - 0.5)).toBeLessThan((Z * 0.5) / Math.sqrt(data.length));
    });

    it('no image of a batch has the mask of another', () => {
      const { data } = dropoutMask([20, 30, 10, 10], 0.5, random(10));
      const images = Array.from({ length: 20 }, (_, n) => `${data.slice(3000 * n, 3000 * (n + 1))}`);
      expect(new Set(images).size).toBe(20);
    });

    it('the same seed gives the same mask, another seed another one', () => {
      expect(dropoutMask(shape, 0.5, random(7))).toEqual(dropoutMask(shape, 0.5, random(7)));
      expect(dropoutMask(shape, 0.5, random(8))).not.toEqual(dropoutMask(shape, 0.5, random(7)));
    });

    it.each([0.25, 0.5, 0.75])('dropout keeps the mean of what it is given on average (p = %f)', (p) => {
      for (const [of, mask] of [
        [shape, shape],
        [
          [100, 50, 2, 3],
          [100, 50, 1, 1],
        ],
      ]) {
        const y = implementations.naive.dropout(ones(of), dropoutMask(mask, p, random(9)), { p });
        const mean = y.data.reduce((a, b) => a + b, 0) / size(of);
        expect(Math.abs(mean - 1)).toBeLessThan(Z * Math.sqrt(p / (1 - p) / size(mask))); // y is 0 or 1/(1 − p)
      }
    });

    it.each([-0.1, 1.1, NaN])('error: p = %f', (p) => {
      expect(() => dropoutMask([2], p, random(1))).toThrow(
        new RangeError(`dropoutMask: p is ${p}, expected a number from 0 to 1`),
      );
    });
  });
});
