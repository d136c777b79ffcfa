import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialize } from '../../src/initialize.ts';
import { implementations } from '../../src/layers.ts';
import * as models from '../../src/models/index.ts';
import { forward, initialStatistics, layersOf, parameterCount, type Model } from '../../src/network.ts';
import { map } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { size, tensor, zeros } from '../../src/tensor.ts';
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
    expect((49 * 64 * 8 * 8) / (64 * 7 * 7)).toBe(64);
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
