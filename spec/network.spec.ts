import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { initialize } from '../src/initialize.ts';
import { implementations, type LayerName, type Layers } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import {
  backward,
  forward,
  lossAndGradients,
  parameterCount,
  parameterShapes,
  predictions,
  type Model,
  type Node,
} from '../src/network.ts';
import { random } from '../src/random.ts';
import { size, tensor, zeros } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';
import { allowed, dot, expectTensor, expectTensors, type Compare } from './close.ts';
import { goldenFile, type GoldenCase } from './golden.ts';
import type { ExactStep } from './exact.ts';

/** The model that a fixture's steps spell out; the loss is its last step. */
function modelOf(name: string, steps: readonly ExactStep[], { inputs }: GoldenCase): Model {
  const nodes = steps.slice(0, -1).map((step, i): Node => {
    const [w, b] = step.arguments.map((parameter) => inputs[parameter].shape);
    const node = { name: step.arguments[0]?.split('.')[0] ?? `${step.layer}${i}`, layer: step.layer as LayerName };
    return { ...node, options: step.options, ...(w && { parameters: { w, b } }) };
  });
  return { name, input: inputs.x.shape.slice(1), nodes };
}

const fixtures = ['models/page3.json'].flatMap((name) => {
  const file = goldenFile(name);
  return file.cases.map((golden) => ({ golden, model: modelOf(name, file.network ?? [], golden) }));
});

/** Two layers that learn, and a pool between them, every size distinct, for the chain rule at random. */
const small: Model = {
  name: 'small',
  input: [2, 6, 7],
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [3, 2, 2, 3], b: [3] }, options: { stride: [1, 2] } },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: [3, 2], stride: 1 } },
    { name: 'flatten', layer: 'flatten' },
    { name: 'fc1', layer: 'linear', parameters: { w: [4, 18], b: [4] } },
  ],
};
const smallCase = fc.record({
  x: eighths([2, ...small.input]),
  parameters: fc.record(Object.fromEntries(Object.entries(parameterShapes(small)).map(([k, s]) => [k, eighths(s)]))),
  dlogits: eighths([2, 4]),
});

describe.each(Object.entries(implementations))('network > %s', (_, layers: Layers) => {
  it.each(fixtures)('golden: $golden.title', ({ golden, model }) => {
    const { x, ...parameters } = golden.inputs;
    const within = allowed(golden.compare as Compare, 2 ** -53);
    const { loss, logits, gradients } = lossAndGradients(layers, model, parameters, x, golden.constants!.labels);
    const flow = forward(layers, model, parameters, x);
    const { dlogits } = layers.softmaxCrossEntropyBackward(tensor(1), logits, golden.constants!.labels);
    const { dx } = backward(layers, model, parameters, flow, dlogits);
    expectTensor('y', tensor(loss), golden.y, within);
    const found = Object.entries({ x: dx, ...gradients }).map(([k, gradient]) => [`d${k}`, gradient]);
    expectTensors(Object.fromEntries(found), golden.gradients, within);
  });

  it('the chain rule: moving a parameter of the last layer along its gradient g changes ⟨logits, dlogits⟩ by ‖g‖²', () => {
    fc.assert(
      fc.property(smallCase, ({ x, parameters, dlogits }) => {
        const flow = forward(layers, small, parameters, x);
        const { gradients } = backward(layers, small, parameters, flow, dlogits);
        for (const name of ['fc1.weight', 'fc1.bias']) {
          const gradient = gradients[name];
          const data = parameters[name].data.map((value, i) => value + gradient.data[i]);
          const moved = forward(layers, small, { ...parameters, [name]: { shape: gradient.shape, data } }, x);
          const rise = dot(moved.at(-1)!, dlogits).data[0] - dot(flow.at(-1)!, dlogits).data[0];
          expect(rise).toBe(dot(gradient, gradient).data[0]);
        }
      }),
    );
  });

  it('Σ parameter · gradient of a layer = ⟨x, dx⟩ of the layers behind it, when there is no bias', () => {
    fc.assert(
      fc.property(smallCase, ({ x, parameters, dlogits }) => {
        const unbiased = { ...parameters, 'conv1.bias': zeros([3]), 'fc1.bias': zeros([4]) };
        const flow = forward(layers, small, unbiased, x);
        const { dx, gradients } = backward(layers, small, unbiased, flow, dlogits);
        const value = dot(flow.at(-1)!, dlogits);
        expectTensor('⟨w₂, dw₂⟩', dot(parameters['fc1.weight'], gradients['fc1.weight']), value);
        expectTensor('⟨w₁, dw₁⟩', dot(parameters['conv1.weight'], gradients['conv1.weight']), value);
        expectTensor('⟨x, dx⟩', dot(x, dx), value);
      }),
    );
  });
});

it.each([
  // "CNN from scratch with NumPy": "~109k", "~28k", and the net it trains, whose count it does not give
  ['dense', models.dense, 109_386],
  ['page3TwoConv', models.page3TwoConv, 27_562],
  ['page3', models.page3, 87_322],
])('%s has the number of parameters of its document', (name, model, count) => {
  expect(model.name).toBe(name);
  expect(parameterCount(model)).toBe(count);
});

it('the names of parameters are those of PyTorch', () => {
  expect(parameterShapes(models.page3)).toEqual({
    'conv1.weight': [8, 1, 3, 3],
    'conv1.bias': [8],
    'fc1.weight': [64, 1352],
    'fc1.bias': [64],
    'fc2.weight': [10, 64],
    'fc2.bias': [10],
  });
});

it.each(Object.entries(models))('%s: names are unique, and an image becomes ten logits', (_, model) => {
  const names = model.nodes.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const flow = forward(implementations.vectorized, model, initialize(model, random(1)), zeros([2, ...model.input]));
  expect(flow.at(-1)!.shape).toEqual([2, 10]);
});

it('page3: the sizes the document gives, layer by layer', () => {
  const flow = forward(
    implementations.vectorized,
    models.page3,
    initialize(models.page3, random(1)),
    zeros([1, 1, 28, 28]),
  );
  expect(flow.map(({ shape }) => shape.slice(1).join('×'))).toEqual([
    '1×28×28',
    '8×26×26',
    '8×26×26',
    '8×13×13',
    '1352',
    '64',
    '64',
    '10',
  ]);
});

it('page3TwoConv: 28 → 26 → 13 → 11 → 5 → 400', () => {
  const parameters = initialize(models.page3TwoConv, random(1));
  const flow = forward(implementations.vectorized, models.page3TwoConv, parameters, zeros([1, 1, 28, 28]));
  expect(flow.map(({ shape }) => size(shape.slice(1)))).toEqual([
    784, 5408, 5408, 1352, 1936, 1936, 400, 400, 64, 64, 10,
  ]);
});

it('the prediction is the first of the largest logits', () => {
  expect(
    predictions(
      tensor([
        [1, 3, 2],
        [5, 5, 4],
        [-2, -1, -1],
      ]),
    ),
  ).toEqual([1, 0, 1]);
});
