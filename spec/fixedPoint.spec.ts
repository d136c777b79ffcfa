import { describe, it } from 'vitest';
import { random } from '../src/random.ts';
import type { Tensor } from '../src/tensor.ts';
import { expectTensor } from './close.ts';
import type { ExactLayer } from './exact.ts';
import { fixed, flow, h, over, times, toNumber, type Fixed, type FixedTensor } from './fixedPoint.ts';
import { goldenFile, type GoldenCase } from './golden.ts';

// PyTorch wrote models/lenet5.json. Is it so? Its numbers have 53 bits, those here 256 after the point.
const { network, cases } = goldenFile<GoldenCase>('models/lenet5.json');
const steps = network as readonly ExactLayer[];
const [golden] = cases;
const lifted = ({ shape, data }: Tensor): FixedTensor => ({ shape, data: Array.from(data, fixed) });
const given = Object.fromEntries(
  Object.entries({ ...golden.inputs, ...golden.constants }).map(([k, t]) => [k, lifted(t)]),
);
const ys = flow(steps, given.x, given);
const rounded = ({ shape, data }: FixedTensor): Tensor => ({ shape, data: Float64Array.from(data, toNumber) });

type Named<T> = Readonly<Record<string, T>>;
/** For every tensor as many integers from −8 to 8, from a seed. */
const directions = (tensors: Named<Tensor>, seed: number): Named<readonly Fixed[]> => {
  const { uniform } = random(seed);
  return Object.fromEntries(
    Object.entries(tensors).map(([k, { data }]) => [k, Array.from(data, () => fixed(Math.floor(uniform() * 17) - 8))]),
  );
};
const moved = ({ shape, data }: FixedTensor, direction: readonly Fixed[], step: Fixed): FixedTensor => ({
  shape,
  data: data.map((value, i) => value + times(step, direction[i])),
});

/** @throws AssertionError if ⟨gradients, direction⟩ is not the slope of the loss, but for 4 roundings of what it adds up */
function expectSlope(loss: (step: Fixed) => Fixed, gradients: Named<Tensor>, direction: Named<readonly Fixed[]>): void {
  const slope = over(loss(h) - loss(-h), 2n * h);
  let [total, size] = [0n, 0n];
  for (const [k, { data }] of Object.entries(gradients))
    direction[k].forEach((along, i) => {
      const part = times(fixed(data[i]), along);
      total += part;
      size += part < 0n ? -part : part;
    });
  const expected: Tensor = { shape: [], data: Float64Array.of(toNumber(total - slope) / toNumber(size)) };
  expectTensor(
    '(⟨gradients, direction⟩ − slope) / Σ |gradient · direction|',
    expected,
    { shape: [], data: Float64Array.of(0) },
    4 * 2 ** -53,
  );
}

describe('golden/models/lenet5.json, once more with 77 digits', () => {
  it('y of every layer, and the loss', () => {
    for (const [i, expected] of [...golden.flow!, golden.y].entries()) {
      const largest = expected.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      // sums of up to 400 products, twelve layers: measured 6.3 roundings of the largest number
      expectTensor(`y of layer ${i}, ${steps[i].layer}`, expected, rounded(ys[i]), 16 * 2 ** -53 * largest);
    }
  });

  it.each([1, 2, 3])(
    'the gradients of all inputs are the slope of the loss along a random direction: seed %i',
    (seed) => {
      const direction = directions(golden.inputs, seed);
      const loss = (step: Fixed) => {
        const there = Object.entries(given).map(([k, t]) => [k, k in direction ? moved(t, direction[k], step) : t]);
        const { x, ...others }: Named<FixedTensor> = Object.fromEntries(there);
        return flow(steps, x, others).at(-1)!.data[0];
      };
      const gradients = Object.fromEntries(Object.keys(direction).map((k) => [k, golden.gradients[`d${k}`]]));
      expectSlope(loss, gradients, direction);
    },
  );

  it.each(golden.dflow!.map((dy, i) => [i, steps[i].layer, dy] as const))(
    'so are the gradients with respect to y of layer %i, %s',
    (i, _layer, dy) => {
      const { y } = directions({ y: dy }, i);
      const loss = (step: Fixed) => flow(steps.slice(i + 1), moved(ys[i], y, step), given).at(-1)!.data[0];
      expectSlope(loss, { y: dy }, { y });
    },
  );
});
