import { describe, expect, it } from 'vitest';
import { tensor, type Tensor } from '../src/tensor.ts';
import { allowed, expectSameBits, expectTensor, expectTensors, type Compare } from './close.ts';

const u = 2 ** -53;
const scalar = (value: number): Tensor => ({ shape: [], data: Float64Array.of(value) });
const near = (actual: number, expected: number, compare: Compare) => {
  try {
    expectTensor('y', scalar(actual), scalar(expected), allowed(compare, u));
    return true;
  } catch {
    return false;
  }
};

describe('how near is near enough', () => {
  const ulp: Compare = { mode: 'ulp', k: 1 };
  const relative: Compare = { mode: 'relative', rtol: 0.1, atol: 0.5, reason: 'a test' };
  const bound: Compare = { mode: 'bound', n: 1, S: 4 }; // a little more than 2 · 2⁻⁵³ · 4
  const underflow: Compare = { mode: 'bound', n: 2, S: 1e-320 };

  it.each<[number, number, Compare, boolean]>([
    [0, -0, 'exact', true],
    [NaN, NaN, 'exact', true],
    [1 + 2 * u, 1, 'exact', false],
    [1 + 2 * u, 1, ulp, true],
    [1 + 4 * u, 1, ulp, false],
    [1e-300, 0, ulp, false],
    [1e-323, 5e-324, ulp, true], // subnormal numbers are as far apart as the smallest normal ones
    [1.5e-323, 5e-324, ulp, false],
    [1 + 8 * u, 1, bound, true],
    [1 + 12 * u, 1, bound, false],
    [1e-323, 0, underflow, true], // each of n roundings may lose the least number
    [1.5e-323, 0, underflow, false],
    [11.4, 10, relative, true],
    [11.6, 10, relative, false],
    [5, Infinity, ulp, false],
    [-Infinity, Infinity, relative, false],
    [Infinity, Infinity, ulp, true],
    [NaN, 1, relative, false],
    [1, NaN, relative, false],
  ])('%d for %d under %j: %s', (actual, expected, compare, enough) => {
    expect(near(actual, expected, compare)).toBe(enough);
  });
});

it.each<[string, () => void]>([
  [
    'dw[1, 2] is 7, expected 6',
    () =>
      expectTensor(
        'dw',
        tensor([
          [1, 2, 3],
          [4, 5, 7],
        ]),
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ),
  ],
  ['y[0] is 2, expected 1 ± 0.5', () => expectTensor('y', tensor([2]), tensor([1]), 0.5)],
  ['y[0] is -0, expected 0', () => expectSameBits('y', tensor([-0]), tensor([0]))],
  ['y has shape (2) and 2 numbers, expected (1, 2)', () => expectTensor('y', tensor([1, 2]), tensor([[1, 2]]))],
  [
    'dx has shape (undefined) and undefined numbers, expected (1)',
    () => expectTensor('dx', undefined as never, tensor([1])),
  ],
])('what it says: %s', (message, compare) => {
  expect(compare).toThrow(message);
});

it('a missing or an extra gradient is an error', () => {
  const one = tensor([1]);
  expect(() => expectTensors({ dx: one }, { dx: one, dw: one })).toThrow('the names of the outputs');
  expect(() => expectTensors({ dx: one, dw: one }, { dx: one })).toThrow('the names of the outputs');
});
