import assert from 'node:assert/strict';
import type { Layers } from '../src/layers.ts';
import type { Parameters } from '../src/network.ts';
import { optimizerState, type Optimizer } from '../src/optimizer.ts';
import { size, type Tensor } from '../src/tensor.ts';
import { allowed, expectTensor, expectTensors } from './close.ts';
import { compareOf, type GoldenRunning, type GoldenSteps } from './golden.ts';

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
export function expectRunning(layers: Layers, golden: GoldenRunning): void {
  let { running } = golden;
  for (let t = 0; t < golden.x.shape[0]; t++) {
    running = layers.updateRunning(running, layers.batchStatistics(row(golden.x, t)), golden.options);
    for (const k of ['mean', 'variance'] as const)
      expectTensor(`${k} after batch ${t}`, running[k], row(golden.after[k], t), allowed(golden.compare, 2 ** -53));
  }
}
