import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialize } from '../../src/initialize.ts';
import { implementations } from '../../src/layers.ts';
import * as models from '../../src/models/index.ts';
import {
  backward,
  forward,
  initialStatistics,
  layersOf,
  parameterCount,
  parameterShapes,
  type Model,
  type Parameters,
} from '../../src/network.ts';
import { map, reshape } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { size, tensor, zeros, type Tensor } from '../../src/tensor.ts';
import { eighths } from '../arbitraries.ts';
import { expectTensor } from '../close.ts';
import { tabulate } from '../images.ts';

// "CNN basics" in PyTorch: what the document says, and what is true.

const { naive, vectorized } = implementations;
const noise = (shape: readonly number[], seed: number) => map(zeros(shape), random(seed).normal);

it('nn.Conv2d(3, 64, 3, padding=1) has 1,792 parameters, and with nn.MaxPool2d(2, 2) makes 32×32 into 64 maps of 16×16', () => {
  const model: Model = {
    name: 'two layers',
    input: [3, 32, 32],
    nodes: [
      { name: 'conv', layer: 'conv2d', parameters: { w: [64, 3, 3, 3], b: [64] }, options: { stride: 1, padding: 1 } },
      { name: 'pool', layer: 'maxPool2d', options: { kernel: 2, stride: 2 } },
    ],
  };
  expect(parameterCount(model)).toBe(1_792);
  const { tape } = forward(vectorized, model, initialize(model, random(0)), zeros([1, 3, 32, 32]), 'evaluation');
  expect(tape.map(({ y }) => y.shape)).toEqual([
    [1, 64, 32, 32],
    [1, 64, 16, 16],
  ]);
});

describe('images of another size', () => {
  const parameters = initialize(models.mnistNet, random(0));

  it('are an error; view(-1, 64·7·7) would make 64 rows of 49 images of 32×32', () => {
    // Every number is that of its image.
    const maps = { shape: [49, 64, 8, 8], data: new Float64Array(49 * 64 * 8 * 8).map((_, i) => Math.floor(i / 4096)) };
    const rows = reshape(maps, [64, 64 * 7 * 7]);
    const [count, length] = rows.shape;
    const imagesOf = (row: number) => new Set(rows.data.subarray(row * length, (row + 1) * length)).size;
    const counts = Array.from({ length: count }, (_, row) => imagesOf(row));
    expect([1, 2].map((images) => counts.filter((of) => of === images).length)).toEqual([16, 48]);
    expect(naive.flatten(maps).shape).toEqual([49, 64 * 8 * 8]);
    expect(() => forward(vectorized, models.mnistNet, parameters, zeros([1, 1, 32, 32]), 'evaluation')).toThrow(
      new RangeError('linear: w has shape (128, 3136), expected (O, 4096)'),
    );
  });

  it('28×28 in LeNet-5 without its 2 pixels of padding are too: 256 numbers where 400 are expected', () => {
    const { nodes, ...rest } = models.lenet5();
    const asDrawn: Model = { ...rest, nodes: nodes.map((node) => (node.name === 'conv1' ? { ...node, options: {} } : node)) }; // prettier-ignore
    const run = (pixels: number) =>
      forward(vectorized, asDrawn, initialize(asDrawn, random(0)), zeros([1, 1, pixels, pixels]), 'evaluation');
    expect(() => run(28)).toThrow(new RangeError('linear: w has shape (120, 400), expected (O, 256)'));
    expect(run(32).y.shape).toEqual([1, 10]);
  });
});

describe('LeNet-5 "(1998)"', () => {
  it('as drawn it has 61,706 parameters; that of 1998 has 60,000, of which these layers are part', () => {
    const drawn = models.lenet5();
    const count = (name: string) =>
      Object.entries(parameterShapes(drawn))
        .filter(([parameter]) => parameter.startsWith(`${name}.`))
        .reduce((total, [, shape]) => total + size(shape), 0);
    const layers = ['conv1', 'conv2', 'fc1', 'fc2', 'fc3'].map(count);
    expect(layers).toEqual([156, 2_416, 48_120, 10_164, 850]);
    // In 1998 each average had a factor and a bias, a map of the second convolution saw 3, 4 or all 6 maps, 6, 9 and 1
    // of them, and the last layer, distances to drawings of the digits, did not learn.
    const averages = [2 * 6, 2 * 16];
    const sparse = 6 * (3 * 25 + 1) + 9 * (4 * 25 + 1) + (6 * 25 + 1);
    const [conv1, , fc1, fc2] = layers;
    expect([sparse, conv1 + averages[0] + sparse + averages[1] + fc1 + fc2]).toEqual([1_516, 60_000]);
    expect(parameterCount(drawn)).toBe(61_706);
  });
});

describe('batch norm behind a layer with a bias', () => {
  const { cnnWithBn } = models;
  const parameters = { ...initialize(cnnWithBn, random(0)), ...initialStatistics(cnnWithBn) };
  const labels = tensor([0, 1, 2]);
  const run = (all: Parameters, images: number) =>
    forward(vectorized, cnnWithBn, all, noise([images, 1, 28, 28], 1), { training: random(2) });
  const { y: logits, tape } = run(parameters, 3);
  const { dlogits } = vectorized.softmaxCrossEntropyBackward(tensor(1), logits, labels);
  const { gradients } = backward(vectorized, tape, dlogits);

  it.each(['conv1', 'fc1'])('%s.bias is a dead parameter: no gradient, and moving it changes no logit', (name) => {
    const largest = ({ data }: Tensor) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const share = largest(gradients[`${name}.bias`]) / largest(gradients[`${name}.weight`]);
    expect(share).toBeLessThan(1e-13); // 0 but for rounding
    const moved = { ...parameters, [`${name}.bias`]: map(parameters[`${name}.bias`], () => 3) };
    expectTensor('logits', run(moved, 3).y, logits, 1e-12);
  });

  it('one image alone is an error: the features behind fc1 have one value each, and no deviation', () => {
    expect(() => run(parameters, 1)).toThrow(
      new RangeError('batchNorm: x has 1 value per channel, expected at least 2'),
    );
  });
});

it('feature maps: after conv1 and relu MNISTNet has 32 of 28×28, none of them negative', () => {
  const { tape } = forward(
    vectorized,
    models.mnistNet,
    initialize(models.mnistNet, random(0)),
    noise([1, 1, 28, 28], 1),
    'evaluation',
  );
  const maps = tape[1].y;
  expect(maps.shape).toEqual([1, 32, 28, 28]);
  expect(Math.min(...maps.data)).toBe(0);
});

it('the buffers of batch norm: 320 numbers in CNNWithBN and 768 in CIFAR10Net, less what PyTorch counts its batches with', () => {
  const buffers = (model: Model) =>
    Object.values(initialStatistics(model)).reduce((count, { shape }) => count + size(shape), 0);
  expect([models.cnnWithBn, models.cifar10Net].map(buffers)).toEqual([322 - 2, 772 - 4]);
});

describe('"CNN: few parameters"', () => {
  it('not MNISTNet: it has 421,642, and the dense net 109,386', () => {
    expect(parameterCount(models.mnistNet)).toBeGreaterThan(3.8 * parameterCount(models.dense));
  });

  it.each<[Model, string]>([
    [models.mnistNet, '95.2'],
    [models.cnnWithBn, '99.8'],
    [models.cifar10Net, '88.8'],
  ])('$name: %s % of them are in its first linear layer, which is not convolutional', (model, percent) => {
    const { parameters = {} } = layersOf(model).find(({ layer }) => layer === 'linear')!;
    const count = Object.values(parameters).reduce((total, shape) => total + size(shape), 0);
    expect(((100 * count) / parameterCount(model)).toFixed(1)).toBe(percent);
  });
});

describe('where a pixel lies', () => {
  const pictures = fc.record({
    x: eighths([2, 1, 3, 4]),
    w: eighths([5, 12]),
    kernel: eighths([2, 1, 2, 3]),
    order: fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 }),
  });
  /** The pixels of every picture in another order. */
  const shuffled = (x: { shape: readonly number[]; data: Float64Array }, order: readonly number[]) =>
    tabulate(x.shape, (...at) => x.data[12 * at[0] + order[at.slice(1).reduce((i, k, axis) => i * x.shape[axis + 1] + k, 0)]]); // prettier-ignore

  it('is nothing to a linear layer: shuffle the pixels of all pictures, and its weights likewise: y is the same', () => {
    fc.assert(
      fc.property(pictures, ({ x, w, order }) => {
        const y = naive.linear(naive.flatten(x), w, zeros([5]));
        expectTensor('y', naive.linear(naive.flatten(shuffled(x, order)), shuffled(w, order), zeros([5])), y);
      }),
    );
  });

  it('is what a convolution looks at: in another order, the step is not an edge any more', () => {
    const step = tensor([[[[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1]]]]); // prettier-ignore
    const scattered = shuffled(step, [0, 2, 1, 3, 7, 5, 6, 4, 8, 10, 9, 11]);
    const edge = tensor([[[[-1, 1], [-1, 1], [-1, 1]]]]); // prettier-ignore
    const read = (x: typeof step) => [...naive.conv2d(x, edge, zeros([1])).data];
    expect(read(step)).toEqual([0, 3, 0]);
    expect(read(scattered)).not.toEqual(read(step));
    expect(Math.max(...read(scattered))).toBeLessThan(3);
  });
});
