import fc from 'fast-check';
import { expect } from 'vitest';
import { batches, batchOf, first } from '../src/data/images.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { cnnWithBn, dense, lenet5, page3TwoConv } from '../src/models/index.ts';
import {
  forward,
  lossAndGradients,
  predictions,
  updateStatistics,
  type Model,
  type Parameters,
} from '../src/network.ts';
import { map } from '../src/ndarray.ts';
import { optimizerState, sgd } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import type { Tensor } from '../src/tensor.ts';
import * as real from '../src/train.ts';
import type { TrainOptions } from '../src/train.ts';
import { expectSameBits } from './close.ts';
import { goldenFile, type GoldenTraining } from './golden.ts';
import { threeKinds } from './pictures.ts';
import { specifyModule } from './specifyModule.ts';
import { expectTraining } from './traces.ts';

const { vectorized } = implementations;
const last = <T>(steps: Iterable<T>): T => [...steps].at(-1)!;
const bits = (parameters: Parameters) =>
  Object.values(parameters).map(({ data }) => Buffer.from(data.buffer.slice(0)).toString('base64'));
const digits = threeKinds([1, 28, 28], 100);

/** A dropout, and a linear layer. */
const withDropout: Model = {
  name: 'withDropout',
  input: [1, 28, 28],
  nodes: [
    { name: 'flatten', layer: 'flatten' },
    { name: 'dropout', layer: 'dropout', options: { p: 0.5 } },
    { name: 'fc1', layer: 'linear', parameters: { w: [10, 784], b: [10] } },
  ],
};

/** Batch norm, dropout and a normalisation of its own, on pictures of 4×3 pixels. */
const small: Model = {
  name: 'small',
  input: [1, 4, 3],
  normalize: { mean: [0.5], std: [0.25] },
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [2, 1, 2, 2], b: [2] } },
    { name: 'bn1', layer: 'batchNorm', parameters: { gamma: [2], beta: [2] } },
    { name: 'relu1', layer: 'relu' },
    { name: 'flatten', layer: 'flatten' },
    { name: 'dropout1', layer: 'dropout' },
    { name: 'fc1', layer: 'linear', parameters: { w: [3, 12], b: [3] } },
  ],
};
const pictures = threeKinds([1, 4, 3], 17);
/** What the first layer sees. */
const seen = (x: Tensor) => map(x, (value) => (value - 0.5) / 0.25);

specifyModule('train', real, (module, { it }) => {
  const { evaluate, train } = module;

  it.each(goldenFile<GoldenTraining>('training.json').cases)('golden: $title', (golden) =>
    expectTraining(module, golden),
  );

  it('every step is a batch, its gradients, the optimizer and the statistics, in this order', () => {
    const runs = fc.record({
      epochs: fc.integer({ min: 1, max: 3 }),
      batch: fc.integer({ min: 2, max: 20 }),
      seed: fc.nat(99),
      momentum: fc.constantFrom(0, 0.5),
      frozen: fc.constantFrom([], ['conv1.weight'], ['bn1.weight', 'bn1.bias']),
    });
    fc.assert(
      fc.property(runs, ({ epochs, batch, seed, momentum, frozen }) => {
        const [parameters, expected] = [1, 2].map(() => initialize(small, random(seed)));
        const rate = (t: number) => 0.5 / (t + 1);
        const options = { epochs, batch, rate, optimizerOptions: { momentum }, seed, frozen };
        const steps = train(vectorized, small, parameters, pictures, options);
        const [state, learning] = [optimizerState(), { ...expected }];
        for (const name of [...frozen, 'bn1.running_mean', 'bn1.running_var']) delete learning[name];
        for (let epoch = 1; epoch <= epochs; epoch++) {
          const stream = random(seed, epoch);
          for (const { x, labels } of batches(pictures, batch, stream)) {
            const mode = { training: stream };
            const { loss, gradients, tape } = lossAndGradients(vectorized, small, expected, seen(x), labels, mode);
            const { value } = steps.next();
            sgd(learning, gradients, state, { momentum, rate: rate(state.steps) });
            updateStatistics(vectorized, tape, expected);
            expect([value!.epoch, value!.batchLoss]).toEqual([epoch, loss]);
            for (const name of Object.keys(expected)) expectSameBits(name, parameters[name], expected[name]);
          }
        }
        expect(steps.next().done).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('loss and accuracy are those of all images so far, whatever the batches', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(99), (batch, seed) => {
        const parameters = initialize(small, random(seed));
        const all = batchOf(
          pictures,
          Uint32Array.from(pictures.labels, (_, i) => i),
        );
        const { y } = forward(vectorized, small, parameters, seen(all.x), 'evaluation');
        const before = structuredClone(parameters);
        const steps = [...evaluate(vectorized, small, parameters, pictures, batch)];
        for (const { images, loss, accuracy } of steps) {
          const some = { shape: [images, 3], data: y.data.slice(0, 3 * images) };
          const labels = { shape: [images], data: all.labels.data.slice(0, images) };
          expect(loss).toBeCloseTo(vectorized.softmaxCrossEntropy(some, labels).data[0], 12);
          const right = predictions(some).filter((digit, n) => digit === labels.data[n]).length;
          expect(accuracy).toBe(right / images);
        }
        expect(steps.map(({ images }) => images)).toEqual(
          Array.from({ length: Math.ceil(17 / batch) }, (_, i) => Math.min(17, (i + 1) * batch)),
        );
        expect(parameters).toEqual(before);
      }),
      { numRuns: 25 },
    );
  });

  it('a step of one batch moves every parameter by −rate·gradient, once', () => {
    const model = { ...small, nodes: small.nodes.filter(({ name }) => !/^(bn|dropout)/.test(name)) };
    const parameters = initialize(model, random(1));
    const before = structuredClone(parameters);
    const all = { ...pictures, labels: pictures.labels.slice(0, 8), pixels: pictures.pixels.slice(0, 96) };
    const { x, labels } = batchOf(all, Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
    const { gradients } = lossAndGradients(vectorized, model, parameters, seen(x), labels, 'evaluation');
    last(train(vectorized, model, parameters, all, { epochs: 1, batch: 8, rate: 0.25, seed: 0 }));
    for (const [name, { data }] of Object.entries(gradients))
      // the order of the images is another one: a few roundings of numbers below 4
      data.forEach((slope, i) => expect(parameters[name].data[i]).toBeCloseTo(before[name].data[i] - slope / 4, 13));
  });

  it('the same seed gives the same parameters bit by bit, another seed others', () => {
    const run = (seed: number) => {
      const parameters = initialize(page3TwoConv, random(seed));
      last(train(vectorized, page3TwoConv, parameters, first(100, digits), { epochs: 2, batch: 16, rate: 0.05, seed }));
      return bits(parameters);
    };
    const once = run(11);
    expect(run(11)).toEqual(once);
    expect(run(12)).not.toEqual(once);
  });

  it('training and evaluation see normalised pixels, and evaluation the network that is evaluated', () => {
    const some = first(8, digits);
    const all = batchOf(some, Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7));
    const x = map(all.x, (value) => (value - 0.1307) / 0.3081);
    const options = { epochs: 1, batch: 8, rate: 1e-300, seed: 0 };
    const parameters = initialize(lenet5(), random(0));
    const [{ loss }] = train(vectorized, lenet5(), parameters, some, options);
    expect(loss).toBeCloseTo(lossAndGradients(vectorized, lenet5(), parameters, x, all.labels, 'evaluation').loss, 12);
    const learned = initialize(cnnWithBn, random(0));
    [...train(vectorized, cnnWithBn, learned, some, { ...options, rate: 0.01 })]; // so that running statistics differ
    const [whole] = evaluate(vectorized, cnnWithBn, learned, some, 8);
    expect(whole.loss).toBe(lossAndGradients(vectorized, cnnWithBn, learned, x, all.labels, 'evaluation').loss);
  });

  it('every step draws masks of its own', () => {
    const twice = { ...first(8, digits), pixels: new Uint8Array(16 * 784), labels: new Uint8Array(16) };
    for (let n = 0; n < 16; n++) twice.pixels.set(digits.pixels.subarray(0, 784), 784 * n); // one digit, sixteen times
    const parameters = initialize(withDropout, random(0));
    const steps = [
      ...train(vectorized, withDropout, parameters, twice, { epochs: 1, batch: 8, rate: 1e-300, seed: 0 }),
    ];
    expect(steps[0].batchLoss).not.toBe(steps[1].batchLoss);
  });

  it('a schedule gives every step its rate, counted through all epochs; the optimizer gets its own options', () => {
    const [seen, options]: [number[], object[]] = [[], []];
    const parameters = initialize(dense, random(0));
    const run = train(vectorized, dense, parameters, first(20, digits), {
      epochs: 2,
      batch: 8,
      rate: (t) => (seen.push(t), 0.5 ** t),
      optimizer: (learning, gradients, state, all = {}) => (options.push(all), sgd(learning, gradients, state, all)),
      optimizerOptions: { momentum: 0.5 },
      seed: 0,
    });
    expect([...run]).toHaveLength(6);
    expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
    expect(options).toEqual(seen.map((t) => ({ momentum: 0.5, rate: 0.5 ** t })));
  });

  it('the state of the optimizer goes from step to step: momentum 0.9 is not plain SGD', () => {
    const losses = (momentum: number) => {
      const options = { epochs: 1, batch: 8, rate: 0.01, optimizerOptions: { momentum }, seed: 0 };
      const steps = train(vectorized, dense, initialize(dense, random(0)), first(24, digits), options);
      return [...steps].map(({ batchLoss }) => batchLoss);
    };
    const [plain, moving] = [losses(0), losses(0.9)];
    expect(moving.slice(0, 2)).toEqual(plain.slice(0, 2)); // the first step is the same
    expect(moving[2]).not.toBe(plain[2]);
  });

  it('the order of the images comes from the seed, and is another one in every epoch', () => {
    const batchLosses = (seed: number) => {
      const options = { epochs: 2, batch: 5, rate: 1e-300, seed }; // nothing is learned: only the order can differ
      const parameters = initialize(dense, random(0));
      return [...train(vectorized, dense, parameters, first(20, digits), options)].map(({ batchLoss }) => batchLoss);
    };
    const losses = batchLosses(1);
    expect(losses.slice(0, 4)).not.toEqual(losses.slice(4));
    expect(batchLosses(2)).not.toEqual(losses);
  });

  it('an epoch sees every image once: its mean loss is that of evaluate when nothing is learned', () => {
    const parameters = initialize(dense, random(0));
    const some = first(37, digits);
    const steps = [...train(vectorized, dense, parameters, some, { epochs: 1, batch: 10, rate: 1e-300, seed: 0 })];
    const test = last(evaluate(vectorized, dense, parameters, some, 7));
    expect(steps.map(({ images }) => images)).toEqual([10, 20, 30, 37]);
    expect(steps.at(-1)!.loss).toBeCloseTo(test.loss, 12);
    expect(steps.at(-1)!.accuracy).toBe(test.accuracy);
  });

  it.each<[string, Partial<TrainOptions> & { model?: Model }]>([
    ['train: epochs is NaN, expected an integer ≥ 1', { epochs: NaN }],
    ['train: batch is 0, expected an integer ≥ 1', { batch: 0 }],
    ["train: batch is '16', expected an integer ≥ 1", { batch: '16' as never }],
    ['train: rate is NaN, expected a number above 0', { rate: NaN }],
    ['train: rate is 0.1, expected a number above 0', { rate: '0.1' as never }],
    [
      'train: 100 images in batches of 99 leave one alone, and batchNorm: x has 1 value per channel, expected at least 2',
      { batch: 99, model: cnnWithBn },
    ],
    [
      'train: frozen is conv9.weight, expected one of fc1.weight, fc1.bias, fc2.weight, fc2.bias, fc3.weight, fc3.bias',
      { frozen: ['conv9.weight'] },
    ],
  ])('error: %s', (message, { model = dense, ...wrong }) => {
    const options = { epochs: 1, batch: 16, rate: 0.01, seed: 0, ...wrong };
    const steps = train(vectorized, model, initialize(model, random(0)), digits, options);
    expect(() => steps.next()).toThrow(new RangeError(message));
  });
});
