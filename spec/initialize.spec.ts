import { mean, std } from 'mathjs';
import { expect } from 'vitest';
import * as real from '../src/initialize.ts';
import type { Initialization } from '../src/initialize.ts';
import * as models from '../src/models/index.ts';
import { parameterShapes, type Model } from '../src/network.ts';
import { random } from '../src/random.ts';
import { expectSameBits } from './close.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('initialize', real, (module, { describe, it }) => {
  const { initializations, initialize } = module;
  it.each(functionFixtures('initialize'))('golden: $title', (golden) => expectFunction(module, golden));

  const { page3 } = models;
  const schemes = Object.entries(initializations) as [Initialization, (typeof initializations)['heNormal']][];

  /** A kernel of 3·5 pixels, 6 channels, 40 of them: fan-in 90, fan-out 600; and a layer from 300 to 20. */
  const kernels = [40, 6, 3, 5];
  const dense = [20, 300];

  /** What the equations say, without the code: √(2 / fan-in), √(6 / fan-in), … */
  const deviations: readonly [Initialization, readonly number[], number][] = [
    // Those that the documents' own code computes
    ['heNormal', [1000, 1, 3, 3], 0.4714045],
    ['heNormal', [10, 1352], 0.0384615],
    ['heNormal', [100, 3, 7, 7], 0.1166424],
    ['heNormal', [20, 64, 3, 3], 0.0589256],
    ['heNormal', [20, 512], 0.0625],
    // fan-in, not fan-out: √(2 / 600) = 0.0577 and √(2 / 20) = 0.316
    ['heNormal', kernels, 0.1490712],
    ['heNormal', dense, 0.0816497],
    ['glorotNormal', kernels, 0.0538382], // √(2 / 690)
    ['glorotNormal', dense, 0.0790569], // √(2 / 320)
  ];
  const bounds: readonly [Initialization, readonly number[], number][] = [
    // Those of the documents: 1/√9, 1/√3456, 1/√32
    ['fanInUniform', [600, 1, 3, 3], 1 / 3],
    ['fanInUniform', [2, 3456], 0.01701035],
    ['fanInUniform', [100, 32], 0.1767767],
    ['fanInUniform', kernels, 0.1054093],
    ['fanInUniform', dense, 0.057735],
    ['heUniform', kernels, 0.2581989], // √(6 / 90)
    ['heUniform', dense, 0.1414214], // √(6 / 300)
    ['glorotUniform', kernels, 0.0932505], // √(6 / 690)
    ['glorotUniform', dense, 0.1369306], // √(6 / 320)
  ];

  /** Within ±bound and nearly that far, mean 0 and deviation bound / √3. */
  function expectUniform(numbers: readonly number[], bound: number): void {
    const n = numbers.length;
    const farthest = Math.max(...numbers.map(Math.abs));
    expect(farthest).toBeLessThan(bound * (1 + 1e-6)); // the documents give six digits
    expect(farthest).toBeGreaterThan(bound * (1 - 12 / n)); // so for all but one of e¹² = 160,000 seeds
    expect(Math.abs(Number(mean([...numbers])))).toBeLessThan((5 * bound) / Math.sqrt(3 * n));
    const deviation = bound / Math.sqrt(3);
    expect(Math.abs(Number(std([...numbers])) / deviation - 1)).toBeLessThan(5 / Math.sqrt(5 * n)); // √(4/45 / n) / (2/3)
  }

  it.each(deviations)('%s(%j): mean 0, deviation %f, within 5 standard errors', (scheme, shape, deviation) => {
    const { data } = initializations[scheme](shape, random(1));
    const n = data.length;
    expect(Math.abs(Number(mean([...data])))).toBeLessThan((5 * deviation) / Math.sqrt(n));
    expect(Math.abs(Number(std([...data])) / deviation - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
  });

  it.each(bounds)('%s(%j): within ±%f, and nearly that far; mean 0, deviation a √3rd', (scheme, shape, bound) => {
    const { data } = initializations[scheme](shape, random(1));
    expectUniform([...data], bound);
  });

  it('normal numbers have no bound: 32 % are beyond one deviation, and some beyond three', () => {
    const { data } = initializations.heNormal([200, 50], random(3));
    const beyond = (deviations: number) => data.filter((value) => Math.abs(value) > deviations * 0.2).length / 10_000;
    expect(Math.abs(beyond(1) - 0.3173)).toBeLessThan(5 * 0.00466); // √(p·(1 − p) / 10⁴)
    expect(Math.abs(beyond(3) - 0.0027)).toBeLessThan(5 * 0.00052);
  });

  describe.each(schemes)('%s', (name, scheme) => {
    it('has the shape asked for, and the same numbers for the same seed only', () => {
      const first = scheme([2, 3, 4, 5], random(7));
      expect(first.shape).toEqual([2, 3, 4, 5]);
      expect(first.data.length).toBe(120);
      expectSameBits('weights', scheme([2, 3, 4, 5], random(7)), first);
      for (const other of [random(8), random(7, 1)]) expect(scheme([2, 3, 4, 5], other)).not.toEqual(first);
    });

    it('takes new numbers every time', () => {
      const stream = random(7);
      expect(scheme([2, 3], stream)).not.toEqual(scheme([2, 3], stream));
    });

    it.each([
      [[5], '(5)'],
      [[], '()'],
      [[2, 3, 4], '(2, 3, 4)'],
      [[2, 0], '(2, 0)'],
      [[2, 1.5], '(2, 1.5)'],
    ])('error: shape %j', (shape, shown) => {
      const message = `${name}: shape is ${shown}, expected (out, in) or (O, C, KH, KW)`;
      expect(() => scheme(shape, random(1))).toThrow(new RangeError(message));
    });
  });

  // ── Models ──────────────────────────────────────────────────────────────────

  it('initialize: every parameter in its shape, biases 0, the same for the same seed', () => {
    const parameters = initialize(page3, random(5));
    expect(Object.fromEntries(Object.entries(parameters).map(([k, { shape }]) => [k, shape]))).toEqual(
      parameterShapes(page3),
    );
    for (const name of ['conv1.bias', 'fc1.bias', 'fc2.bias'])
      expect(parameters[name].data.every((value) => value === 0)).toBe(true);
    expect(parameters['conv1.weight'].data.every((value) => value !== 0)).toBe(true);
    expect(initialize(page3, random(5))).toEqual(parameters);
    expect(initialize(page3, random(6))).not.toEqual(parameters);
  });

  /** A batch norm, whose gamma and beta have the shape of a bias, between two layers of different fan-in. */
  const normalized: Model = {
    name: 'normalized',
    input: [2, 2, 3],
    nodes: [
      { name: 'conv1', layer: 'conv2d', parameters: { w: [300, 2, 2, 3], b: [300] } },
      { name: 'bn1', layer: 'batchNorm', parameters: { gamma: [300], beta: [300] } },
      { name: 'flatten', layer: 'flatten' },
      { name: 'fc1', layer: 'linear', parameters: { w: [200, 300], b: [200] } },
    ],
  };

  describe.each(schemes)('initialize by %s', (name, scheme) => {
    const parameters = initialize(normalized, random(5), name);
    const of = (...names: string[]) => names.flatMap((each) => [...parameters[each].data]);

    it('draws weights in the order of the layers', () => {
      const stream = random(5);
      expectSameBits('conv1.weight', parameters['conv1.weight'], scheme([300, 2, 2, 3], stream));
      if (name === 'fanInUniform') for (let i = 0; i < 300; i++) stream.uniform(); // conv1.bias
      expectSameBits('fc1.weight', parameters['fc1.weight'], scheme([200, 300], stream));
    });

    it('starts batch norm with gamma 1 and beta 0, mean 0 and variance 1', () => {
      expect(of('bn1.weight', 'bn1.running_var')).toEqual(Array(600).fill(1));
      expect(of('bn1.bias', 'bn1.running_mean')).toEqual(Array(600).fill(0));
    });

    if (name !== 'fanInUniform')
      it('starts biases with 0', () => {
        expect(of('conv1.bias', 'fc1.bias')).toEqual(Array(500).fill(0));
      });
    else
      it.each([
        ['conv1.bias', 1 / Math.sqrt(12)],
        ['fc1.bias', 1 / Math.sqrt(300)],
      ])('draws %s within ±1/√fan-in of its weights', (bias, bound) => {
        expectUniform(of(bias), bound);
      });
  });

  it('the scheme is the one asked for, else that of the model, else heNormal', () => {
    const first = (initialization?: Initialization, scheme?: Initialization) =>
      initialize({ ...page3, ...(initialization && { initialization }) }, random(5), scheme)['conv1.weight'];
    const by = (scheme: Initialization) => initializations[scheme]([8, 1, 3, 3], random(5));
    expectSameBits('of the model', first('glorotUniform'), by('glorotUniform'));
    expectSameBits('asked for', first('glorotUniform', 'heUniform'), by('heUniform'));
    expectSameBits('of neither', first(), by('heNormal'));
  });

  it('branches too, under the names of their layers', () => {
    const body = [{ name: 'conv1', layer: 'conv2d', parameters: { w: [2, 2, 1, 1], b: [2] } }] as const;
    const shortcut = [{ name: 'bn', layer: 'batchNorm', parameters: { gamma: [2], beta: [2] } }] as const;
    const parameters = initialize(
      { name: 'm', input: [2, 6, 7], nodes: [{ name: 'block', body, shortcut }] },
      random(1),
    );
    expect(Object.keys(parameters)).toEqual([
      'block.conv1.weight',
      'block.conv1.bias',
      'block.bn.weight',
      'block.bn.bias',
      'block.bn.running_mean',
      'block.bn.running_var',
    ]);
    expect([...parameters['block.bn.weight'].data, ...parameters['block.bn.bias'].data]).toEqual([1, 1, 0, 0]);
  });

  it.each<[string, () => unknown]>([
    [
      'initialize: scheme is zeros, expected one of heNormal, heUniform, glorotNormal, glorotUniform, fanInUniform',
      () => initialize(page3, random(1), 'zeros' as never),
    ],
    [
      'initialize: scheme is constructor, expected one of heNormal, heUniform, glorotNormal, glorotUniform, fanInUniform',
      () => initialize({ ...page3, initialization: 'constructor' as never }, random(1)),
    ],
    [
      'initialize: a layer has the parameter slope, expected w, b, gamma or beta',
      () =>
        initialize(
          { name: 'm', input: [2, 6, 7], nodes: [{ name: 'p', layer: 'relu', parameters: { slope: [2] } }] },
          random(1),
        ),
    ],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
