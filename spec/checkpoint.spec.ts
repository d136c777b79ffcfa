import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from '../src/checkpoint.ts';
import { first } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { cnnWithBn, dense, mnistNet } from '../src/models/index.ts';
import type { Model } from '../src/network.ts';
import { optimizers, optimizerState, type Optimizer, type OptimizerName } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import { cosine } from '../src/schedule.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import * as engines from '../src/simd/engine/train.ts';
import { beginOf, train, type Step } from '../src/train.ts';

const models = { dense, cnnWithBn, mnistNet };
const { vectorized } = implementations;
const images = first(10, mnist(fileURLToPath(new URL('../golden/mnist', import.meta.url))).train);
/** Three steps in each of two epochs, the last with two images. */
const options = { epochs: 2, batch: 4, seed: 5 };
const rates = cosine(0.01, { steps: 6 });
const facts = { model: 'of a test' };
const told = ({ epoch, loss, accuracy }: Step) => ({ epoch, loss, accuracy });

/** The steps of a run from its beginning, or from a checkpoint that was written and read; and the checkpoint after each. */
function runOf(model: Model, name: OptimizerName, optimizerOptions: object, from?: Uint8Array) {
  const { parameters, state, position } = from
    ? readCheckpoint('test', from)
    : { parameters: initialize(model, random(5)), state: optimizerState(), position: beginOf(1) };
  const settings = { ...options, rate: rates, optimizer: optimizers[name] as Optimizer, optimizerOptions };
  return Array.from(train(vectorized, model, parameters, images, settings, position, state), (step) => {
    return { ...told(step), file: writeCheckpoint({ parameters, state, position: step.position, facts }) };
  });
}

/** The same in the engine. */
async function engineRun(model: Model, optimizer: OptimizerName, threads: number, from?: Uint8Array) {
  const { parameters, state, position } = from
    ? readCheckpoint('test', from)
    : { parameters: initialize(model, random(5)), state: optimizerState(), position: beginOf(1) };
  const engine = await Engine.of(model, parameters, { batch: 4, threads, optimizer });
  await engine.load(parameters, state);
  const steps = [];
  for await (const step of engines.train(engine, images, { ...options, schedule: rates }, position)) {
    const now: Checkpoint = { parameters: engine.parameters(), state: engine.state(), position: step.position, facts };
    steps.push({ ...told(step), file: writeCheckpoint(now, { dtype: 'F32' }) });
  }
  await engine.close();
  return steps;
}

/** Steps whose files are told by what SHA-256 makes of them: they have megabytes. */
const bits = (steps: readonly { readonly file: Uint8Array }[]) =>
  steps.map((step) => ({ ...step, file: createHash('sha256').update(step.file).digest('hex') }));

describe('a run that goes on from a checkpoint is the run that was not interrupted, bit for bit', () => {
  const cases = [
    ['dense', 'sgd', {}],
    ['dense', 'sgd', { momentum: 0.9 }],
    ['dense', 'rmsProp', { momentum: 0.5 }],
    ['dense', 'adamW', {}],
    ['cnnWithBn', 'adam', {}], // batch norm, and dropout
  ] as const;

  it.each(cases)('%s, %s, %j: after any step', (of, name, optimizerOptions) => {
    const model = models[of];
    const whole = runOf(model, name, optimizerOptions);
    expect(whole.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2]);
    const all = model.name === 'dense' ? [0, 1, 2, 3, 4, 5] : [1, 3];
    for (const i of all) expect(bits(runOf(model, name, optimizerOptions, whole[i].file)), `after step ${i + 1}`).toEqual(bits(whole.slice(i + 1))); // prettier-ignore
  });

  it.each([
    ['dense', 'sgd', 1],
    ['mnistNet', 'adam', 2],
  ] as const)('in the engine: %s, %s', async (of, name, threads) => {
    const model = models[of];
    const whole = await engineRun(model, name, threads);
    for (const i of [1, 2]) expect(bits(await engineRun(model, name, 1, whole[i].file)), `after step ${i + 1}`).toEqual(bits(whole.slice(i + 1))); // prettier-ignore
  });
});

describe('readCheckpoint', () => {
  const parameters = initialize(dense, random(0));
  const position = { epoch: 2, seen: { images: 4, totalLoss: 0.1 + 0.2, right: 3 }, random: random(7, 2).state() };
  const moments = { 'fc1.bias.mean': { shape: [2], data: Float64Array.of(Math.PI, -0) } };
  const checkpoint: Checkpoint = { parameters, state: { steps: 9, moments }, position, facts };

  it('reads what writeCheckpoint writes; parameters have their own names, what the optimizer remembers is beside them', () => {
    const file = writeCheckpoint(checkpoint);
    expect(readCheckpoint('test', file)).toEqual(checkpoint);
    const names = Object.keys(readSafetensors('test', file).tensors);
    expect(names).toEqual([...Object.keys(parameters), 'optimizer.fc1.bias.mean']);
  });

  const { metadata } = readSafetensors('test', writeCheckpoint(checkpoint));
  const at = (change: object) => ({ ...metadata, position: JSON.stringify({ ...position, ...change }) });
  it.each([
    ['nothing', {}],
    ['no position', { steps: '9' }],
    ['no steps', { position: metadata.position }],
    ['steps of text', { ...metadata, steps: 'nine' }],
    ['a position that is no JSON', { ...metadata, position: '{' }],
    ['a position of null', { ...metadata, position: 'null' }],
    ['epoch 0', at({ epoch: 0 })],
    ['half an image', at({ seen: { ...position.seen, images: 0.5 } })],
    ['no loss', at({ seen: { ...position.seen, totalLoss: null } })],
    ['no stream', at({ random: undefined })],
    ['a stream of three numbers', at({ random: [1, 2, 3] })],
    ['a stream of large numbers', at({ random: [1, 2, 3, 2 ** 31] })],
  ])('refuses a file that says %s', (_, facts) => {
    const file = writeSafetensors({ tensors: parameters, metadata: facts as Record<string, string> });
    expect(() => readCheckpoint('f', file)).toThrow(
      new RangeError('checkpoint: f does not say where its run stands, expected a checkpoint of a training'),
    );
  });
});
