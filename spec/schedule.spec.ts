import fc from 'fast-check';
import { expect } from 'vitest';
import * as real from '../src/schedule.ts';
import type { Schedule } from '../src/schedule.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('schedule', real, ({ constant, cosine, exponential, stepDecay, warmUp }, { describe, it }) => {
  const take = (count: number, schedule: Schedule) => Array.from({ length: count }, (_, t) => schedule(t));
  const holds = <T>(sentence: string, values: fc.Arbitrary<T>, check: (value: T) => void) =>
    it(sentence, () => fc.assert(fc.property(values, check)));
  /** Equal but for some roundings. */
  const expectNear = (actual: number, expected: number) =>
    expect(Math.abs(actual - expected)).toBeLessThanOrEqual(16 * 2 ** -53 * Math.abs(expected));

  const rate = fc.integer({ min: 1, max: 64 }).map((k) => k / 64);
  /** Products of quarters with rates in 64ths: exact for a few steps. */
  const factor = fc.constantFrom(0, 1 / 4, 1 / 2, 3 / 4, 1);
  const count = fc.integer({ min: 1, max: 20 });
  const cases = fc.record({ rate, factor, count, t: fc.nat(60) });

  describe('constant', () => {
    it('0.1, 0.1, 0.1', () => expect(take(3, constant(0.1))).toEqual([0.1, 0.1, 0.1]));
  });

  describe('stepDecay', () => {
    it('1, 1, 1, ½, ½, ½, ¼ for factor ½ every 3 steps', () => {
      expect(take(7, stepDecay(1, { every: 3, factor: 1 / 2 }))).toEqual([1, 1, 1, 0.5, 0.5, 0.5, 0.25]);
    });

    holds('starts at rate, keeps it for `every` steps, and then is itself, times factor', cases, (drawn) => {
      const { rate, factor, count: every, t } = drawn;
      const schedule = stepDecay(rate, { every, factor });
      expect(take(every, schedule)).toEqual(Array(every).fill(rate));
      expectNear(schedule(t + every), factor * schedule(t));
    });

    holds('every step is exponential', cases, ({ rate, factor, t }) => {
      expect(stepDecay(rate, { every: 1, factor })(t)).toBe(exponential(rate, { factor })(t));
    });
  });

  describe('exponential', () => {
    it('1, ½, ¼, ⅛ for factor ½', () => {
      expect(take(4, exponential(1, { factor: 1 / 2 }))).toEqual([1, 0.5, 0.25, 0.125]);
    });

    holds('starts at rate, and each step is the one before, times factor', cases, ({ rate, factor, t }) => {
      const schedule = exponential(rate, { factor });
      expect(schedule(0)).toBe(rate);
      expectNear(schedule(t + 1), factor * schedule(t));
    });

    it('factor 1 is constant', () => expect(take(5, exponential(0.1, { factor: 1 }))).toEqual(take(5, constant(0.1))));
  });

  describe('cosine', () => {
    it('1, ½ + ¼√2, ½, ½ − ¼√2, 0, 0 over 4 steps', () => {
      const expected = [1, 1 / 2 + Math.SQRT2 / 4, 1 / 2, 1 / 2 - Math.SQRT2 / 4, 0, 0];
      take(6, cosine(1, { steps: 4 })).forEach((value, t) =>
        expect(Math.abs(value - expected[t])).toBeLessThan(2 ** -52),
      );
    });

    it('the values of PyTorch 1.13: rate 0.1, 10 steps, least 0.01', () => {
      // CosineAnnealingLR(optimizer, T_max=10, eta_min=0.01)
      const expected = [
        0.1, 0.09779754323328192, 0.09140576474687263, 0.08145033635316129, 0.06890576474687264, 0.05500000000000001,
        0.04109423525312737, 0.028549663646838717, 0.01859423525312737, 0.012202456766718092, 0.01,
      ];
      take(11, cosine(0.1, { steps: 10, least: 0.01 })).forEach((value, t) => expectNear(value, expected[t]));
    });

    const waves = fc.record({ rate, share: factor, steps: fc.integer({ min: 1, max: 20 }).map((half) => 2 * half) });

    holds('goes from rate to least, is halfway between them at half the steps, and stays at least', waves, (drawn) => {
      const { rate, share, steps } = drawn;
      const least = share * rate;
      const schedule = cosine(rate, { steps, least });
      expect(schedule(0)).toBe(rate);
      expectNear(schedule(steps / 2), (rate + least) / 2);
      for (const t of [steps, steps + 1, 2 * steps]) expect(schedule(t)).toBe(least);
    });

    holds('never rises', waves, ({ rate, share, steps }) => {
      const values = take(steps + 3, cosine(rate, { steps, least: share * rate }));
      for (const [t, value] of values.entries()) if (t > 0) expect(value).toBeLessThanOrEqual(values[t - 1]);
    });

    holds(
      'falls as far in the last t steps as in the first: a turn of half a circle',
      waves,
      ({ rate, share, steps }) => {
        const least = share * rate;
        const schedule = cosine(rate, { steps, least });
        for (let t = 0; t <= steps; t++)
          expect(Math.abs(rate - schedule(t) - (schedule(steps - t) - least))).toBeLessThan(2 ** -51);
      },
    );

    it('least is 0 where it is not given', () => expect(cosine(1, { steps: 3 })(3)).toBe(0));
  });

  describe('warmUp', () => {
    it('¼, ½, ¾, 1 and then 1, ½, ¼ of the schedule behind it', () => {
      const schedule = warmUp(4, exponential(1, { factor: 1 / 2 }));
      expect(take(7, schedule)).toEqual([1 / 4, 1 / 2, 3 / 4, 1, 1, 1 / 2, 1 / 4]);
    });

    it('the values of PyTorch 1.13: 5 steps, and then ½ each', () => {
      // SequentialLR(LinearLR(start_factor=1/5, total_iters=4), ExponentialLR(gamma=0.5), milestones=[5])
      const expected = [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.05, 0.025, 0.0125];
      take(9, warmUp(5, exponential(0.1, { factor: 1 / 2 }))).forEach((value, t) => expectNear(value, expected[t]));
    });

    holds('rises in equal parts to the first rate of the schedule, and then is the schedule', cases, (drawn) => {
      const { rate, factor, count: steps, t } = drawn;
      const after = exponential(rate, { factor });
      const schedule = warmUp(steps, after);
      take(steps, schedule).forEach((value, t) => expectNear(value, (rate * (t + 1)) / steps));
      expect(schedule(steps + t)).toBe(after(t));
    });

    holds('0 steps are none', cases, ({ rate, factor, t }) => {
      const after = exponential(rate, { factor });
      expect(warmUp(0, after)(t)).toBe(after(t));
    });
  });

  it.each<[string, () => unknown]>([
    ['constant: rate is -1, expected a number ≥ 0', () => constant(-1)],
    ["constant: rate is '0.1', expected a number ≥ 0", () => constant('0.1' as never)],
    ['constant: t is -1, expected an integer ≥ 0', () => constant(1)(-1)],
    ['stepDecay: rate is NaN, expected a number ≥ 0', () => stepDecay(NaN, { every: 1, factor: 1 })],
    ['stepDecay: every is 0, expected an integer ≥ 1', () => stepDecay(1, { every: 0, factor: 1 })],
    ['stepDecay: every is 1.5, expected an integer ≥ 1', () => stepDecay(1, { every: 1.5, factor: 1 })],
    ['stepDecay: factor is -1, expected a number ≥ 0', () => stepDecay(1, { every: 1, factor: -1 })],
    ['stepDecay: there is no option gamma, expected every, factor', () => stepDecay(1, { gamma: 0.1 } as never)],
    ['stepDecay: t is 0.5, expected an integer ≥ 0', () => stepDecay(1, { every: 1, factor: 1 })(0.5)],
    ['exponential: rate is Infinity, expected a number ≥ 0', () => exponential(Infinity, { factor: 1 })],
    ['exponential: factor is undefined, expected a number ≥ 0', () => exponential(1, {} as never)],
    ['exponential: there is no option every, expected factor', () => exponential(1, { factor: 1, every: 2 } as never)],
    ['exponential: t is NaN, expected an integer ≥ 0', () => exponential(1, { factor: 1 })(NaN)],
    ['cosine: rate is -1, expected a number ≥ 0', () => cosine(-1, { steps: 1 })],
    ['cosine: steps is 0, expected an integer ≥ 1', () => cosine(1, { steps: 0 })],
    ['cosine: least is 2, expected a number from 0 to 1', () => cosine(1, { steps: 1, least: 2 })],
    ['cosine: there is no option T_max, expected steps, least', () => cosine(1, { T_max: 1 } as never)],
    ['cosine: t is -1, expected an integer ≥ 0', () => cosine(1, { steps: 1 })(-1)],
    ['warmUp: steps is -1, expected an integer ≥ 0', () => warmUp(-1, constant(1))],
    ['warmUp: rate is NaN, expected a number ≥ 0', () => warmUp(1, () => NaN)],
    ['warmUp: t is 1.5, expected an integer ≥ 0', () => warmUp(1, constant(1))(1.5)],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
