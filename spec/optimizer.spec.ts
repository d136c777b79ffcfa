import fc from 'fast-check';
import { expect } from 'vitest';
import type { Parameters } from '../src/network.ts';
import * as real from '../src/optimizer.ts';
import type { AdamOptions, Optimizer, OptimizerName, OptimizerState, SgdOptions } from '../src/optimizer.ts';
import { tensor, zeros, type Tensor } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';
import { expectSameBits, expectTensor, expectTensors } from './close.ts';
import { goldenFile, type GoldenSteps } from './golden.ts';
import { expectSteps } from './traces.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('optimizer', real, ({ adam, adamW, optimizers, optimizerState, rmsProp, sgd }, { describe, it }) => {
  const every = Object.entries(optimizers) as [OptimizerName, Optimizer][];

  /** The parameters after each of some steps, as copies, and what is remembered after the last. */
  function run(optimizer: Optimizer, start: Parameters, gradients: readonly Parameters[], options: object) {
    const [parameters, state] = [structuredClone(start), optimizerState()];
    const after = gradients.map((gradient) => {
      optimizer(parameters, gradient, state, options);
      return structuredClone(parameters);
    });
    return { after, last: after[after.length - 1], state };
  }

  // ── Fixtures ────────────────────────────────────────────────────────────────

  const { cases } = goldenFile<GoldenSteps>('optimizers.json');

  describe('golden/optimizers.json', () => {
    it.each(cases.map((golden) => [golden.id, golden.title, golden] as const))('%s: %s', (_id, _title, golden) =>
      expectSteps(optimizers[golden.optimizer as OptimizerName], golden),
    );

    it('has cases of every optimizer, one of them with its defaults', () => {
      expect([...new Set(cases.map(({ optimizer }) => optimizer))]).toEqual(Object.keys(optimizers));
      for (const name of Object.keys(optimizers)) expect(cases.map(({ id }) => id)).toContain(`${name}/defaults`);
    });
  });

  describe('"ResNet-18 in NumPy", three steps at rate 0.1', () => {
    // Its equations; the numbers are those of its code and of PyTorch 1.13 (inventory F-14), not of our exact arithmetic.
    const theta = tensor([1, -2, 0.5]);
    const gradients = [
      [0.1, -0.2, 0.3],
      [0.2, 0.1, -0.4],
      [-0.3, 0.5, 0.1],
    ].map((g) => ({ theta: tensor(g) }));

    it('SGD', () => {
      const after = [
        [0.99, -1.98, 0.47],
        [0.97, -1.99, 0.51],
        [1, -2.04, 0.5],
      ];
      const found = run(sgd, { theta }, gradients, { rate: 0.1 }).after;
      // three steps, two roundings each, of numbers up to 2.04
      found.forEach((parameters, t) => expectTensor('theta', parameters.theta, tensor(after[t]), 2 ** -50));
    });

    it('Adam', () => {
      const after = [
        [0.900000009999999, -1.9000000049999999, 0.4000000033333332],
        [0.803481813521253, -1.873366302718676, 0.41935104369969073],
        [0.81014171477095, -1.9232918007611826, 0.4214822253001728],
      ];
      const { after: found, state } = run(adam, { theta }, gradients, { rate: 0.1 });
      // 1 − 0.999ᵗ multiplies its rounding by up to 1000, the root halves that, a step is 0.1 long: 50 · 2⁻⁵³ for each of three
      found.forEach((parameters, t) => expectTensor('theta', parameters.theta, tensor(after[t]), 150 * 2 ** -53));
      const remembered = {
        'theta.mean': tensor([-0.0038999999999999977, 0.04279999999999999, -0.0017000000000000038]),
        'theta.square': tensor([0.00013994001000000011, 0.0002999100400000003, 0.0002596600900000003]),
      };
      expectTensors(state.moments, remembered, 2 ** -55); // a few roundings of numbers up to 0.05
    });
  });

  // ── Laws ────────────────────────────────────────────────────────────────────

  /** Two parameters of different shapes, and three gradients of each. */
  const shapes = { a: [3], b: [2, 2] };
  const pair = fc.record({ a: eighths(shapes.a), b: eighths(shapes.b) });
  const steps = fc.record({ start: pair, gradients: fc.tuple(pair, pair, pair) });
  /** Eighths, none of them 0. */
  const slopes = eighths([5]).map(({ shape, data }) => ({ shape, data: data.map((value) => value || 1 / 8) }));

  const holds = <T>(sentence: string, values: fc.Arbitrary<T>, check: (value: T) => void) =>
    it(sentence, () => fc.assert(fc.property(values, check)));
  const zip = (a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor => ({
    shape: a.shape,
    data: a.data.map((value, i) => f(value, b.data[i])),
  });
  function expectSame(actual: Parameters, expected: Parameters): void {
    for (const name of Object.keys(expected)) expectSameBits(name, actual[name], expected[name]);
  }

  /** Options that use everything an optimizer has. */
  const options = {
    sgd: { rate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.125 },
    adam: { rate: 0.1, weightDecay: 0.125 },
    adamW: { rate: 0.1, weightDecay: 0.125 },
    rmsProp: { rate: 0.1, momentum: 0.9, weightDecay: 0.125 },
  };

  describe.each(every)('%s', (name, optimizer) => {
    const all = options[name];

    it('writes to the parameters and to the state it is given, and gives nothing back', () => {
      const [theta, state] = [tensor([1, -2, 0.5]), optimizerState()];
      const { data } = theta;
      expect(optimizer({ theta }, { theta: tensor([1, 1, 1]) }, state, all)).toBe(undefined);
      const moments = Object.values(state.moments).map((moment) => moment.data);
      const before = structuredClone([data, ...moments]);
      optimizer({ theta }, { theta: tensor([1, 1, 1]) }, state, all);
      expect(theta.data).toBe(data);
      expect(Object.values(state.moments).every((moment, i) => moment.data === moments[i])).toBe(true);
      for (const [i, numbers] of [data, ...moments].entries()) expect(numbers).not.toEqual(before[i]);
      expect(state.steps).toBe(2);
    });

    holds('only reads the gradients, and keeps no hold of them', steps, ({ start, gradients }) => {
      const before = structuredClone(gradients);
      const { state, last } = run(optimizer, start, gradients, all);
      expect(structuredClone(gradients)).toEqual(before);
      const lent = gradients.flatMap((gradient) => Object.values(gradient).map(({ data }) => data.buffer));
      for (const { data } of [...Object.values(state.moments), ...Object.values(last)])
        expect(lent.includes(data.buffer)).toBe(false);
    });

    holds('moves every parameter as if it were alone', steps, ({ start, gradients }) => {
      const { last } = run(optimizer, start, gradients, all);
      for (const k of ['a', 'b'] as const) {
        const alone = gradients.map((gradient) => ({ [k]: gradient[k] }));
        expectSame(last, run(optimizer, { [k]: start[k] }, alone, all).last);
      }
    });

    holds('leaves what it is not given: a parameter is frozen by leaving it out', steps, ({ start, gradients }) => {
      const [parameters, state] = [structuredClone(start), optimizerState()];
      for (const gradient of gradients) optimizer({ a: parameters.a }, gradient, state, all);
      expectSame(parameters, { ...run(optimizer, start, gradients, all).last, b: start.b });
      expect(Object.keys(state.moments).filter((moment) => moment.startsWith('b'))).toEqual([]);
    });

    holds('goes on from a stored state, bit by bit', steps, ({ start, gradients: [g1, g2, g3] }) => {
      const { last, state } = run(optimizer, start, [g1, g2], all);
      const text = JSON.stringify(state, (_, value) => (value instanceof Float64Array ? [...value] : value));
      const stored = JSON.parse(text, (key, value) => (key === 'data' ? Float64Array.from(value) : value));
      optimizer(last, g3, stored, all);
      expectSame(last, run(optimizer, start, [g1, g2, g3], all).last);
    });

    holds('a rate of 0 moves nothing', steps, ({ start, gradients }) => {
      expectSame(run(optimizer, start, gradients, { ...all, rate: 0 }).last, start);
    });

    it('weight decay draws a parameter without gradient to 0', () => {
      const start = { theta: tensor([1, -2]) };
      const [{ theta }] = run(optimizer, start, [{ theta: zeros([2]) }], { rate: 0.1, weightDecay: 0.125 }).after;
      expect(Math.abs(theta.data[0])).toBeLessThan(1);
      expect(Math.abs(theta.data[1])).toBeLessThan(2);
      expectSame(run(optimizer, start, [{ theta: zeros([2]) }], { rate: 0.1, weightDecay: 0 }).last, start);
    });

    holds('options left out are PyTorch’s defaults', steps, ({ start, gradients }) => {
      const adam = { rate: 0.001, betas: [0.9, 0.999], eps: 1e-8 };
      const written = {
        sgd: { rate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 },
        adam: { ...adam, weightDecay: 0 },
        adamW: { ...adam, weightDecay: 0.01 },
        rmsProp: { rate: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, weightDecay: 0 },
      }[name];
      const [one, other] = [{}, written].map((given) => run(optimizer, start, gradients, given));
      expectSame(one.last, other.last);
      expectSame(one.state.moments, other.state.moments);
    });

    it('counts a step that has nothing to move', () => {
      const state = optimizerState();
      optimizer({}, {}, state, all);
      expect(state).toEqual({ steps: 1, moments: {} });
    });
  });

  describe.each(every.filter(([name]) => name !== 'adamW'))('%s', (name, optimizer) => {
    const pull = (g: number, theta: number) => g + 0.125 * theta;

    holds('weight decay is a gradient of its own: weightDecay·θ', steps, ({ start, gradients }) => {
      const decayed = run(optimizer, start, gradients, options[name]);
      const [parameters, state] = [structuredClone(start), optimizerState()];
      for (const gradient of gradients) {
        const both = { a: zip(gradient.a, parameters.a, pull), b: zip(gradient.b, parameters.b, pull) };
        optimizer(parameters, both, state, { ...options[name], weightDecay: 0 });
      }
      expectSame(parameters, decayed.last);
      expectSame(state.moments, decayed.state.moments);
    });
  });

  describe('sgd', () => {
    // rates and shares are powers of two: on eighths everything is exact
    const plain: SgdOptions = { rate: 1 / 8 };

    holds('every step moves θ by −rate·g, and nothing adds up', steps, ({ start, gradients: [g] }) => {
      const once = zip(start.a, g.a, (theta, slope) => theta - slope / 8);
      const twice = zip(start.a, g.a, (theta, slope) => theta - slope / 4);
      const { after } = run(sgd, start, [g, g], plain);
      expectTensor('once', after[0].a, once);
      expectTensor('twice', after[1].a, twice);
    });

    holds('momentum 0 is none: no step differs, and nothing is remembered', steps, ({ start, gradients }) => {
      const { last, state } = run(sgd, start, gradients, { ...plain, momentum: 0, nesterov: false, weightDecay: 0 });
      expectSame(last, run(sgd, start, gradients, plain).last);
      expect(state).toEqual({ steps: 3, moments: {} });
    });

    holds('the first step with momentum is the step without', steps, ({ start, gradients: [g] }) => {
      expectSame(run(sgd, start, [g], { ...plain, momentum: 1 / 2 }).last, run(sgd, start, [g], plain).last);
    });

    holds(
      'with momentum ½, g moves θ by 1, 1½ and 1¾ times rate·g, and then it rolls on',
      steps,
      ({ start, gradients }) => {
        const [g] = gradients;
        const none = { a: zeros(shapes.a), b: zeros(shapes.b) };
        const { after } = run(sgd, start, [g, g, g, none], { ...plain, momentum: 1 / 2 });
        [1, 2.5, 4.25, 5.125].forEach((times, t) =>
          expectTensor(
            `step ${t}`,
            after[t].a,
            zip(start.a, g.a, (theta, slope) => theta - (times * slope) / 8),
          ),
        );
      },
    );

    holds('with nesterov, g moves θ by 1½, 1¾ and 1⅞ times rate·g: one step ahead', steps, ({ start, gradients }) => {
      const [g] = gradients;
      const { after } = run(sgd, start, [g, g, g], { ...plain, momentum: 1 / 2, nesterov: true });
      [1.5, 3.25, 5.125].forEach((times, t) =>
        expectTensor(
          `step ${t}`,
          after[t].a,
          zip(start.a, g.a, (theta, slope) => theta - (times * slope) / 8),
        ),
      );
    });

    holds('a change of rate does not reach what is remembered', steps, ({ start, gradients: [g1, g2] }) => {
      const [parameters, state] = [structuredClone(start), optimizerState()];
      sgd(parameters, g1, state, { rate: 1 / 8, momentum: 1 / 2 });
      sgd(parameters, g2, state, { rate: 1 / 4, momentum: 1 / 2 });
      const far = zip(g1.a, g2.a, (first, second) => first / 8 + (first / 2 + second) / 4);
      expectTensor(
        'a',
        parameters.a,
        zip(start.a, far, (theta, way) => theta - way),
      );
    });
  });

  describe.each([
    ['adam', adam],
    ['adamW', adamW],
  ] as const)('%s without weight decay', (_, optimizer) => {
    const none: AdamOptions = { rate: 0.5, weightDecay: 0 };

    holds('the first step is rate·sign(g), less what eps takes', slopes, (g) => {
      const { theta } = run(optimizer, { theta: zeros(g.shape) }, [{ theta: g }], none).last;
      // eps takes the share eps / (|g| + eps) of it; 1 − 0.999 in float64 another 500 roundings
      const within = (_: number, i: number) => 0.5 * (1e-8 / Math.abs(g.data[i]) + 500 * 2 ** -53);
      expectTensor('theta', theta, { shape: g.shape, data: g.data.map((slope) => -0.5 * Math.sign(slope)) }, within);
    });

    holds('and so is every step while g stays the same: the means are corrected at each t', slopes, (g) => {
      const gradients = Array.from({ length: 20 }, () => ({ theta: g }));
      const { after } = run(optimizer, { theta: zeros(g.shape) }, gradients, none);
      after.forEach(({ theta }, t) => {
        const within = (_: number, i: number) => (t + 1) * 0.5 * (1e-8 / Math.abs(g.data[i]) + 500 * 2 ** -53);
        const expected = g.data.map((slope) => -0.5 * (t + 1) * Math.sign(slope));
        expectTensor(`theta after step ${t + 1}`, theta, { shape: g.shape, data: expected }, within);
      });
    });

    it('eps is added to the root: a gradient of its size moves θ by half the rate (under the root, by 10⁻⁴ of it)', () => {
      const { theta } = run(optimizer, { theta: tensor([0]) }, [{ theta: tensor([1e-8]) }], none).last;
      expectTensor('theta', theta, tensor([-0.25]), 500 * 2 ** -53);
    });

    it('and after the correction: for ten steps of such a gradient', () => {
      const gradients = Array.from({ length: 10 }, () => ({ theta: tensor([1e-8]) }));
      const { theta } = run(optimizer, { theta: tensor([0]) }, gradients, none).last;
      expectTensor('theta', theta, tensor([-2.5]), 10 * 500 * 2 ** -53);
    });
  });

  describe('adamW', () => {
    holds('is adam where there is no weight decay', steps, ({ start, gradients }) => {
      const [one, other] = [adamW, adam].map((optimizer) => run(optimizer, start, gradients, { weightDecay: 0 }));
      expectSame(one.last, other.last);
      expectSame(one.state.moments, other.state.moments);
    });

    holds('weight decay does not reach the moments', steps, ({ start, gradients }) => {
      const [one, other] = [0.5, 0].map((weightDecay) => run(adamW, start, gradients, { weightDecay }));
      expectSame(one.state.moments, other.state.moments);
    });

    holds('first shrinks θ by rate·weightDecay of itself, and then is adam', steps, ({ start, gradients }) => {
      const { last } = run(adamW, start, gradients, { rate: 0.25, weightDecay: 0.5 });
      const [parameters, state] = [structuredClone(start), optimizerState()];
      for (const gradient of gradients) {
        for (const { data } of Object.values(parameters)) data.set(data.map((theta) => theta - 0.125 * theta));
        adam(parameters, gradient, state, { rate: 0.25 });
      }
      expectSame(parameters, last);
    });
  });

  describe('rmsProp', () => {
    holds('the first step is rate / √(1 − alpha) long: s is not corrected for its start from 0', slopes, (g) => {
      const { theta } = run(rmsProp, { theta: zeros(g.shape) }, [{ theta: g }], { rate: 0.5, alpha: 0.75 }).last;
      const expected = g.data.map((slope) => -Math.sign(slope));
      const within = (_: number, i: number) => 2e-8 / Math.abs(g.data[i]) + 2 ** -50; // eps takes eps / (½·|g|)
      expectTensor('theta', theta, { shape: g.shape, data: expected }, within);
    });

    it('eps is added to the root: with alpha 0 a gradient of its size moves θ by half the rate', () => {
      const options = { rate: 0.5, alpha: 0 };
      const { theta } = run(rmsProp, { theta: tensor([0]) }, [{ theta: tensor([1e-8]) }], options).last;
      expectTensor('theta', theta, tensor([-0.25]), 2 ** -50);
    });

    holds('with alpha and eps 0, momentum ½ goes over the signs: 1, 1½, 1¾ times the rate', slopes, (g) => {
      const options = { rate: 0.125, alpha: 0, eps: 0, momentum: 0.5 };
      const { after } = run(
        rmsProp,
        { theta: zeros(g.shape) },
        [1, 8, 1 / 4].map((times) => ({ theta: zip(g, g, (slope) => times * slope) })),
        options,
      );
      [1, 2.5, 4.25].forEach((times, t) => {
        const expected = g.data.map((slope) => -0.125 * times * Math.sign(slope));
        expectTensor(`theta after step ${t + 1}`, after[t].theta, { shape: g.shape, data: expected });
      });
    });
  });

  describe.each([
    ['adam', adam],
    ['adamW', adamW],
    ['rmsProp', rmsProp],
  ] as const)('%s', (_, optimizer) => {
    holds('with eps 0, gradients eight times as large move θ no further, to the bit', slopes, (g) => {
      const gradients = [g, zip(g, g, (slope) => slope * slope), g].map((theta) => ({ theta }));
      const larger = gradients.map(({ theta }) => ({ theta: zip(theta, theta, (slope) => 8 * slope) }));
      const [one, other] = [gradients, larger].map((these) =>
        run(optimizer, { theta: zeros(g.shape) }, these, { eps: 0, weightDecay: 0 }),
      );
      expectSame(one.last, other.last);
    });
  });

  // ── Errors ──────────────────────────────────────────────────────────────────

  const parameters = { a: zeros([3]), 'conv1.weight': zeros([2, 2]) };
  const gradients = {
    a: tensor([1, 1, 1]),
    'conv1.weight': tensor([
      [1, 1],
      [1, 1],
    ]),
  };

  /** The error, and that it leaves everything as it was. */
  function expectError(name: OptimizerName, message: string, given: Parameters, state: OptimizerState, more: object) {
    const before = structuredClone({ parameters, state });
    const optimizer: Optimizer = optimizers[name];
    expect(() => optimizer(parameters, given, state, more)).toThrow(new RangeError(`${name}: ${message}`));
    expect({ parameters, state }).toEqual(before);
  }

  describe.each(every)('%s: error:', (name, optimizer) => {
    const moment = { sgd: 'velocity', adam: 'mean', adamW: 'mean', rmsProp: 'square' }[name];

    it.each<[string, Parameters]>([
      ['there is no gradient of conv1.weight, expected one for every parameter', { a: gradients.a }],
      ['the gradient of a has shape (2), expected (3)', { ...gradients, a: zeros([2]) }],
      ['the gradient of conv1.weight has shape (4), expected (2, 2)', { ...gradients, 'conv1.weight': zeros([4]) }],
      [
        'the gradient of a is no tensor, expected { shape: number[], data: Float64Array }',
        { ...gradients, a: [1, 1, 1] as never },
      ],
    ])('%s', (message, given) => expectError(name, message, given, optimizerState(), options[name]));

    it(`the state of step 3 has no conv1.weight.${moment}, expected one for every parameter`, (test) => {
      const { state } = run(optimizer, { a: parameters.a }, [gradients, gradients, gradients], options[name]);
      expectError(name, test.task.name, gradients, state, options[name]);
    });

    it(`conv1.weight.${moment} has shape (4), expected (2, 2)`, (test) => {
      const { state } = run(optimizer, parameters, [gradients], options[name]);
      state.moments[`conv1.weight.${moment}`] = zeros([4]);
      expectError(name, test.task.name, gradients, state, options[name]);
    });

    it.each([
      ['rate is -0.1, expected a number ≥ 0', { rate: -0.1 }],
      ['rate is NaN, expected a number ≥ 0', { rate: NaN }],
      ["rate is '0.1', expected a number ≥ 0", { rate: '0.1' }],
      ['weightDecay is -1, expected a number ≥ 0', { weightDecay: -1 }],
      ['weightDecay is Infinity, expected a number ≥ 0', { weightDecay: Infinity }],
    ])('%s', (message, more) => expectError(name, message, gradients, optimizerState(), more));
  });

  it.each<[OptimizerName, string, object]>([
    ['sgd', 'there is no option lr, expected rate, momentum, nesterov, weightDecay', { lr: 0.1 }],
    ['sgd', 'momentum is 1, expected a number from 0 to below 1', { momentum: 1 }],
    ['sgd', 'momentum is -0.5, expected a number from 0 to below 1', { momentum: -0.5 }],
    ['sgd', 'momentum is null, expected a number from 0 to below 1', { momentum: null }],
    ['sgd', 'nesterov is "yes", expected true or false', { momentum: 0.5, nesterov: 'yes' }],
    ['sgd', 'momentum is 0, expected a number above 0 where nesterov is true', { nesterov: true }],
    ['adam', 'there is no option momentum, expected rate, betas, eps, weightDecay', { momentum: 0.9 }],
    ['adam', 'betas[0] is 1, expected a number from 0 to below 1', { betas: [1, 0.999] }],
    ['adam', 'betas[1] is 1.5, expected a number from 0 to below 1', { betas: [0.9, 1.5] }],
    ['adam', 'eps is -1, expected a number ≥ 0', { eps: -1 }],
    ['adamW', 'there is no option amsgrad, expected rate, betas, eps, weightDecay', { amsgrad: true }],
    ['adamW', 'betas[0] is -1, expected a number from 0 to below 1', { betas: [-1, 0.999] }],
    ['adamW', 'betas is [0.9], expected two numbers from 0 to below 1', { betas: [0.9] }],
    ['adamW', 'betas is null, expected two numbers from 0 to below 1', { betas: null }],
    ['adamW', 'eps is NaN, expected a number ≥ 0', { eps: NaN }],
    ['rmsProp', 'there is no option centered, expected rate, alpha, eps, momentum, weightDecay', { centered: true }],
    ['rmsProp', 'alpha is 1, expected a number from 0 to below 1', { alpha: 1 }],
    ['rmsProp', 'eps is -1, expected a number ≥ 0', { eps: -1 }],
    ['rmsProp', 'momentum is 2, expected a number from 0 to below 1', { momentum: 2 }],
  ])('error: %s: %s', (name, message, more) => expectError(name, message, gradients, optimizerState(), more));
});
