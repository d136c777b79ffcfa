import { describe, expect, it } from 'vitest';
import { initialize } from '../../src/initialize.ts';
import { implementations } from '../../src/layers.ts';
import { mnistNet, resnet18 } from '../../src/models/index.ts';
import { forward, layersOf, parameterCount, parameterShapes, type Nodes } from '../../src/network.ts';
import { random } from '../../src/random.ts';
import { get, size, tensor, zeros } from '../../src/tensor.ts';
import { goldenFile } from '../golden.ts';

// "ResNet-18 in NumPy": what the document says, and what is true. It prints nothing.

const { naive, vectorized } = implementations;
const documented = resnet18({ bias: true, dropout: 0.5 });

describe('its layers', () => {
  const weighted = layersOf(documented).filter(({ parameters }) => parameters?.w);

  it('18 have weights, from x to y, and three convolutions lie beside them', () => {
    const beside = weighted.filter(({ name }) => name.includes('downsample'));
    expect([weighted.length, beside.length]).toEqual([21, 3]);
    for (const { parameters } of beside) expect(parameters!.w.slice(2)).toEqual([1, 1]);
  });

  it('there is no flatten: the mean of every channel makes (N, C, H, W) into (N, C), whatever the size of the image', () => {
    expect(layersOf(documented).some(({ layer }) => layer === 'flatten')).toBe(false);
    const thin = resnet18({ widths: [2, 3, 4, 5] });
    const parameters = initialize(thin, random(0));
    for (const [H, W] of [
      [32, 32],
      [40, 57],
      [64, 96],
    ])
      // prettier-ignore
      expect(forward(vectorized, thin, parameters, zeros([2, 3, H, W]), 'evaluation').y.shape).toEqual([2, 3]);
    const other = () =>
      forward(vectorized, mnistNet, initialize(mnistNet, random(0)), zeros([1, 1, 32, 32]), 'evaluation');
    expect(other).toThrow(/^linear: /); // with flatten, the size of the image is part of the model
  });
});

it('gather_params finds 42 tensors and leaves out the 40 of batch norm, which then do not learn', () => {
  const [norms, others] = [true, false].map((wanted) =>
    layersOf(documented)
      .filter(({ layer }) => (layer === 'batchNorm') === wanted)
      .flatMap(({ parameters = {} }) => Object.values(parameters)),
  );
  const count = (shapes: readonly (readonly number[])[]) => shapes.reduce((total, shape) => total + size(shape), 0);
  expect([others.length, count(others)]).toEqual([42, 11_173_251]);
  expect([norms.length, count(norms)]).toEqual([40, 9_600]);
  expect(Object.keys(parameterShapes(documented))).toHaveLength(82);
  expect(parameterCount(documented)).toBe(11_182_851);
});

it('relu comes after the sum, as in its code; its text has it before: ½ where it is 0', () => {
  const times = { 'block.conv.weight': tensor([[[[-2]]]]) };
  const body: Nodes = [{ name: 'conv', layer: 'conv2d', parameters: { w: [1, 1, 1, 1] }, zero: { b: [1] } }];
  const relu = { name: 'relu', layer: 'relu' } as const;
  const y = (nodes: Nodes) => forward(naive, { nodes }, times, tensor([[[[0.5]]]]), 'evaluation').y.data[0];
  expect(y([{ name: 'block', body, shortcut: [] }, relu])).toBe(0); // relu(−1 + ½)
  expect(y([{ name: 'block', body: [...body, relu], shortcut: [] }])).toBe(0.5); // relu(−1) + ½
});

it('the cost of a class that softmax makes 0 is not log(1e−12): 100, and not 27.63', () => {
  const { inputs, constants } = goldenFile('softmaxCrossEntropy.json').cases.find(
    ({ id }) => id === 'softmaxCrossEntropy/hundred',
  )!;
  expect(naive.softmaxCrossEntropy(inputs.logits, constants!.labels).data[0]).toBe(100);
  const p = get(naive.softmax(inputs.logits), 0, get(constants!.labels, 0));
  expect(-Math.log(p + 1e-12)).toBeCloseTo(27.631021115928547, 12);
});
