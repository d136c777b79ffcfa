import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { batchOf, first, type Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import {
  cifar10Net,
  cnnWithBn,
  dense,
  lenet5,
  digitModels,
  page3,
  page3TwoConv,
  resnet18,
  tanhAvg,
} from '../src/models/index.ts';
import { lossAndGradients, type Model, type Parameters } from '../src/network.ts';
import { adam, sgd } from '../src/optimizer.ts';
import { map } from '../src/ndarray.ts';
import { random } from '../src/random.ts';
import { tensor, type Tensor } from '../src/tensor.ts';
import { evaluate, train, type TrainOptions } from '../src/train.ts';
import { allowed, expectTensor } from './close.ts';
import { goldenFile, type GoldenCurve } from './golden.ts';

// Real digits: the first 1,000 + 500 of MNIST, in golden/mnist.
const data = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url)));
const { vectorized } = implementations;
const last = <T>(steps: Iterable<T>): T => [...steps].at(-1)!;
/** As toEqual, which takes seconds for a million numbers. */
const sameBits = (a: Tensor, b: Tensor) =>
  Buffer.compare(new Uint8Array(a.data.buffer), new Uint8Array(b.data.buffer)) === 0;
const bits = (parameters: Parameters) =>
  Object.values(parameters).map(({ data }) => Buffer.from(data.buffer.slice(0)).toString('base64'));

describe('page3 learns real digits: 1,000 images, 2 epochs, rate 0.01, seed 0', () => {
  const options: TrainOptions = { epochs: 2, batch: 16, rate: 0.01, seed: 0 };
  const run = (more: Partial<TrainOptions> = {}) => {
    const parameters = initialize(page3, random(0));
    const before = structuredClone(parameters);
    const start = last(evaluate(vectorized, page3, parameters, data.test));
    const end = last(train(vectorized, page3, parameters, data.train, { ...options, ...more }));
    const test = last(evaluate(vectorized, page3, parameters, data.test));
    return { parameters, before, start, end, test };
  };
  const learned = run();

  it('at the start the loss is near ln 10, that of ten equal logits', () => {
    // He-normal logits are not equal: seeds 0 to 7 start from 2.34 to 3.05, seed 0 at 2.37
    expect(Math.abs(learned.start.loss - Math.log(10))).toBeLessThan(0.2);
    expect(learned.start.accuracy).toBeLessThan(0.3);
  });

  it('after it, 65 to 85 % of the test digits are read rightly', () => {
    // measured: 77.2 68.6 74.2 72.6 77.4 % for seeds 0 to 4
    expect(learned.test.accuracy).toBeGreaterThan(0.65);
    expect(learned.test.accuracy).toBeLessThan(0.85);
    expect(learned.test.images).toBe(500);
  });

  it('every parameter has moved', () => {
    for (const [name, { data }] of Object.entries(learned.parameters))
      expect(data, name).not.toEqual(learned.before[name].data);
  });

  it('with the convolution frozen it learns less, and the convolution keeps its bits', () => {
    const frozen = run({ frozen: ['conv1.weight', 'conv1.bias'] });
    for (const name of ['conv1.weight', 'conv1.bias'])
      expect(frozen.parameters[name], name).toEqual(frozen.before[name]);
    // measured: 1.13 1.13 1.11 1.08 1.02 times the loss for seeds 0 to 4
    expect(frozen.end.loss / learned.end.loss).toBeGreaterThan(1.05);
  });

  it('a dense net reads fewer under the same conditions', () => {
    const parameters = initialize(dense, random(0));
    last(train(vectorized, dense, parameters, data.train, options));
    // measured: 61.0 57.6 60.4 56.2 61.6 % for seeds 0 to 4
    expect(last(evaluate(vectorized, dense, parameters, data.test)).accuracy).toBeLessThan(
      learned.test.accuracy - 0.08,
    );
  });
});

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

/** Pictures of a model's size in three classes, each with a brighter channel or corner of its own. */
function threeKinds([C, H, W]: readonly number[], count: number): Images {
  const { uniform } = random(7);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 3);
  const pixels = Uint8Array.from({ length: count * C * H * W }, (_, i) => {
    const [n, c, h, w] = [Math.floor(i / (C * H * W)), Math.floor(i / (H * W)) % C, Math.floor(i / W) % H, i % W];
    const bright = [c === 0 && h < H / 2, c === C - 1 && w < W / 2, h >= H / 2 && w >= W / 2][n % 3];
    return 255 * uniform() * (bright ? 1 : 0.3);
  });
  return { shape: [C, H, W], pixels, labels };
}

describe('every network of the documents learns: pictures in three classes, a few steps of Adam', () => {
  const tiny = resnet18({ input: [3, 32, 32], bias: true, dropout: 0.5, widths: [4, 6, 8, 10] });
  it.each<[string, Model, number, number, number]>([
    ...[...Object.values(digitModels), tiny].map((model): [string, Model, number, number, number] => [
      model.name,
      model,
      12,
      4,
      4,
    ]),
    ['cifar10Net', cifar10Net, 3, 3, 2], // half a billion products for each picture
  ])('%s', (_name, model, count, batch, epochs) => {
    const images = threeKinds(model.input, count);
    const parameters = initialize(model, random(0));
    const before = structuredClone(parameters);
    const loss = () => last(evaluate(vectorized, model, parameters, images)).loss;
    const options = { epochs, batch, rate: 0.002, optimizer: adam, seed: 0 };
    const steps = [...train(vectorized, model, parameters, images, options)];
    const epochLosses = steps.filter(({ images }) => images === count).map(({ loss }) => loss);
    expect(epochLosses).toHaveLength(epochs);
    expect(epochLosses.at(-1)!).toBeLessThan(0.9 * epochLosses[0]);
    for (const name of Object.keys(before)) expect(sameBits(parameters[name], before[name]), name).toBe(false);
    const stays = structuredClone(parameters);
    expect(loss()).toBe(loss()); // evaluation is the same twice, and changes nothing
    for (const name of Object.keys(stays)) expect(sameBits(parameters[name], stays[name]), name).toBe(true);
  });
});

it.each([page3, page3TwoConv, dense])('$name: every parameter has a gradient', (model) => {
  const parameters = initialize(model, random(0));
  const { x, labels } = batchOf(
    data.train,
    Uint32Array.from({ length: 32 }, (_, i) => i),
  );
  const { gradients } = lossAndGradients(vectorized, model, parameters, x, labels, 'evaluation');
  expect(Object.keys(gradients).sort()).toEqual(Object.keys(parameters).sort());
  for (const [name, { data }] of Object.entries(gradients)) expect(Math.hypot(...data), name).toBeGreaterThan(0);
});

describe('the network of "CNN with tanh and average pooling", repaired, on 200 digits', () => {
  const [golden] = goldenFile<GoldenCurve>('models/tanhAvgCurve.json').cases;
  const learned = (seed: number) => {
    const parameters = initialize(tanhAvg, random(seed));
    const steps = [...train(vectorized, tanhAvg, parameters, first(golden.images, data.train), { ...golden, seed })];
    const losses = steps.filter(({ images }) => images === golden.images).map(({ loss }) => loss);
    return { losses, test: last(evaluate(vectorized, tanhAvg, parameters, data.test)).accuracy };
  };
  const curve = learned(golden.seed);

  it(`golden: ${golden.title}, as PyTorch has it`, () => {
    expectTensor('losses', tensor(curve.losses), golden.losses, allowed(golden.compare, 2 ** -53));
    expect(curve.test).toBe(golden.testAccuracy);
  });

  it('the loss falls in every epoch, and 20 to 70 % of the test digits are read rightly', () => {
    // measured over seeds 0 to 9: 46.8 to 57.4 %, and every loss below the one before
    curve.losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(curve.losses[i]));
    expect(curve.test).toBeGreaterThan(0.2);
    expect(curve.test).toBeLessThan(0.7);
  });
});

it.each(Object.values(digitModels))('$name: naive and vectorized have the same losses, to the last bits', (model) => {
  const batch = model === cnnWithBn ? 2 : 1; // batch norm needs two
  const losses = Object.values(implementations).map((layers) => {
    const options = { epochs: 1, batch, rate: 0.05, seed: 3 };
    const steps = train(layers, model, initialize(model, random(3)), first(2 * batch, data.train), options);
    return [...steps].map(({ batchLoss }) => batchLoss);
  });
  expect(losses[0]).toHaveLength(2);
  // sums of up to 6,272 terms in another order, through two steps: 10⁻¹² is some 5,000 units of the last place
  losses[0].forEach((loss, step) => expect(Math.abs(losses[1][step] / loss - 1)).toBeLessThan(1e-12));
});

it('the same seed gives the same parameters bit by bit, another seed others', () => {
  const run = (seed: number) => {
    const parameters = initialize(page3TwoConv, random(seed));
    last(
      train(vectorized, page3TwoConv, parameters, first(100, data.train), { epochs: 2, batch: 16, rate: 0.05, seed }),
    );
    return bits(parameters);
  };
  const once = run(11);
  expect(run(11)).toEqual(once);
  expect(run(12)).not.toEqual(once);
});

it('training and evaluation see normalised pixels, and evaluation the network that is evaluated', () => {
  const some = first(8, data.train);
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
  const twice = { ...first(8, data.train), pixels: new Uint8Array(16 * 784), labels: new Uint8Array(16) };
  for (let n = 0; n < 16; n++) twice.pixels.set(data.train.pixels.subarray(0, 784), 784 * n); // one digit, sixteen times
  const parameters = initialize(withDropout, random(0));
  const steps = [...train(vectorized, withDropout, parameters, twice, { epochs: 1, batch: 8, rate: 1e-300, seed: 0 })];
  expect(steps[0].batchLoss).not.toBe(steps[1].batchLoss);
});

it('a schedule gives every step its rate, counted through all epochs; the optimizer gets its own options', () => {
  const [seen, options]: [number[], object[]] = [[], []];
  const parameters = initialize(dense, random(0));
  const run = train(vectorized, dense, parameters, first(20, data.train), {
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
    const steps = train(vectorized, dense, initialize(dense, random(0)), first(24, data.train), options);
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
    return [...train(vectorized, dense, parameters, first(20, data.train), options)].map(({ batchLoss }) => batchLoss);
  };
  const losses = batchLosses(1);
  expect(losses.slice(0, 4)).not.toEqual(losses.slice(4));
  expect(batchLosses(2)).not.toEqual(losses);
});

it('an epoch sees every image once: its mean loss is that of evaluate when nothing is learned', () => {
  const parameters = initialize(dense, random(0));
  const some = first(37, data.train);
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
    'train: 1000 images in batches of 999 leave one alone, and batchNorm: x has 1 value per channel, expected at least 2',
    { batch: 999, model: cnnWithBn },
  ],
  [
    'train: frozen is conv9.weight, expected one of fc1.weight, fc1.bias, fc2.weight, fc2.bias, fc3.weight, fc3.bias',
    { frozen: ['conv9.weight'] },
  ],
])('error: %s', (message, { model = dense, ...wrong }) => {
  const options = { epochs: 1, batch: 16, rate: 0.01, seed: 0, ...wrong };
  const steps = train(vectorized, model, initialize(model, random(0)), data.train, options);
  expect(() => steps.next()).toThrow(new RangeError(message));
});
