import fc from 'fast-check';
import { mean, variance } from 'mathjs';
import { expect } from 'vitest';
import { implementations, unitRoundoff, type Layers } from '../src/layers.ts';
import type { UpdateRunningOptions } from '../src/naive/batchStatistics.ts';
import { reshape } from '../src/ndarray.ts';
import { get, tensor, zeros } from '../src/tensor.ts';
import { batchNormCase, eighths } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { goldenFile, type GoldenRunning } from './golden.ts';
import { tabulate } from './images.ts';
import { specifyModule, type Tests } from './specifyModule.ts';
import { expectRunning } from './traces.ts';

const { cases } = goldenFile<GoldenRunning>('batchStatistics.json');

/** The laws, of statistics in arithmetic of unit roundoff u. */
const laws = (layers: Layers, { it }: Tests, u: number) => {
  const { batchStatistics, updateRunning } = layers;
  const asked = cases.filter(({ float64 }) => float64 === undefined || u === 2 ** -53);

  it('mean, biased variance and count of every channel are those of mathjs', () => {
    fc.assert(
      fc.property(batchNormCase(), ({ inputs: { x } }) => {
        const [N, C] = x.shape;
        const P = x.data.length / (N * C);
        const channel = (c: number) => Array.from(tabulate([N, P], (n, i) => get(reshape(x, [N, C, P]), n, c, i)).data);
        const actual = batchStatistics(x);
        expect(actual.count).toBe(N * P);
        const means = tabulate([C], (c) => mean(channel(c)));
        // integers: the sum is exact, one division on either side
        expectTensor('mean', actual.mean, means, (mean) =>
          allowed({ mode: 'bound', n: 1, S: Math.abs(mean) }, u)(mean, 0),
        );
        const variances = tabulate([C], (c) => Number(variance(channel(c), 'uncorrected')));
        const roundings = 2 * (N * P + 4); // count squares of a difference, their sum and the division, on either side
        expectTensor('variance', actual.variance, variances, allowed({ mode: 'bound', n: roundings, S: variances }, u));
      }),
    );
  });

  if (u === 2 ** -53)
    // float32 has no numbers 2⁻⁸ apart at 10⁶
    it('a mean of 10⁶ with a spread of 10⁻²: the variance is right to 10⁻¹²', () => {
      // 10⁶ + k/256 has no rounding, and the variance of k/256 is known; E[x²] − mean² would be off by 10⁻⁴
      const k = (n: number, c: number) => ((n * 5 + c * 3) % 8) - 3;
      const x = tabulate([64, 3], (n, c) => 1e6 + k(n, c) / 256);
      const expected = tabulate([3], (c) => {
        const values = Array.from({ length: 64 }, (_, n) => k(n, c));
        return Number(variance(values, 'uncorrected')) / 256 ** 2;
      });
      expectTensor('variance', batchStatistics(x).variance, expected, 1e-12 * expected.data[0]);
    });

  it.each(functionFixtures('batchStatistics'))('golden: $title', (golden) => expectFunction(layers, golden, u));
  it.each(asked)('golden: $title', (golden) => expectRunning(layers, golden, u));

  it('decay 1 keeps the old, decay 0 takes the new; nothing is written to', () => {
    fc.assert(
      fc.property(batchNormCase(), ({ inputs: { x, gamma, beta } }) => {
        const [running, batch] = [{ mean: gamma, variance: beta }, batchStatistics(x)];
        const before = structuredClone([running, batch, x]);
        const keep = updateRunning(running, batch, { decay: 1 });
        expectTensor('mean', keep.mean, running.mean);
        expectTensor('variance', keep.variance, running.variance);
        const take = updateRunning(running, batch, { decay: 0 });
        expectTensor('mean', take.mean, batch.mean);
        expectTensor('variance', take.variance, batch.variance);
        expect([running, batch, x]).toEqual(before);
      }),
    );
  });

  it('options left out: decay 0.9, biased', () => {
    fc.assert(
      fc.property(batchNormCase(), ({ inputs: { x, gamma, beta } }) => {
        const [running, batch] = [{ mean: gamma, variance: beta }, batchStatistics(x)];
        const written = updateRunning(running, batch, { decay: 0.9, unbiased: false });
        expect(updateRunning(running, batch)).toEqual(written);
      }),
    );
  });

  it('unbiased: the variance counts count / (count − 1) times, the mean once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), eighths([3]), eighths([3]), (count, running, now) => {
        const [old, batch] = [
          { mean: running, variance: running },
          { mean: now, variance: now, count },
        ];
        const actual = updateRunning(old, batch, { decay: 0.5, unbiased: true });
        const blend = (factor: number) => tabulate([3], (c) => (get(running, c) + factor * get(now, c)) / 2);
        expectTensor('mean', actual.mean, blend(1));
        const most = tabulate(
          [3],
          (c) => (Math.abs(get(running, c)) + (count / (count - 1)) * Math.abs(get(now, c))) / 2,
        );
        // the weight, the product and the sum
        expectTensor(
          'variance',
          actual.variance,
          blend(count / (count - 1)),
          allowed({ mode: 'bound', n: 2, S: most }, u),
        );
      }),
    );
  });

  const running = { mean: zeros([3]), variance: zeros([3]) };
  it.each<[string, () => unknown]>([
    [
      'batchStatistics: x has shape (2, 3, 4), expected (N, C) or (N, C, H, W)',
      () => batchStatistics(zeros([2, 3, 4])),
    ],
    ['batchStatistics: x has shape (0, 3), expected (N, C)', () => batchStatistics(zeros([0, 3]))],
    ['batchStatistics: x has shape (2, 3, 0, 5), expected (N, C, H, W)', () => batchStatistics(zeros([2, 3, 0, 5]))],
    ...[undefined, {}].map(
      (x) =>
        ['batchStatistics: x has shape (undefined), expected (N, C) or (N, C, H, W)', () => batchStatistics(x as never)] as [string, () => unknown], // prettier-ignore
    ),
    ['batchStatistics: x has 1 value per channel, expected at least 2', () => batchStatistics(zeros([1, 3]))],
    [
      'updateRunning: running.mean has shape (3, 1), expected (C)',
      () => updateRunning({ mean: zeros([3, 1]), variance: zeros([3]) }, { ...running, count: 4 }),
    ],
    [
      'updateRunning: batch.mean has shape (2), expected (3)',
      () => updateRunning(running, { mean: zeros([2]), variance: zeros([3]), count: 4 }),
    ],
    [
      'updateRunning: running.variance has shape (4), expected (3)',
      () => updateRunning({ mean: zeros([3]), variance: zeros([4]) }, { ...running, count: 4 }),
    ],
    [
      'updateRunning: batch.variance has shape (1), expected (3)',
      () => updateRunning(running, { mean: zeros([3]), variance: zeros([1]), count: 4 }),
    ],
    [
      'updateRunning: running.mean is no tensor, expected { shape: number[], data: Float64Array }',
      () => updateRunning(undefined as never, { ...running, count: 4 }),
    ],
    [
      'updateRunning: batch.mean is no tensor, expected { shape: number[], data: Float64Array }',
      () => updateRunning(running, undefined as never),
    ],
    ...(
      [
        ['decay is 1.1, expected a number from 0 to 1', { decay: 1.1 }],
        ['unbiased is 1, expected true or false', { unbiased: 1 as never }],
        ['there is no option momentum, expected decay, unbiased', { momentum: 0.1 } as never],
        ['batch.count is 1, expected an integer ≥ 2', { unbiased: true }],
      ] satisfies [string, UpdateRunningOptions][]
    ).map(
      ([message, options]) =>
        [`updateRunning: ${message}`, () => updateRunning(running, { ...running, count: 1 }, options)] as [string, () => unknown], // prettier-ignore
    ),
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });

  it('golden: S4’s numbers after its first batch', () => {
    // inventory F-11: fresh statistics, one batch, the variance biased (S4, ONNX) and unbiased (PyTorch)
    const near = allowed({ mode: 'ulp', k: 4 }, u); // both weights, both products and the sum, of numbers ≥ 0
    const fresh = { mean: zeros([2]), variance: tensor([1, 1]) };
    const batch = { mean: tensor([4.5, 2]), variance: tensor([5.25, 4.25]), count: 8 };
    expectTensor('mean', updateRunning(fresh, batch).mean, tensor([0.45, 0.2]), near);
    expectTensor('variance', updateRunning(fresh, batch).variance, tensor([1.425, 1.325]), near);
    const torch = updateRunning(fresh, batch, { unbiased: true });
    expectTensor('variance', torch.variance, tensor([1.5, 1.3857142857142857]), near);
  });
};

for (const [implementation, layers] of Object.entries(implementations))
  specifyModule(`batchStatistics > ${implementation}`, layers, (layers: Layers, tests: Tests) =>
    laws(layers, tests, unitRoundoff[implementation as keyof typeof implementations]),
  );
