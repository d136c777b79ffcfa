import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { implementations, unitRoundoff, type LayerName } from '../src/layers.ts';
import { map, zip } from '../src/ndarray.ts';
import { roomForSums } from '../src/simd/batchStatistics.ts';
import { putImages, takeImages } from '../src/simd/images.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { clear, kernels, put, room, take, use } from '../src/simd/kernels.ts';
import {
  batchNorm,
  batchNormBackward,
  batchStatistics,
  conv2d,
  conv2dBackward,
  relu,
  softmaxCrossEntropy,
  softmaxCrossEntropyBackward,
} from '../src/simd/index.ts';
import { get, getOr, type Tensor } from '../src/tensor.ts';
import { expectSameBits, expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { expectGolden } from './every-layer.ts';
import { goldenFile } from './golden.ts';
import { layerOf } from './law.ts';

// The build that this engine is best with is judged with all other implementations, in the spec of each layer. Here are both.

const names = Object.keys(implementations.simd).filter((name) => `${name}Backward` in implementations.simd);

describe.each(['plain', 'fma'] as const)('simd > %s', (build) => {
  beforeAll(() => use(build));
  afterAll(() => use(bestBuild()));

  it.each(names as LayerName[])('every fixture of %s', (name) => {
    const layer = layerOf(implementations.simd, name, unitRoundoff.simd);
    const cases = goldenFile(`${name}.json`).cases.filter((golden) => !('float64' in golden));
    expect(cases.length).toBeGreaterThan(0);
    for (const golden of cases) expectGolden(layer, golden);
  });

  it('the memory grows with what is put there', () => {
    const x = tabulate([3, 20_000], (n, d) => (n === 1 ? -1 : 1) * (d % 1000)); // 240 KB: it begins with 64
    expectTensor(
      'y',
      relu(x),
      tabulate(x.shape, (n, d) => (n === 1 ? 0 : d % 1000)),
    );
  });

  it('a·b + c is rounded once, or twice', () => {
    // (1 + 2⁻¹²)² − (1 + 2⁻¹¹) = 2⁻²⁴, which rounding the square loses
    const one = (value: number) => tabulate([1, 1, 1, 1], () => value);
    const b = tabulate([1], () => -(1 + 2 ** -11));
    expect(conv2d(one(1 + 2 ** -12), one(1 + 2 ** -12), b).data[0]).toBe(build === 'fma' ? 2 ** -24 : 0);
  });

  it('a long sum is rounded by the size of its parts', () => {
    const slopes = tabulate([8, 1, 28, 28], () => Math.fround(0.1)); // one after the other, 6272 of them are 7·10⁻⁵ off
    const { dw } = conv2dBackward(slopes, slopes, tabulate([1, 1, 1, 1], () => 1), tabulate([1], () => 0)); // prettier-ignore
    const [got, exact] = [dw.data[0], 6272 * Math.fround(0.1) ** 2];
    expect(Math.abs(got / exact - 1)).toBeLessThan(3e-6);
  });

  it('the loss of a network that is sure and right, and its gradient, keep their digits', () => {
    const [logits, labels] = [tabulate([1, 3], (_, k) => [12, 1, 0][k]), tabulate([1], () => 0)];
    const [one, reference] = [tabulate([], () => 1), implementations.naive];
    const near = (expected: number) => 1e-6 * Math.abs(expected);
    expectTensor('y', softmaxCrossEntropy(logits, labels), reference.softmaxCrossEntropy(logits, labels), near);
    const { dlogits } = reference.softmaxCrossEntropyBackward(one, logits, labels);
    expectTensor('dlogits', softmaxCrossEntropyBackward(one, logits, labels).dlogits, dlogits, near);
  });

  /** Images of float32 that change from each number to the next. */
  const images = (C: number, salt: number) =>
    tabulate([3, C, 4, 5], (n, c, h, w) =>
      Math.fround(2 * Math.sin(n * 31 + c * 17 + h * 7 + w * 3 + (n * c + h * w) * salt)),
    );
  const perChannel = (C: number, f: (c: number) => number) => tabulate([C], f);

  /** Images in a border of sevens, for kernels: the address of their first pixel, and the bytes to next rows and images. */
  function putInBorder(x: Tensor, { top, left, bottom, right } = { top: 1, left: 3, bottom: 2, right: 1 }) {
    const [N, C, H, W] = x.shape;
    const [rows, columns] = [top + H + bottom, left + W + right];
    const around = (t: Tensor) => tabulate([N, C, rows, columns], (n, c, h, w) => getOr(7, t, n, c, h - top, w - left));
    const [pixel, row] = [4 * C, 4 * C * columns];
    const at = putImages(around(x));
    return {
      first: at + top * row + left * pixel,
      steps: [row, rows * row],
      /** They have become `expected`, and the border is what it was. */
      expect: (what: string, expected: Tensor) =>
        expectSameBits(what, takeImages(at, [N, C, rows, columns]), around(expected)),
    };
  }

  describe.each([1, 2, 3, 4, 6, 11])('pictures of %i channels', (C) => {
    const [x, dy, shortcut] = [images(C, 5), images(C, 2), images(C, 11)];
    shortcut.data[9] = NaN;
    const [gamma, beta] = [perChannel(C, (c) => (c % 3) + 1), perChannel(C, (c) => (3 - c) / 4)];
    const [N, , H, W] = x.shape;
    const sizes = [N, H, W, C];
    const dense = [4 * W * C, 4 * H * W * C];
    const plain = batchNorm(x, gamma, beta);
    const sum = zip(plain, shortcut, (a, b) => Math.fround(a + b));

    /** The addresses of x and of what its batch norm needs. */
    function putBatchNorm() {
      clear();
      const { mean, variance } = batchStatistics(x);
      clear();
      const [values, scale, shift, middle, deviation] = [putImages(x), put(gamma), put(beta), put(mean), room(C)];
      kernels.deviations(put(variance), deviation, C, 1e-5);
      return { values, scale, shift, middle, deviation };
    }

    it.each([
      ['batchNorm', false, 0, plain],
      ['relu after it', false, 1, implementations.naive.relu(plain)],
      ['the shortcut added', true, 0, sum],
      ['relu of the sum', true, 1, implementations.naive.relu(sum)],
    ] as const)('normalise: %s, and borders are left alone', (_, added, relu, expected) => {
      const { values, scale, shift, middle, deviation } = putBatchNorm();
      const [other, y] = [putInBorder(shortcut, { top: 0, left: 1, bottom: 1, right: 0 }), putInBorder(x)];
      kernels.normalise(
        ...[values, scale, shift, middle, deviation, added ? other.first : 0, y.first],
        ...[...sizes, ...other.steps, ...y.steps, relu],
      );
      y.expect('y', expected);
      other.expect('shortcut', shortcut);
    });

    it.each([
      ['of batchNorm', false],
      ['relu’s before them', true],
    ])('gradients: %s, and borders are left alone', (_, relu) => {
      const after = implementations.naive.relu(sum);
      const slopes = relu ? implementations.naive.reluBackward(dy, after).dx : dy;
      const expected = batchNormBackward(slopes, x, gamma, beta);
      const { values, scale, middle, deviation } = putBatchNorm();
      const [ofDy, ofY] = [putInBorder(dy), putInBorder(after, { top: 1, left: 0, bottom: 0, right: 2 })];
      const [dgamma, dbeta, dx] = [room(C), room(C), room(x.data.length)];
      kernels.normaliseParameterGradients(
        ...[ofDy.first, relu ? ofY.first : 0, values, middle, deviation, dgamma, dbeta, roomForSums(C)],
        ...[...sizes, ...ofDy.steps, ...ofY.steps, 0, C],
      );
      kernels.batchNormInputGradient(
        ...[ofDy.first, values, scale, middle, deviation, dgamma, dbeta, dx],
        ...[N * H * W, ...sizes, ...ofDy.steps],
      );
      expectSameBits('dgamma', take(dgamma, [C]), expected.dgamma);
      expectSameBits('dbeta', take(dbeta, [C]), expected.dbeta);
      expectTensor('dx', takeImages(dx, x.shape), expected.dx);
      ofDy.expect('dy', slopes);
      ofY.expect('y', after);
    });

    const slopes = implementations.naive.reluBackward(dy, sum).dx;
    const whole = { ...batchStatistics(x), ...batchNormBackward(slopes, x, gamma, beta) };

    it.each([0, 1, 2, 3].map((from) => [Math.min(from, C - 1), Math.min(2 * from + 1, C)]))(
      'from channel %i to %i: what all channels get together, and the others are left alone',
      (from, to) => {
        const { values, middle, deviation } = putBatchNorm();
        const sevens = perChannel(C, () => 7);
        const outputs = { mean: put(sevens), variance: put(sevens), dgamma: put(sevens), dbeta: put(sevens) };
        const { mean, variance, dgamma, dbeta } = outputs;
        const [ofDy, ofY, sums] = [putImages(dy), putImages(sum), roomForSums(C)];
        kernels.batchStatistics(values, mean, variance, sums, N * H * W, C, from, to);
        kernels.normaliseParameterGradients(
          ...[ofDy, ofY, values, middle, deviation, dgamma, dbeta, sums],
          ...[N, 1, H * W, C, ...dense, ...dense, from, to],
        );
        const own = (c: number) => from <= c && c < to;
        for (const name of ['mean', 'variance', 'dgamma', 'dbeta'] as const) {
          const expected = perChannel(C, (c) => (own(c) ? get(whole[name], c) : 7));
          expectSameBits(name, take(outputs[name], [C]), expected);
        }
        const masked = tabulate(x.shape, (...index) => get(own(index[1]) ? slopes : dy, ...index));
        expectSameBits('dy', takeImages(ofDy, x.shape), masked);
      },
    );

    it('image by image: what all images get together', () => {
      const { values, scale, shift, middle, deviation } = putBatchNorm();
      const [ofDy, dgamma, dbeta] = [putImages(slopes), put(whole.dgamma), put(whole.dbeta)];
      const [dx, y] = [room(x.data.length), room(x.data.length)];
      for (const own of [0, 1, 2].map((n) => n * dense[1])) {
        kernels.normalise(
          ...[values + own, scale, shift, middle, deviation, 0, y + own],
          ...[1, H, W, C, ...dense, ...dense, 0],
        );
        kernels.batchNormInputGradient(
          ...[ofDy + own, values + own, scale, middle, deviation, dgamma, dbeta, dx + own],
          ...[N * H * W, 1, H, W, C, ...dense],
        );
      }
      expectSameBits('dx', takeImages(dx, x.shape), whole.dx);
      expectSameBits('y', takeImages(y, x.shape), plain);
    });

    it.each(['addPictures', 'copyPictures'])('%s, and borders are left alone', (name) => {
      clear();
      const [from, to] = [putInBorder(x, { top: 1, left: 0, bottom: 0, right: 0 }), putInBorder(dy)];
      kernels[name](from.first, to.first, N, H, W * C, ...from.steps, ...to.steps);
      to.expect('y', name === 'addPictures' ? zip(x, dy, (a, b) => Math.fround(a + b)) : x);
      from.expect('x', x);
    });
  });

  it('statistics: an outlier in front costs nothing, equal numbers have no variance', () => {
    const rows = 300;
    const x = tabulate([rows, 6], (n, c) => (c % 2 ? 0.1 : n === 0 ? 1e4 : ((n * 7 + c) % 16) / 2 ** 10));
    const { mean, variance } = batchStatistics(x);
    const expected = implementations.naive.batchStatistics(map(x, Math.fround));
    expectTensor('mean', mean, expected.mean, (m) => Math.abs(m) * 2 ** -24); // rounded once
    expectTensor('variance', variance, expected.variance, (v) => v * 2 ** -24 + 2 ** -60);
    for (const c of [1, 3, 5]) expect(variance.data[c]).toBe(0);
  });
});
