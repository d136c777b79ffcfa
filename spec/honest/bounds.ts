import { implementations, type LayerName } from '../../src/layers.ts';
import { map } from '../../src/ndarray.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Compare } from '../close.ts';
import { layerOf, type Case, type Layer } from '../law.ts';

const { batchStatistics, softmax } = implementations.vectorized;

type Bounds = Readonly<Record<string, Compare>>;

/** Where nothing but a division by a rounded number happens: 1/b and the product are rounded, 2u of less than 2 ulp/u. */
const quotient: Compare = { mode: 'ulp', k: 2 };
const bound = (n: number, S: Tensor | number): Compare => ({ mode: 'bound', n, S });
const abs = (t: Tensor) => map(t, Math.abs);
const size = ({ data }: Tensor) => data.length;
const absolute = (call: Case): Case => ({
  ...call,
  inputs: Object.fromEntries(Object.entries(call.inputs).map(([k, t]) => [k, abs(t)])),
  dy: abs(call.dy),
});

/**
 * b + Σ x·w: a product passes one rounding of its own and at most one for each other term. The layer of absolute values is
 * the Σ |terms| of every element: of y, and of each gradient.
 */
const products =
  (terms: (call: Case) => Readonly<Record<'y' | 'dx' | 'dw' | 'db', number>>) =>
  (call: Case, reference: Layer): Bounds => {
    const n = terms(call);
    const S = { y: reference.forward(absolute(call)), ...reference.backward(absolute(call)) };
    return Object.fromEntries(Object.entries(S).map(([k, sums]) => [k, bound(n[k as keyof typeof n], sums)]));
  };

const convolution = products(({ inputs: { w }, dy }) => {
  const [[O, slice, KH, KW], [N, , OH, OW]] = [w.shape, dy.shape];
  return { y: slice * KH * KW, dx: O * KH * KW, dw: N * OH * OW, db: N * OH * OW };
});

/** The positions of every channel of (N, C) or (N, C, H, W). */
const perChannel = (
  { shape: [, C], data }: Tensor,
  f: (value: number, i: number, c: number) => number,
  pixels: number,
) => data.map((value, i) => f(value, i, Math.floor(i / pixels) % C));
const pixelsOf = ({ shape }: Tensor) => shape.slice(2).reduce((a, b) => a * b, 1);
const added = (t: Tensor, values: Float64Array): Float64Array => {
  const total = new Float64Array(t.shape[1]);
  perChannel({ ...t, data: values }, (value, _, c) => (total[c] += value), pixelsOf(t));
  return total;
};

/**
 * Rows of K logits. e = exp(x − m): the difference is rounded by u·|x − m|, the power errs by 2½ units in the last place,
 * 5u. The sum of the powers errs by their mean and K − 1 roundings, a share by 2 more. With t = |x − m| and its mean under y:
 * a share errs by (t + mean t + K + 11)·y·u, at most (K + 12)·u of R = y·(1 + t + mean t), where a y below 2⁻¹²⁶, the least
 * normal number of float32, counts as that: it errs as much.
 */
function shares(x: Tensor) {
  const [, K] = x.shape;
  const y = softmax(x).data;
  const rows = (f: (from: number) => number) => x.data.map((_, i) => f(Math.floor(i / K) * K));
  const row = (data: Float64Array, from: number) => data.subarray(from, from + K);
  const most = rows((from) => Math.max(...row(x.data, from)));
  const t = x.data.map((value, i) => most[i] - value);
  const dot = (a: Float64Array, b: Float64Array) =>
    rows((from) => row(a, from).reduce((sum, value, k) => sum + (value === 0 ? 0 : value * b[from + k]), 0));
  const mean = dot(y, t);
  const R = y.map((value, i) => (t[i] === Infinity ? 0 : Math.max(value, 2 ** -126) * (1 + t[i] + mean[i])));
  const logs = rows((from) => Math.log(row(t, from).reduce((sum, value) => sum + Math.exp(-value), 0)));
  return {
    K,
    t,
    mean,
    R,
    y,
    dot,
    logs,
    tensor: (f: (i: number) => number) => ({ shape: x.shape, data: y.map((_, i) => f(i)) }),
  };
}

/**
 * How near an honest implementation comes to the exact result of a case, output by output: n roundings of values up to S,
 * counted to first order in u for each formula of src/naive, for any order of summation, with or without fused
 * multiply-add, with division or multiplication by a reciprocal, and exp, log and tanh right to 2½ units in the last place.
 * `reference` gives the sums of absolute values. What is rounded on the way in (eps, p, negativeSlope) counts as rounded.
 */
const bounds: Readonly<Record<LayerName, (call: Case, reference: Layer) => Bounds>> = {
  conv2d: convolution,
  groupedConv2d: convolution,
  linear: products(({ inputs: { x, w } }) => {
    const [[N, D], [O]] = [x.shape, w.shape];
    return { y: D, dx: O, dw: N, db: N };
  }),

  flatten: () => ({ y: 'exact', dx: 'exact' }),
  relu: () => ({ y: 'exact', dx: 'exact' }),
  // the slope is rounded, and the product
  leakyRelu: () => ({ y: quotient, dx: quotient }),
  globalAvgPool2d: ({ inputs: { x } }, reference) => ({
    y: bound(pixelsOf(x), reference.forward({ inputs: { x: abs(x) }, options: {} })), // P − 1 sums, a reciprocal, a product
    dx: quotient,
  }),
  // the windows that overlap on a pixel are at most as many as taps
  maxPool2d: (call, reference) => ({
    y: 'exact',
    dx: bound(taps(call), reference.backward({ ...call, dy: abs(call.dy) }).dx),
  }),
  avgPool2d: (call, reference) => ({
    y: bound(taps(call), reference.forward(absolute(call))),
    dx: bound(taps(call), reference.backward(absolute(call)).dx),
  }),
  // p and 1 − p are rounded: u / (1 − p) of what is 1 / (1 − p) times as large; then a reciprocal and a product
  dropout: (call, reference) => {
    const { p } = { p: 0.5, ...call.options };
    const S = (t: Tensor) => map(t, (value) => Math.abs(value) / (1 - p || 1));
    return { y: bound(2, S(reference.forward(call))), dx: bound(2, S(reference.backward(call).dx)) };
  },

  // eps is rounded, added and rooted: 2u; a reciprocal, gamma, the product, their sum with a shift of as many: 8 in all
  batchNormInference: (call, reference) => {
    const { x } = call.inputs;
    const { mean, variance } = call.constants!;
    const constants = { mean: map(mean, (value) => -Math.abs(value)), variance }; // |x| + |mean|
    const y = reference.forward({ ...absolute(call), constants });
    const { dx, dgamma, dbeta } = reference.backward({ ...absolute(call), constants });
    const count = size(x) / x.shape[1];
    return { y: bound(8, y), dx: bound(7, dx), dgamma: bound(count + 7, dgamma), dbeta: bound(count, dbeta) };
  },

  /*
   * Let A be the mean of |x| and X = A/σ + |x̂|, σ² = variance + eps. The mean errs by count·u·A and two roundings, and
   * does not change the variance to first order; σ errs by half of the count + 4 roundings of the variance, and 3. So x̂ errs
   * by (count + 8)·u·X, dgamma by (2·count + 10)·u of G = Σ |dy|·X; and dx, a product of gamma/σ with dy less
   * (dbeta + x̂·dgamma)/count, by (4·count + 32)·u of |gamma|/σ · (|dy| + (Σ |dy| + X·G)/count).
   */
  batchNorm: (call) => {
    const { x, gamma, beta } = call.inputs;
    const { eps } = { eps: 1e-5, ...call.options };
    const { mean, variance, count } = batchStatistics(x);
    const pixels = pixelsOf(x);
    const A = added(x, abs(x).data).map((total) => total / count);
    const deviation = variance.data.map((value) => Math.sqrt(value + eps));
    const X = perChannel(x, (value, _, c) => (A[c] + Math.abs(value - mean.data[c])) / deviation[c], pixels);
    const dy = abs(call.dy).data;
    const B = added(x, dy);
    const G = added(
      x,
      dy.map((slope, i) => slope * X[i]),
    );
    const tensor = (f: (i: number, c: number) => number): Tensor => ({
      shape: x.shape,
      data: perChannel(x, (_, i, c) => f(i, c), pixels),
    });
    return {
      y: bound(
        count + 8,
        tensor((i, c) => Math.abs(gamma.data[c]) * X[i] + Math.abs(beta.data[c])),
      ),
      dx: bound(
        4 * count + 32,
        tensor((i, c) => (Math.abs(gamma.data[c]) / deviation[c]) * (dy[i] + (B[c] + X[i] * G[c]) / count)),
      ),
      dgamma: bound(2 * count + 10, { shape: gamma.shape, data: G }),
      dbeta: bound(count, { shape: beta.shape, data: B }),
    };
  },

  // the mean of dy errs as y does, with K roundings more; and y·(dy − mean) by the sum of both: see `shares`
  softmax: ({ inputs: { x }, dy }) => {
    const { K, R, dot, tensor } = shares(x);
    const slopes = abs(dy).data;
    const M = dot(R, slopes);
    return {
      y: bound(
        K + 12,
        tensor((i) => R[i]),
      ),
      dx: bound(
        3 * K + 27,
        tensor((i) => R[i] * (slopes[i] + M[i])),
      ),
    };
  },
  // the log errs as its argument does, relatively, and by 2½ units: 5u·|log|; then two differences
  logSoftmax: ({ inputs: { x }, dy }) => {
    const { K, t, mean, R, dot, logs, tensor } = shares(x);
    const slopes = abs(dy).data;
    const total = dot(map(x, () => 1).data, slopes);
    return {
      y: bound(
        K + 6,
        tensor((i) => 1 + t[i] + mean[i] + logs[i]),
      ),
      dx: bound(
        2 * K + 13,
        tensor((i) => slopes[i] + R[i] * total[i]),
      ),
    };
  },
  softmaxCrossEntropy: ({ inputs: { logits }, constants, dy }) => {
    const { K, t, mean, R, logs, tensor } = shares(logits);
    const { labels } = constants!;
    const [N] = logits.shape;
    const target = (i: number) =>
      labels.shape.length === 2 ? labels.data[i] : labels.data[Math.floor(i / K)] === i % K ? 1 : 0;
    const terms = t.map((value, i) => target(i) * (1 + value + mean[i] + logs[i]));
    const S = terms.reduce((a, b) => a + b, 0) / N;
    return {
      y: bound(N * K + K + 10, { shape: [], data: Float64Array.of(S) }),
      dlogits: bound(
        K + 16,
        tensor((i) => ((R[i] + target(i)) * Math.abs(dy.data[0])) / N),
      ),
    };
  },
  // (x − target)²: 3u of a square, count − 1 sums, a reciprocal and a product; dx: four roundings
  meanSquaredError: (call, reference) => ({
    y: bound(size(call.inputs.x) + 3, reference.forward(call)),
    dx: bound(3, abs(reference.backward(call).dx)),
  }),
  /*
   * e = exp −|x| errs by 2½ units, that is 5u at most, and so does e / (1 + e)², at most: (1 − e)/(1 + e) of it. With 1 + e,
   * its square, a reciprocal and two products there are 8u more in y = e / (1 + e), and 11u in dx, of less than a unit each:
   * sound, but the roundings are never all at their worst. In three million x the worst were 6.41 and 8.46 units here,
   * and 8.14 in the slope of tanh.
   */
  sigmoid: () => ({ y: { mode: 'ulp', k: 7 }, dx: { mode: 'ulp', k: 9 } }),
  tanh: () => ({ y: { mode: 'ulp', k: 3 }, dx: { mode: 'ulp', k: 9 } }),
};

/** How many taps the window of a pool has. */
const taps = ({ options }: Case): number => {
  const { kernel } = options as { kernel: number | readonly number[] };
  return typeof kernel === 'number' ? kernel * kernel : kernel[0] * kernel[1];
};

/** What is allowed between an honest implementation and the exact results, output by output: y and the gradients. */
export const boundsOf = (name: LayerName, call: Case): Bounds =>
  bounds[name](call, layerOf(implementations.vectorized, name));
