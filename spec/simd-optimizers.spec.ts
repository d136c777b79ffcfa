import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { optimizers, optimizerState, type Optimizer, type OptimizerName } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { clear, kernels, put, room, take, use } from '../src/simd/kernels.ts';
import { optimizerArguments, optimizerMoments, optimizerSettings } from '../src/simd/optimizers.ts';
import type { Tensor } from '../src/tensor.ts';
import { allowed, expectSameBits, expectTensor } from './close.ts';
import { tabulate } from './images.ts';

/*
 * The kernels beside src/optimizer.ts, from the same parameters, |θ| ≤ 1, and gradients, 1/2 ≤ |g| ≤ 1, which float32 has
 * exactly. No case goes further than 1, and weightDecay ≤ 1/8: so θ stays within ±2, and g + weightDecay·θ is from 1/4 to 5/4.
 */

const STEPS = 20;
const SHAPE = [37];
const u = 2 ** -24;
const [LEAST, MOST] = [1 / 4, 5 / 4];

/** Options, and the length of the longest step over its rate: that of the largest velocity, or of MOST over the least root. */
const cases: [name: OptimizerName, options: { rate: number; [option: string]: unknown }, reach: number][] = [
  ['sgd', { rate: 0.03 }, MOST],
  ['sgd', { rate: 0.03, weightDecay: 0.1 }, MOST],
  ['sgd', { rate: 0.003, momentum: 0.9 }, 10 * MOST],
  ['sgd', { rate: 0.003, momentum: 0.9, weightDecay: 0.1 }, 10 * MOST],
  ['sgd', { rate: 0.003, momentum: 0.9, nesterov: true }, 10 * MOST],
  ['sgd', { rate: 0.003, momentum: 0.9, nesterov: true, weightDecay: 0.1 }, 10 * MOST],
  ['adam', { rate: 0.01 }, MOST / LEAST],
  ['adam', { rate: 0.01, weightDecay: 0.1, betas: [0.7, 0.95], eps: 0.1 }, MOST / LEAST],
  ['adamW', { rate: 0.01 }, MOST / LEAST],
  ['adamW', { rate: 0.01, weightDecay: 0.1, betas: [0.7, 0.95], eps: 0.1 }, MOST / LEAST],
  ['rmsProp', { rate: 0.001 }, (10 * MOST) / LEAST],
  ['rmsProp', { rate: 0.001, weightDecay: 0.1, alpha: 0.75, eps: 0.1 }, (2 * MOST) / LEAST],
  ['rmsProp', { rate: 0.001, momentum: 0.5, weightDecay: 0.1, alpha: 0.75 }, (4 * MOST) / LEAST],
];

const { uniform } = random(20);
const start = tabulate(SHAPE, () => Math.fround(2 * uniform() - 1));
const gradients = Array.from({ length: STEPS }, () =>
  tabulate(SHAPE, () => Math.fround((uniform() < 0.5 ? -1 : 1) * (0.5 + uniform() / 2))),
);
/** The options of step t: the rate changes from one to the next. */
const at = <O extends { rate: number }>(options: O, t: number) => ({ ...options, rate: options.rate / (1 + (t % 3)) });

/** θ and what is remembered of it, after the steps of src/optimizer.ts. */
function reference(name: OptimizerName, options: { rate: number }, slopes = gradients) {
  const optimizer: Optimizer = optimizers[name];
  const [parameters, state] = [{ theta: structuredClone(start) }, optimizerState()];
  slopes.forEach((theta, i) => optimizer(parameters, { theta }, state, at(options, i + 1)));
  return { theta: parameters.theta, moments: state.moments };
}

/** The same of the kernels; in each step they are called for `parts` of the numbers, [first, count] each. */
function port(name: OptimizerName, options: { rate: number }, slopes = gradients, parts = [[0, SHAPE[0]]]) {
  clear();
  const [theta, gradient, settings] = [put(start), room(SHAPE[0]), room(16)];
  const names = optimizerMoments(name, options);
  const moments = names.map(() => room(SHAPE[0]));
  const copy = (numbers: readonly number[] | Float64Array, to: number) =>
    kernels.copyPictures(put({ data: Float64Array.from(numbers) }), to, 1, 1, numbers.length, 0, 0, 0, 0);
  slopes.forEach(({ data }, i) => {
    copy(data, gradient);
    copy(optimizerSettings(name, at(options, i + 1), i + 1), settings);
    for (const [first, count] of parts) {
      const own = (address: number) => address + 4 * first;
      kernels[name](...optimizerArguments(name, own(theta), own(gradient), moments.map(own), count, settings));
    }
  });
  const remembered = names.map((moment, i): [string, Tensor] => [`theta.${moment}`, take(moments[i], SHAPE)]);
  return { theta: take(theta, SHAPE), moments: Object.fromEntries(remembered) };
}

describe.each(['plain', 'fma'] as const)('optimizers > %s', (build) => {
  beforeAll(() => use(build));
  afterAll(() => use(bestBuild()));

  it.each(cases)('%s %j: twenty steps are those of src/optimizer.ts', (name, options, reach) => {
    const [actual, expected] = [port(name, options), reference(name, options)];
    /*
     * Into a step go: at most 2 roundings of g; 3 for every earlier one that m or v remembers, two of the arithmetic and that
     * of β; as many for s, and 3 of the square, under a root that halves them; 10 of the rest. 1 − alpha is off by that of
     * alpha / (1 − alpha), at most 100, under the root. Then θ is rounded once a step.
     */
    const roundings = 5 * STEPS + 14 + (name === 'rmsProp' ? 50 : 0);
    const travel = gradients.reduce((sum, _, i) => sum + at(options, i + 1).rate * reach, 0);
    expect(travel).toBeLessThan(1);
    const within = allowed({ mode: 'bound', n: roundings, S: travel }, u)(0, 0) + 2 * STEPS * u;
    expectTensor('theta', actual.theta, expected.theta, within);
    expect(Object.keys(actual.moments)).toEqual(Object.keys(expected.moments));
    for (const [key, moment] of Object.entries(expected.moments)) {
      const most = moment.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const S = key === 'theta.velocity' ? reach : key === 'theta.mean' ? MOST : most;
      expectTensor(key, actual.moments[key], moment, allowed({ mode: 'bound', n: 2 * roundings, S }, u));
    }
  });

  it.each(['adam', 'adamW'] as const)('%s: the first step is corrected by the shares that the kernel has', (name) => {
    // Float32 has 0.999, and what is left to 1 with it is off by 220 roundings: they cancel, or half of them show.
    const [options, first] = [{ rate: 1 }, gradients.slice(0, 1)];
    const [actual, expected] = [port(name, options, first), reference(name, options, first)];
    expectTensor('theta', actual.theta, expected.theta, 12 * u); // of a step of 1/2, and of θ
  });

  it.each(cases)('%s %j: threads may share the numbers by fours: not a bit changes', (name, options) => {
    const whole = port(name, options);
    const parts = port(name, options, gradients, [
      [20, 17],
      [0, 4],
      [4, 16],
    ]);
    expectSameBits('theta', parts.theta, whole.theta);
    for (const [key, moment] of Object.entries(whole.moments)) expectSameBits(key, parts.moments[key], moment);
  });
});

it('what is out of range is the error of src/optimizer.ts', () => {
  const message = 'sgd: momentum is 1, expected a number from 0 to below 1';
  for (const attempt of [optimizerMoments, optimizerSettings])
    expect(() => attempt('sgd', { momentum: 1 }, 1)).toThrow(new RangeError(message));
});

it('options left out are those of src/optimizer.ts', () => {
  for (const [name, written] of Object.entries({
    sgd: { rate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 },
    adam: { rate: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 },
    adamW: { rate: 0.001, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0.01 },
    rmsProp: { rate: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, weightDecay: 0 },
  }) as [OptimizerName, object][])
    expect(optimizerSettings(name, {}, 3)).toEqual(optimizerSettings(name, written, 3));
});
