import assert from 'node:assert/strict';
import type { Images } from '../src/data/images.ts';
import { implementations, type LayerName, type Layers } from '../src/layers.ts';
import type { Nodes, Parameters } from '../src/network.ts';
import { optimizerState, type Optimizer } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { size, tensor, type Tensor } from '../src/tensor.ts';
import type { Progress } from '../src/train.ts';
import { allowed, expectTensor, expectTensors, type Compare } from './close.ts';
import type { ExactLayer, ExactStep } from './exact.ts';
import {
  compareOf,
  goldenFile,
  goldenNames,
  type GoldenCase,
  type GoldenImages,
  type GoldenRunning,
  type GoldenSteps,
  type GoldenTraining,
} from './golden.ts';

/** Row t of a tensor that has one row for each step. */
const row = ({ shape: [, ...shape], data }: Tensor, t: number): Tensor => ({
  shape,
  data: data.slice(t * size(shape), (t + 1) * size(shape)),
});
const rows = (all: Parameters, t: number): Parameters =>
  Object.fromEntries(Object.entries(all).map(([name, each]) => [name, row(each, t)]));

/** @throws AssertionError if the optimizer does not go the way of the fixture, step by step */
export function expectSteps(optimizer: Optimizer, golden: GoldenSteps): void {
  const [parameters, state] = [structuredClone(golden.parameters), optimizerState()];
  const [{ shape }] = Object.values(golden.gradients);
  const within = allowed(compareOf(golden, 'after'), 2 ** -53);
  for (let t = 0; t < shape[0]; t++) {
    optimizer(parameters, rows(golden.gradients, t), state, golden.options);
    expectTensors(parameters, rows(golden.after, t), within);
  }
  expectTensors(state.moments, golden.state, within);
  assert.equal(state.steps, shape[0]);
}

/** @throws AssertionError if the running statistics are not those of the fixture, batch by batch */
export function expectRunning(layers: Layers, golden: GoldenRunning, u = 2 ** -53): void {
  let { running } = golden;
  for (let t = 0; t < golden.x.shape[0]; t++) {
    running = layers.updateRunning(running, layers.batchStatistics(row(golden.x, t)), golden.options);
    for (const k of ['mean', 'variance'] as const)
      expectTensor(`${k} after batch ${t}`, running[k], row(golden.after[k], t), allowed(golden.compare, u));
  }
}

/** The nodes that a fixture's steps spell out: an argument that is a constant stays 0, the others learn. */
function nodesOf(steps: readonly ExactStep[], { inputs, constants = {} }: GoldenCase, path = ''): Nodes {
  return steps.map((step, i) => {
    if (!('layer' in step)) {
      const branch = (part: readonly ExactStep[]) =>
        nodesOf(part, { inputs, constants } as GoldenCase, `${step.name}.`);
      return { name: step.name, body: branch(step.body), shortcut: branch(step.shortcut) };
    }
    const full = step.arguments[0]?.replace(/\.\w+$/, '').slice(path.length) ?? `${step.layer}${i}`;
    const words = step.layer === 'batchNorm' ? ['gamma', 'beta'] : ['w', 'b'];
    const shapes = (given: Readonly<Record<string, Tensor>>) =>
      Object.fromEntries(step.arguments.flatMap((k, at) => (k in given ? [[words[at], given[k].shape]] : [])));
    const node = { name: full, layer: step.layer as LayerName, options: step.options };
    return { ...node, parameters: shapes(inputs), zero: shapes(constants) };
  });
}

/** Every network fixture: its layers, and the loss that is its last step, if there is one. */
export const networkFixtures = goldenNames
  .filter((name) => name.startsWith('models/') && goldenFile(name).network)
  .flatMap((name) => {
    const { network = [], cases } = goldenFile<GoldenCase>(name);
    const isLoss = (step: ExactStep): step is ExactLayer => 'layer' in step && step.layer === 'softmaxCrossEntropy';
    return cases.map((golden) => ({
      golden,
      nodes: nodesOf(
        network.filter((step) => !isLoss(step)),
        golden,
      ),
      loss: network.some(isLoss),
    }));
  });

export type NetworkFixture = (typeof networkFixtures)[number];

/** @throws AssertionError if a network does not do what the fixture says, layer by layer, in training */
export function expectNetwork(
  { forward, backward, lossAndGradients }: typeof import('../src/network.ts'),
  layers: Layers,
  { golden, nodes, loss }: NetworkFixture,
): void {
  const { x, ...parameters } = golden.inputs;
  const within = allowed(golden.compare as Compare, 2 ** -53);
  const mode = { training: random(0) };
  const { y, tape } = forward(layers, { nodes }, parameters, x, mode);
  const { labels } = golden.constants ?? {};
  const dlogits = loss ? layers.softmaxCrossEntropyBackward(tensor(1), y, labels!).dlogits : golden.dy;
  const { dx, gradients } = backward(layers, tape, dlogits);
  const named = Object.entries({ x: dx, ...gradients }).map(([k, gradient]) => [`d${k}`, gradient]);
  golden.flow?.forEach((expected, i) => expectTensor(`y of layer ${i}`, tape[i].y, expected, within));
  expectTensor('y', loss ? layers.softmaxCrossEntropy(y, labels!) : y, golden.y, within);
  golden.dflow?.forEach((expected, i) => {
    expectTensor(`dy of layer ${i}`, backward(layers, tape.slice(i + 1), dlogits).dx, expected, within);
  });
  expectTensors(Object.fromEntries(named), golden.gradients, within);
  if (!loss) return;
  const all = lossAndGradients(layers, { nodes }, parameters, x, labels!, mode);
  expectTensor('loss', tensor(all.loss), golden.y, within);
  expectTensors({ dx: all.dx, ...all.gradients }, { dx, ...gradients });
}

/** @throws AssertionError if training or evaluation does not go as the fixture says, step by step */
export function expectTraining({ train, evaluate }: typeof import('../src/train.ts'), golden: GoldenTraining): void {
  const within = allowed(golden.compare, 2 ** -53);
  const { vectorized } = implementations;
  const { rates, ...options } = golden.options;
  const parameters = structuredClone(golden.parameters);
  const rate = (t: number) => rates[t];
  const steps = [...train(vectorized, golden.model, parameters, imagesOf(golden.images), { ...options, rate })];
  const row = ({ images, batchLoss, loss, accuracy }: Progress) => [images, batchLoss, loss, accuracy];
  expectTensor('steps', tensor(steps.map((step) => [step.epoch, ...row(step)])), golden.steps, within);
  expectTensors(parameters, golden.after, within);
  const { images, batch, steps: expected } = golden.test;
  const tests = [...evaluate(vectorized, golden.model, parameters, imagesOf(images), batch)];
  expectTensor('test', tensor(tests.map(row)), expected, within);
  expectTensors(parameters, golden.after, within);
}

function imagesOf({ shape, pixels, labels }: GoldenImages): Images {
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
  return { shape, pixels: bytes(pixels.bytes), labels: bytes(labels.bytes) };
}
