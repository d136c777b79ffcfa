import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { first } from '../../src/data/images.ts';
import { mnist } from '../../src/data/mnist.ts';
import { initialize } from '../../src/initialize.ts';
import { implementations, type Layers } from '../../src/layers.ts';
import { tanhAvg } from '../../src/models/index.ts';
import { forward, lossAndGradients, parameterCount, type Model } from '../../src/network.ts';
import { map } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { get, tensor, zeros, type Tensor } from '../../src/tensor.ts';
import { train } from '../../src/train.ts';
import { expectTensor } from '../close.ts';
import { goldenFile } from '../golden.ts';
import { exactSum } from '../images.ts';

// "CNN with tanh and average pooling": what the document says and prints, and what is true.

const { naive, vectorized } = implementations;
const labels = tensor([1, 3, 1, 2, 2, 3, 1, 1, 3, 1]);
const normal = (shape: readonly number[], seed: number) => map(zeros(shape), random(seed).normal);

/** The loss of the first part as it is coded: the softmax of the whole matrix at once, and divided by the classes. */
const asCoded = (logits: Tensor) => {
  const all = exactSum(logits.data.map(Math.exp));
  return exactSum(Array.from(labels.data, (label, n) => Math.log(all) - get(logits, n, label))) / logits.shape[1];
};

describe('the first part: ten images of noise, four classes', () => {
  const model: Model = {
    name: 'first part',
    input: [1, 28, 28],
    initialization: 'fanInUniform',
    nodes: [...tanhAvg.nodes.slice(0, 4), { name: 'fc', layer: 'linear', parameters: { w: [4, 3456], b: [4] } }],
  };
  const run = (seed: number) => {
    const x = normal([10, 1, 28, 28], seed);
    return lossAndGradients(vectorized, model, initialize(model, random(seed)), x, labels, 'evaluation');
  };
  const { tape, dx, gradients } = run(0);

  it('13,888 parameters', () => {
    expect(parameterCount(model)).toBe(13_888);
  });

  it('the shapes it prints, forward and backward', () => {
    const shapes = tape.map(({ y }) => y.shape.join(' '));
    expect(shapes).toEqual(['10 6 26 26', '10 6 26 26', '10 6 24 24', '10 3456', '10 4']);
    expect(gradients['conv1.weight'].shape).toEqual([6, 1, 3, 3]);
    expect(gradients['conv1.bias'].shape).toEqual([6]);
    expect(gradients['fc.weight'].shape).toEqual([4, 3456]);
    expect(dx.shape).toEqual([10, 1, 28, 28]);
  });

  it('the loss is near ln 4 = 1.39; as it is coded it is near 10·ln 40 / 4 = 9.22, and it prints 9.33', () => {
    expect(asCoded(zeros([10, 4]))).toBeCloseTo((10 * Math.log(40)) / 4, 14);
    // measured for seeds 0 to 4: 1.40 to 1.44, as it is coded 9.27 to 9.36
    for (const seed of [0, 1]) {
      const { loss, logits } = run(seed);
      expect(Math.abs(loss - Math.log(4))).toBeLessThan(0.1);
      expect(Math.abs(asCoded(logits) - 9.2222)).toBeLessThan(0.25);
    }
  });

  it('golden: its ten labels on a matrix of eighths cost 1.5507; as it is coded, 9.6462', () => {
    const { inputs } = goldenFile('softmaxCrossEntropy.json').cases.find(
      ({ id }) => id === 'softmaxCrossEntropy/document-10x4',
    )!;
    expect(naive.softmaxCrossEntropy(inputs.logits, labels).data[0]).toBeCloseTo(1.5506823068160904, 14);
    expect(asCoded(inputs.logits)).toBeCloseTo(9.646172144998058, 13);
  });
});

it('the slope of tanh is 1 − y², not 1 − tanh² y: at 2 that would be 0.443 instead of 0.071', () => {
  const x = tensor([-2, -0.5, 0, 0.5, 2]);
  const y = naive.tanh(x);
  const { dx } = naive.tanhBackward(tensor([1, 1, 1, 1, 1]), x);
  dx.data.forEach((slope, i) => expect(slope).toBeCloseTo(1 - y.data[i] ** 2, 15));
  const twice = Array.from(y.data, (value) => (1 - Math.tanh(value) ** 2).toFixed(3));
  expect(twice).toEqual(['0.443', '0.814', '1.000', '0.814', '0.443']);
  expect(dx.data[4].toFixed(3)).toBe('0.071');
});

it('the second part: the same 32 images ten times at rate 0.01, from about ln 10 on lower in every epoch', () => {
  const data = mnist(fileURLToPath(new URL('../../golden/mnist/', import.meta.url)));
  const options = { epochs: 10, batch: 32, rate: 0.01, seed: 0 };
  const steps = train(vectorized, tanhAvg, initialize(tanhAvg, random(0)), first(32, data.train), options);
  const losses = Array.from(steps, ({ loss }) => loss);
  // measured: 2.31 to 2.19, 2.27 to 2.18 and 2.32 to 2.20 for seeds 0 to 2
  expect(losses).toHaveLength(10);
  expect(Math.abs(losses[0] - Math.log(10))).toBeLessThan(0.1);
  losses.slice(1).forEach((loss, i) => expect(loss).toBeLessThan(losses[i]));
});

it('"more calculation = more time": whole-array operations give the same y', () => {
  const parameters = initialize(tanhAvg, random(0));
  const x = normal([4, 1, 28, 28], 1);
  const run = (layers: Layers) => forward(layers, tanhAvg, parameters, x, 'evaluation').y;
  expectTensor('y', run(vectorized), run(naive), 1e-12); // sums of up to 3,456 terms in another order
});
