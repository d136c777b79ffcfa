import fc from 'fast-check';
import { implementations } from '../src/layers.ts';
import { map, mul, reshape, sub, sum, zip } from '../src/ndarray.ts';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { batchNormCase, constantChannelsCase } from './arbitraries.ts';
import { allowed, expectTensor, expectTensors } from './close.ts';
import { tabulate } from './images.ts';
import { change, law, type Case } from './law.ts';
import { specify } from './specify.ts';

const { batchStatistics } = implementations.naive;
const cases = batchNormCase();
const of = ({ x = [2, 3, 4, 5], gamma = [3], beta = [3], ...options }) => ({
  inputs: { x: zeros(x), gamma: zeros(gamma), beta: zeros(beta) },
  options,
});
/**
 * count ≤ 125 values are added up twice, with a dozen operations after, in each of two answers. x is at least 1 apart, so
 * √variance ≥ 1/2 and |x̂| ≤ √count: |dx| ≤ 4/½ · (4 + 4 + √count·4) < 430, and |dgamma| ≤ 4·Σ|x̂| ≤ 500.
 */
const compare = { mode: 'bound', n: 600, S: 500 } as const;
/** The sum of every channel of (N, C) or (N, C, H, W), as (C). */
const perChannel = (t: Tensor) => {
  const [N, C] = t.shape;
  return reshape(sum(reshape(t, [N, C, t.data.length / (N * C)]), [0, 2]), [C]);
};
const variances = ({ inputs: { x }, options: { eps } }: { inputs: { x: Tensor }; options: { eps: number } }) =>
  map(batchStatistics(x).variance, (value) => value + eps);

/** Every pixel of every image as an entry of the batch: (N, C, H, W) → (N·H·W, C). */
const asFeatures = (t: Tensor) => {
  const [N, C, H = 1, W = 1] = t.shape;
  const images = reshape(t, [N, C, H, W]);
  return tabulate([N * H * W, C], (p, c) => get(images, Math.floor(p / (H * W)), c, Math.floor(p / W) % H, p % W));
};

export const laws = specify('batchNorm', {
  cases,
  // h²/6·|y‴|·Σ|dy| with |y‴| ≤ 12·4/(½)³ where count = 2, and rounding u·⟨|y|, |dy|⟩/h
  precision: { compare, h: 2 ** -17, tolerance: 1e-6 },
  laws: [
    law('y has mean beta and variance gamma²·σ² / (σ² + eps), channel by channel', cases, ({ forward, u }, call) => {
      const { x, gamma, beta } = call.inputs;
      const target = zip(gamma, batchStatistics(x).variance, (g, v) => (g * g * v) / (v + call.options.eps));
      const { mean, variance } = batchStatistics(forward(call));
      expectTensor('mean', mean, beta, allowed(compare, u));
      expectTensor('variance', variance, target, allowed({ ...compare, S: 50 ** 2 }, u)); // |y| ≤ 4·√count + 4 < 50
    }),
    law(
      'bn(a·x + b; a²·eps) = bn(x; eps) for a > 0, and bn(−x) turns gamma round',
      fc.tuple(cases, fc.constantFrom(0.25, 1, 3), fc.constantFrom(-7, 0, 5)),
      ({ forward, u }, [call, a, b]) => {
        const line = (slope: number, shift: number) =>
          change(call, { x: map(call.inputs.x, (value) => slope * value + shift) }, { eps: a * a * call.options.eps });
        expectTensor('y', forward(line(a, b)), forward(call), allowed(compare, u));
        const turned = change(call, { gamma: map(call.inputs.gamma, (value) => -value) });
        expectTensor('y', forward(line(-a, b)), forward(turned), allowed(compare, u));
      },
    ),
    law('a constant added to x changes nothing, however large', cases, ({ forward, u }, call) => {
      const S = 2 ** 20 * 8; // the rounding of the mean · gamma / √variance; a one-pass variance is off by 2⁻¹³
      const shifted = change(call, { x: map(call.inputs.x, (value) => value + 2 ** 20) });
      expectTensor('y', forward(shifted), forward(call), allowed({ ...compare, S }, u));
    }),
    law('(N, C, H, W) is (N·H·W, C): every pixel is an entry of the batch', cases, (layer, call) => {
      const { x, gamma, beta } = call.inputs;
      const features: Case = {
        inputs: { x: asFeatures(x), gamma, beta },
        options: call.options,
        dy: asFeatures(call.dy),
      };
      const within = allowed(compare, layer.u);
      expectTensor('y', asFeatures(layer.forward(call)), layer.forward(features), within);
      const { dx, dgamma, dbeta } = layer.backward(call);
      expectTensors({ dx: asFeatures(dx), dgamma, dbeta }, layer.backward(features), within);
    }),
    law('eps left out: 10⁻⁵', cases, ({ forward, backward, u }, { options, ...call }) => {
      const [plain, written] = [{}, { eps: 1e-5 }].map((given) => ({ ...call, options: given }));
      expectTensor('y', forward(plain), forward(written), allowed(compare, u));
      expectTensors(backward(plain), backward(written), allowed(compare, u));
    }),
    law('dgamma = Σ dy · x̂ and dbeta = Σ dy', cases, ({ forward, backward, u }, call) => {
      const { gamma, beta } = call.inputs;
      const normalised = forward(change(call, { gamma: map(gamma, () => 1), beta: map(beta, () => 0) }));
      const { dgamma, dbeta } = backward(call);
      expectTensor('dgamma', dgamma, perChannel(mul(call.dy, normalised)), allowed(compare, u));
      expectTensor('dbeta', dbeta, perChannel(call.dy));
    }),
    law(
      'a constant channel is beta, dx = gamma / √eps · (dy − mean dy) and dgamma = 0',
      constantChannelsCase(),
      ({ forward, backward, u }, { call, constant }) => {
        const { x, gamma, beta } = call.inputs;
        const only = (t: Tensor) =>
          // the channels that are not constant are not asked here
          t.shape.length === 1
            ? tabulate(t.shape, (c) => (constant[c] ? get(t, c) : 0))
            : tabulate(t.shape, (n, c, ...pixel) => (constant[c] ? get(t, n, c, ...pixel) : 0));
        const count = x.data.length / x.shape[1];
        const root = Math.sqrt(call.options.eps);
        const sums = perChannel(call.dy);
        const dx = tabulate(
          x.shape,
          (n, c, ...pixel) => (get(gamma, c) / root) * (get(call.dy, n, c, ...pixel) - get(sums, c) / count),
        );
        const within = allowed({ mode: 'bound', n: compare.n, S: 32 / root }, u); // |gamma|·|dy − mean dy| ≤ 4·8
        expectTensor('y', only(forward(call)), only(tabulate(x.shape, (_, c) => get(beta, c))), within);
        const gradients = backward(call);
        expectTensor('dx', only(gradients.dx), only(dx), within);
        expectTensor('dgamma', only(gradients.dgamma), zeros(gamma.shape), within);
      },
    ),
    law('Σ dx = 0, channel by channel', cases, ({ backward, u }, call) => {
      const total = perChannel(backward(call).dx);
      expectTensor('Σ dx', total, zeros(total.shape), allowed({ ...compare, S: 125 * 430 }, u));
    }),
    law('⟨dx, x̂⟩ = gamma·eps / (σ² + eps)^{3/2} · ⟨dy, x̂⟩, channel by channel', cases, (layer, call) => {
      const { gamma, beta } = call.inputs;
      const normalised = layer.forward(change(call, { gamma: map(gamma, () => 1), beta: map(beta, () => 0) }));
      const factor = zip(gamma, variances(call), (g, v) => (g * call.options.eps) / v ** 1.5);
      const along = perChannel(mul(layer.backward(call).dx, normalised));
      const within = allowed({ mode: 'bound', n: 725, S: 430 * 12 * 125 }, layer.u); // Σ |dx|·|x̂|, |x̂| ≤ √125
      expectTensor('⟨dx, x̂⟩', along, mul(factor, perChannel(mul(call.dy, normalised))), within);
    }),
    law('dx has no part along 1 or x̂: dy = 1 and dy = x̂ give nothing where eps is small', cases, (layer, call) => {
      const { gamma, beta } = call.inputs;
      const small = change(call, { beta: map(beta, () => 0) }, { eps: 0 });
      const normalised = layer.forward(change(small, { gamma: map(gamma, () => 1) }));
      for (const dy of [map(call.dy, () => 1), normalised]) {
        const { dx } = layer.backward({ ...small, dy });
        expectTensor('dx', dx, zeros(dx.shape), allowed({ ...compare, S: 4 * 430 }, layer.u)); // |x̂| ≤ 12, dy ≤ 4 above
      }
    }),
    law(
      'a mean of 10⁶ ± 10⁻²: y right to 10⁻⁶',
      fc.constant(0),
      ({ forward, u }) => {
        const [centre, spread] = [(1e6 * 2 ** -53) / u, 2 ** -7]; // in coarser arithmetic, the same number of its roundings
        const signs = tabulate([32, 2], (n, c) => (((n * 5 + c * 3) % 8) - 3.5) / 3.5);
        const x = map(signs, (s) => centre + s * spread);
        const moved = sub(
          x,
          tabulate([1, 1], () => centre),
        ); // exact: the same spread around 0
        const inputs = { gamma: tabulate([2], () => 1.5), beta: tabulate([2], (c) => c) };
        const y = forward({ inputs: { x, ...inputs }, options: { eps: 1e-5 } });
        expectTensor('y', y, forward({ inputs: { x: moved, ...inputs }, options: { eps: 1e-5 } }), 1e-6);
      },
      1,
    ),
  ],
  rejects: [
    [of({ x: [3, 4, 5] }), 'batchNorm: x has shape (3, 4, 5), expected (N, C) or (N, C, H, W)'],
    [of({ x: [2, 3, 0, 5] }), 'batchNorm: x has shape (2, 3, 0, 5), expected (N, C, H, W)'],
    [of({ x: [1, 3, 1, 1] }), 'batchNorm: x has 1 value per channel, expected at least 2'],
    [of({ x: [1, 3] }), 'batchNorm: x has 1 value per channel, expected at least 2'],
    [of({ gamma: [4] }), 'batchNorm: gamma has shape (4), expected (3)'],
    [of({ beta: [3, 1] }), 'batchNorm: beta has shape (3, 1), expected (3)'],
    [of({ eps: -1e-5 }), 'batchNorm: eps is -0.00001, expected a number ≥ 0'],
    [of({ eps: NaN }), 'batchNorm: eps is NaN, expected a number ≥ 0'],
    [of({ epsilon: 1e-3 }), 'batchNorm: there is no option epsilon, expected eps'],
  ],
});
