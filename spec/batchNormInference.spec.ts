import fc from 'fast-check';
import { implementations } from '../src/layers.ts';
import { add, map, mul, reshape, sub, zip } from '../src/ndarray.ts';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { batchNormCase, batchNormInferenceCase, eighths, noVarianceCase } from './arbitraries.ts';
import { allowed, expectTensor, expectTensors, type Compare } from './close.ts';
import { entry, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const { batchNorm, batchStatistics, conv2d } = implementations.naive;
const cases = batchNormInferenceCase();
const constantChannels = noVarianceCase();
type ConstantChannels = typeof constantChannels extends fc.Arbitrary<infer C> ? C : never;
/** gamma / √(variance + eps) of every channel. */
const factorOf = ({ inputs: { gamma }, constants: { variance }, options: { eps } }: ConstantChannels) =>
  zip(gamma, variance, (g, v) => g / Math.sqrt(v + eps));
/** (C) → (C, 1, 1) if x is images: broadcasts over batch and pixels. */
const perPixel = (v: Tensor, x: Tensor) => reshape(v, [v.data.length, ...x.shape.slice(2).map(() => 1)]);
/** A convolution, and a batch norm after it. */
const afterConvolution = fc.record({
  x: eighths([2, 3, 5, 4]),
  w: eighths([4, 3, 2, 3]),
  b: eighths([4]),
  gamma: eighths([4]),
  beta: eighths([4]),
  mean: eighths([4]),
  variance: eighths([4]).map((v) => map(v, (value) => Math.abs(value) + 1 / 4)),
});
const of = ({ x = [2, 3, 4, 5], gamma = [3], beta = [3], mean = [3], variance = [3], ...options }) => ({
  inputs: { x: zeros(x), gamma: zeros(gamma), beta: zeros(beta) },
  constants: { mean: zeros(mean), variance: zeros(variance) },
  options,
});
const variances = (...data: number[]) => ({
  ...of({}),
  constants: { mean: zeros([3]), variance: { shape: [3], data: Float64Array.from(data) } },
});
/**
 * Half a dozen operations in each of two answers; √variance ≥ 1/2 and |x − mean| ≤ 8: |y| ≤ 4·16 + 4 and |dx| ≤ 4·4·2.
 * dgamma adds up at most 125 products of at most 4·16.
 */
const compare: Compare = { mode: 'bound', n: 125 + 24, S: 125 * 64 };

export const laws = specify('batchNormInference', {
  cases,
  // linear in each input: no h² term, only the rounding of ⟨|y|, |dy|⟩ < 10⁵, divided by h
  precision: { compare, h: 2 ** -5, tolerance: 1e-9 },
  laws: [
    law('with the statistics of its own batch it is batchNorm', batchNormCase(), ({ forward, u }, call) => {
      const { x, gamma, beta } = call.inputs;
      const { mean, variance } = batchStatistics(x);
      const y = forward({ inputs: { x, gamma, beta }, constants: { mean, variance }, options: call.options });
      // x up to 150 and its mean, over √variance ≥ 1/2
      expectTensor('y', y, batchNorm(x, gamma, beta, call.options), allowed({ mode: 'bound', n: 300, S: 2500 }, u));
    }),
    law('mean 0, variance 1 − eps, gamma 1, beta 0 change nothing', cases, ({ forward, u }, call) => {
      const [one, none] = [1, 0].map((value) => map(call.inputs.gamma, () => value));
      const variance = map(one, () => 1 - call.options.eps);
      const plain = { inputs: { x: call.inputs.x, gamma: one, beta: none }, options: call.options };
      const y = forward({ ...plain, constants: { mean: none, variance } });
      expectTensor('y', y, call.inputs.x, allowed({ mode: 'bound', n: 8, S: 4 }, u));
    }),
    {
      ...law('a constant added to x and to the mean changes nothing, however large', cases, ({ forward }, call) => {
        const far = (t: Tensor) => map(t, (value) => value + 2 ** 20); // exact for eighths
        const moved = change(
          { ...call, constants: { ...call.constants, mean: far(call.constants.mean) } },
          { x: far(call.inputs.x) },
        );
        expectTensor('y', forward(moved), forward(call));
      }),
      float64: 'programs for inference fold mean and variance into one scale and one shift, which rounds',
    },
    law('the entries of a batch do not see each other', cases, ({ forward }, call) => {
      for (let n = 0; n < call.dy.shape[0]; n++)
        expectTensor('y', forward(change(call, { x: entry(call.inputs.x, n) })), entry(forward(call), n));
    }),
    law(
      'dx = gamma / √(variance + eps) · dy: no sum over the batch, and variance may be 0',
      constantChannels,
      ({ backward, u }, call) => {
        const dx = mul(call.dy, perPixel(factorOf(call), call.dy));
        expectTensor('dx', backward(call).dx, dx, allowed({ mode: 'ulp', k: 12 }, u)); // a chain of products: no sum
      },
    ),
    law('y = factor · (x − mean) + beta with the same factor', constantChannels, ({ forward, u }, call) => {
      const { x, beta } = call.inputs;
      const moved = mul(sub(x, perPixel(call.constants.mean, x)), perPixel(factorOf(call), x));
      const S = 32 / Math.sqrt(call.options.eps) + 4; // |gamma|·|x − mean| ≤ 4·8
      expectTensor('y', forward(call), add(moved, perPixel(beta, x)), allowed({ mode: 'bound', n: 12, S }, u));
    }),
    law('eps left out: 10⁻⁵', cases, ({ forward, backward, u }, { options, ...call }) => {
      const [plain, written] = [{}, { eps: 1e-5 }].map((given) => ({ ...call, options: given }));
      expectTensor('y', forward(plain), forward(written), allowed(compare, u));
      expectTensors(backward(plain), backward(written), allowed(compare, u));
    }),
    law('batch norm folded into the convolution before it gives the same', afterConvolution, ({ forward, u }, all) => {
      const { x, w, b, gamma, beta, mean, variance } = all;
      const eps = 1e-5;
      const factor = zip(gamma, variance, (g, v) => g / Math.sqrt(v + eps));
      const perKernel = (v: Tensor) => reshape(v, [4, 1, 1, 1]);
      const folded = conv2d(
        x,
        mul(w, perKernel(factor)),
        zip(mul(sub(b, mean), factor), beta, (a, c) => a + c),
      );
      const y = forward({
        inputs: { x: conv2d(x, w, b), gamma, beta },
        constants: { mean, variance },
        options: { eps },
      });
      // 18 products of at most 4·4, times gamma / √variance ≤ 8
      expectTensor('y', y, folded, allowed({ mode: 'bound', n: 60, S: (18 * 16 + 8) * 8 + 4 }, u));
    }),
    law('a channel sees its own statistics', cases, ({ forward }, call) => {
      const { mean, variance } = call.constants;
      const C = mean.shape[0];
      const moved = { mean: { ...mean, data: mean.data.with(0, 100) }, variance };
      const y = forward({ ...call, constants: moved });
      const rest = (t: Tensor) =>
        tabulate([t.shape[0], C - 1, ...t.shape.slice(2)], (n, c, ...pixel) => get(t, n, c + 1, ...pixel));
      if (C > 1) expectTensor('y', rest(y), rest(forward(call)));
    }),
  ],
  rejects: [
    [of({ x: [3, 4, 5] }), 'batchNormInference: x has shape (3, 4, 5), expected (N, C) or (N, C, H, W)'],
    [of({ gamma: [4] }), 'batchNormInference: gamma has shape (4), expected (3)'],
    [of({ beta: [3, 1] }), 'batchNormInference: beta has shape (3, 1), expected (3)'],
    [of({ mean: [1] }), 'batchNormInference: mean has shape (1), expected (3)'],
    [of({ variance: [2] }), 'batchNormInference: variance has shape (2), expected (3)'],
    [variances(-2, 1, 0), 'batchNormInference: variance[0] is -2, expected a number ≥ 0'],
    [variances(1, -0.5, 0), 'batchNormInference: variance[1] is -0.5, expected a number ≥ 0'],
    [of({ eps: -1 }), 'batchNormInference: eps is -1, expected a number ≥ 0'],
    [of({ momentum: 0.1 }), 'batchNormInference: there is no option momentum, expected eps'],
  ],
});
