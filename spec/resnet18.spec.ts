import { describe, expect, it } from 'vitest';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { map } from '../src/ndarray.ts';
import { resnet18 } from '../src/models/index.ts';
import { forward, lossAndGradients, parameterShapes, type Parameters } from '../src/network.ts';
import { random } from '../src/random.ts';
import { tensor, zeros } from '../src/tensor.ts';
import { dot, expectTensor, expectTensors } from './close.ts';

const { naive, vectorized } = implementations;
/** Normal numbers. */
const noise = (shape: readonly number[], seed: number) => map(zeros(shape), random(seed).normal);
const labels = tensor([2, 0]);

describe('resnet18 on widths of 2, 3, 4 and 5, two images of 32×32 pixels, in training', () => {
  const model = resnet18({ bias: true, dropout: 0.5, input: [3, 32, 32], widths: [2, 3, 4, 5] });
  const parameters = initialize(model, random(1));
  const x = noise([2, ...model.input], 2);
  const run = (all: Parameters, layers = vectorized) =>
    lossAndGradients(layers, model, all, x, labels, { training: random(3) });
  const { loss, logits, gradients } = run(parameters);

  it('vectorized is naive', () => {
    const definition = run(parameters, naive);
    // 20 batch norms one after the other, the last over two values: 10⁻⁹ is some 10⁷ roundings, measured 10⁻¹²
    expectTensor('logits', logits, definition.logits, (want) => 1e-9 * Math.abs(want) + 1e-12);
    expectTensors(gradients, definition.gradients, (want) => 1e-9 * Math.abs(want) + 1e-9);
  });

  it.each([4, 5, 6, 7])('the slope of the loss along a random direction is ⟨gradient, direction⟩ (seed %i)', (seed) => {
    const h = 1e-6;
    const names = Object.keys(parameterShapes(model));
    const directions = Object.fromEntries(
      names.map((name, i) => [name, noise(parameters[name].shape, 100 * seed + i)]),
    );
    const moved = (step: number): Parameters => ({
      ...parameters,
      ...Object.fromEntries(
        names.map((name) => {
          const { shape, data } = parameters[name];
          return [name, { shape, data: data.map((value, i) => value + step * directions[name].data[i]) }];
        }),
      ),
    });
    const slope = (run(moved(h)).loss - run(moved(-h)).loss) / (2 * h);
    const expected = names.reduce((total, name) => total + dot(gradients[name], directions[name]).data[0], 0);
    expect(Math.abs(slope / expected - 1)).toBeLessThan(1e-4); // h², u/h and a relu crossed now and then: measured 10⁻⁷
  });

  it('a bias before a batch norm learns nothing: its gradient is 0 but for rounding', () => {
    const biases = Object.keys(gradients).filter((name) => /(conv\d|downsample\.0)\.bias$/.test(name));
    expect(biases).toHaveLength(20);
    for (const name of biases) expect(Math.hypot(...gradients[name].data), name).toBeLessThan(1e-12);
    for (const [name, { data }] of Object.entries(gradients))
      if (!biases.includes(name)) expect(Math.hypot(...data), name).toBeGreaterThan(1e-8);
    expect(loss).toBeGreaterThan(0);
  });
});

it('resnet18 at full width: forward and backward, one gradient for each of 11,178,051 parameters', () => {
  const model = resnet18({ input: [3, 32, 32] });
  const parameters = initialize(model, random(1));
  const x = noise([2, 3, 32, 32], 2);
  const { logits, gradients } = lossAndGradients(vectorized, model, parameters, x, labels, { training: random(3) });
  expect(logits.shape).toEqual([2, 3]);
  expect(Object.keys(gradients).sort()).toEqual(Object.keys(parameterShapes(model)).sort());
  for (const [name, shape] of Object.entries(parameterShapes(model))) expect(gradients[name].shape).toEqual(shape);
  for (const [name, { data }] of Object.entries(gradients)) expect(Math.max(...data.slice(0, 1000)), name).not.toBe(0);
  expect(Object.values(gradients).reduce((count, { data }) => count + data.length, 0)).toBe(11_178_051);
});

it('error: one image of 32×32 pixels in training ends as one value per channel (the document’s loss is ln 3 then)', () => {
  const model = resnet18({ input: [3, 32, 32], widths: [2, 3, 4, 5] });
  const parameters = initialize(model, random(1));
  const x = noise([1, 3, 32, 32], 2);
  expect(() => forward(vectorized, model, parameters, x, { training: random(3) })).toThrow(
    new RangeError('batchNorm: x has 1 value per channel, expected at least 2'),
  );
  expect(forward(vectorized, model, parameters, x, 'evaluation').y.shape).toEqual([1, 3]);
});
