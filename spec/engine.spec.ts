import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { batchOf, type Images } from '../src/data/images.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import { conv2dShape } from '../src/naive/conv2d.ts';
import { forward, lossAndGradients, updateStatistics, type Model, type Parameters } from '../src/network.ts';
import { adam, optimizerState } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import type { Build } from '../src/simd/compile.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import type { Plan } from '../src/simd/engine/plan.ts';
import { winogradPays } from '../src/simd/engine/winogradWay.ts';
import { size, zeros, type Tensor } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';

const { vectorized } = implementations;
const convolution = (name: string, layer: 'conv2d' | 'groupedConv2d', w: readonly number[], options: object) =>
  ({ name, layer, parameters: { w, b: [w[0]] }, options }) as const;

/** What none of the tutorials has: groups, uneven padding and steps, branches that end otherwise, pools with a rest. */
const odd: Model = {
  name: 'odd',
  input: [3, 13, 11],
  nodes: [
    convolution('conv1', 'conv2d', [10, 3, 3, 2], {
      padding: { top: 2, bottom: 0, left: 1, right: 3 },
      stride: [2, 1],
    }),
    { name: 'act1', layer: 'leakyRelu', options: { negativeSlope: 0.2 } },
    {
      name: 'block',
      body: [
        convolution('conv', 'groupedConv2d', [10, 5, 3, 3], { groups: 2, padding: 1 }),
        { name: 'act', layer: 'sigmoid' },
      ],
      shortcut: [],
    },
    { name: 'act2', layer: 'relu' },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: 3, stride: 2, padding: 1 } },
    convolution('conv2', 'conv2d', [12, 10, 2, 2], { dilation: 2, padding: 'same' }),
    { name: 'act3', layer: 'relu' },
    { name: 'pool2', layer: 'avgPool2d', options: { kernel: 2, ceilMode: true } },
    { name: 'flatten', layer: 'flatten' },
    { name: 'bn', layer: 'batchNorm', parameters: { gamma: [96], beta: [96] } },
    { name: 'dropout', layer: 'dropout', options: { p: 0.25 } },
    { name: 'fc', layer: 'linear', parameters: { w: [5, 96], b: [5] } },
  ],
};

/** 3×3 convolutions of stride 1 by Winograd's products: sizes without a half, borders of 0, 1 and 2, one before a pool. */
const quick: Model = {
  name: 'quick',
  input: [3, 15, 12],
  nodes: [
    convolution('conv1', 'conv2d', [16, 3, 1, 1], {}),
    convolution('conv2', 'conv2d', [24, 16, 3, 3], { padding: { top: 2, bottom: 1, left: 0, right: 1 } }),
    { name: 'act2', layer: 'tanh' },
    { name: 'block', body: [convolution('conv3', 'conv2d', [24, 24, 3, 3], { padding: 1 })], shortcut: [] },
    convolution('conv4', 'conv2d', [16, 24, 3, 3], { padding: 0 }),
    { name: 'act4', layer: 'relu' },
    { name: 'pool4', layer: 'maxPool2d', options: { kernel: 2 } },
    convolution('conv5', 'conv2d', [40, 16, 3, 3], { padding: 2 }),
    { name: 'act5', layer: 'relu' },
    { name: 'pool5', layer: 'globalAvgPool2d' },
    { name: 'fc', layer: 'linear', parameters: { w: [5, 40], b: [5] } },
  ],
};

const all: readonly Model[] = [
  ...Object.values(models.digitModels),
  models.cifar10Net,
  models.resnet18({ input: [3, 64, 64], widths: [8, 16, 20, 24], dropout: 0.5 }),
  odd,
  quick,
];

/** Eight images of random bytes. */
function imagesFor({ input }: Model): Images {
  const { uniform } = random(7);
  const pixels = Uint8Array.from({ length: 8 * size(input) }, () => 256 * uniform());
  return { shape: input, pixels, labels: Uint8Array.from({ length: 8 }, () => 3 * uniform()) };
}

/** The distance of a from b, as a share of the length of b, if it has one. */
function apart(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [distance, length] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    distance += (a[i] - b[i]) ** 2;
    length += b[i] ** 2;
  }
  return Math.sqrt(distance / (length || 1));
}

const lengthOf = (data: Float64Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
const [five, few] = [Uint32Array.of(3, 1, 7, 0, 4), Uint32Array.of(3, 1)];
const engineFor = (model: Model, parameters: Parameters, options = {}) =>
  Engine.of(model, parameters, { batch: 8, optimizer: 'adam', ...options });

describe('engine', () => {
  it.each<[string, Model, Build?]>([
    ...all.map((model): [string, Model] => [model.name, model]),
    ['odd, plain', odd, 'plain'],
    ['quick, plain', quick, 'plain'],
  ])(
    '%s: loss, logits, gradients, running statistics and evaluation are those of the reference',
    async (_, model, build) => {
      const images = imagesFor(model);
      const parameters = initialize(model, random(3));
      const engine = await engineFor(model, parameters, { threads: 2, ...(build && { build }) });
      const some = model === models.cifar10Net ? few : five; // the reference takes a second for each of its images
      const own = await engine.gradientsOf(images, some, random(9));
      const { x, labels } = batchOf(images, some);
      const seen = inputOf(model, x);
      const reference = lossAndGradients(vectorized, model, parameters, seen, labels, { training: random(9) });
      expect(Math.abs(own.loss / reference.loss - 1)).toBeLessThan(1e-5);
      expect(apart(own.logits.data, reference.logits.data)).toBeLessThan(1e-5);
      const gradients = engine.gradients();
      expect(Object.keys(gradients).toSorted()).toEqual(Object.keys(reference.gradients).toSorted());
      const most = Math.max(...Object.values(reference.gradients).map(({ data }) => lengthOf(data)));
      for (const [name, { data }] of Object.entries(reference.gradients))
        // before a batch norm the gradient of a bias is 0, but for rounding
        if (lengthOf(data) > 1e-9 * most) expect(apart(gradients[name].data, data), name).toBeLessThan(1e-5);
        else expect(lengthOf(gradients[name].data), name).toBeLessThan(1e-5 * most);

      updateStatistics(vectorized, reference.tape, parameters);
      for (const [name, { data }] of Object.entries(engine.parameters()))
        expect(apart(data, parameters[name].data), name).toBeLessThan(1e-5);
      const { y } = forward(vectorized, model, parameters, seen, 'evaluation');
      expect(apart((await engine.evaluate(images, some)).logits.data, y.data)).toBeLessThan(1e-5);
      await engine.close();
    },
  );

  it.each<[boolean, string, readonly number[], object]>([
    [true, '3×3', [16, 16, 3, 3], {}],
    [true, '3×3 with borders', [24, 16, 3, 3], { padding: { top: 2, bottom: 0, left: 1, right: 2 } }],
    [false, '3×2', [16, 16, 3, 2], {}],
    [false, 'dilated', [16, 16, 3, 3], { dilation: [1, 2] }],
    [false, 'strided', [16, 16, 3, 3], { stride: [2, 1] }],
    [false, 'of few channels', [16, 8, 3, 3], {}],
    [false, 'of 20 kernels', [20, 16, 3, 3], {}],
  ])('Winograd: %s, a convolution %s', (pays, _, w, options) => {
    const [O, slice] = w;
    const { C: _C, ...g } = conv2dShape(zeros([1, slice, 10, 10]), zeros(w), zeros([O]), options);
    const of = (images: number) => winogradPays({ plan: { images } as Plan, g: { ...g, groups: 1, slice, O } });
    expect(of(8)).toBe(pays);
    expect(of(1)).toBe(false); // 16 to 25 patches
  });

  it('three steps of adam are those of the reference', async () => {
    const model = models.page3TwoConv;
    const images = imagesFor(model);
    const parameters = initialize(model, random(3));
    const engine = await engineFor(model, parameters);
    const [state, first] = [optimizerState(), engine.parameters()];
    for (let step = 0; step < 3; step++) {
      await engine.step(images, five, random(step), 0.01);
      const { x, labels } = batchOf(images, five);
      const mode = { training: random(step) };
      const { gradients } = lossAndGradients(vectorized, model, parameters, inputOf(model, x), labels, mode);
      adam(parameters, gradients, state, { rate: 0.01 });
    }
    for (const [name, { data }] of Object.entries(engine.parameters())) {
      const move = (to: Float64Array) => to.map((value, i) => value - first[name].data[i]);
      expect(apart(move(data), move(parameters[name].data)), name).toBeLessThan(1e-3); // adam divides by what may be tiny
    }
    await engine.close();
  });

  it.each([
    ['plain', 'odd', odd],
    ['fma', 'odd', odd],
    ['plain', 'quick', quick],
    ['fma', 'quick', quick],
    ['fma', 'dense', models.dense],
  ] as const)('%s, %s: the number of threads changes no bit', async (build, _, model) => {
    const results: Parameters[] = [];
    for (const threads of [1, 2, 3]) {
      const engine = await engineFor(model, initialize(model, random(3)), { threads, build });
      const images = imagesFor(model);
      for (let step = 0; step < 3; step++) await engine.step(images, five, random(step), 0.01);
      const { logits } = await engine.evaluate(images, Uint32Array.of(5, 6));
      results.push({ ...engine.parameters(), logits });
      await engine.close();
    }
    const bits = ({ data }: Tensor) => Buffer.from(data.buffer);
    const others = (result: Parameters) =>
      Object.keys(result).filter((name) => !bits(result[name]).equals(bits(results[0][name])));
    expect({ two: others(results[1]), three: others(results[2]) }).toEqual({ two: [], three: [] });
  });

  it('a thread that dies ends the run with an error', async () => {
    const threads = vi.spyOn(Worker.prototype, 'unref');
    const engine = await engineFor(models.dense, initialize(models.dense, random(3)), { threads: 2 });
    const [worker] = threads.mock.contexts as Worker[];
    threads.mockRestore();
    void worker.terminate();
    const steps = (async () => {
      for (;;) await engine.step(imagesFor(models.dense), five, random(0), 0.01);
    })();
    await expect(steps).rejects.toThrow(new Error('engine: thread 1 has died: exit code 1'));
    await engine.close();
  });

  it.each<[string, () => Promise<unknown>]>([
    ['engine: batch is 0, expected an integer ≥ 1', () => engineFor(odd, {}, { batch: 0 })],
    ['engine: threads is 1.5, expected an integer ≥ 1', () => engineFor(odd, {}, { threads: 1.5 })],
    [
      'engine: there is no softmax in it, expected layers that networks are made of',
      () => engineFor({ ...odd, nodes: [{ name: 'softmax', layer: 'softmax' }] }, {}),
    ],
  ])('error: %s', async (message, make) => {
    await expect(make()).rejects.toThrow(new RangeError(message));
  });
});
