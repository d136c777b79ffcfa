import assert from 'node:assert/strict';
import type { Tensor } from '../src/tensor.ts';

/**
 * How far two right answers may lie apart:
 * - exact: not at all. NaN equals NaN, and 0 equals −0.
 * - bound: by n roundings, both answers together, of values up to S.
 * - ulp: by k units in the last place of the expected number.
 * - relative: by rtol·|expected| + atol, where nothing better is known.
 */
export type Compare =
  | 'exact'
  | { readonly mode: 'bound'; readonly n: number; readonly S: number | Tensor }
  | { readonly mode: 'ulp'; readonly k: number }
  | { readonly mode: 'relative'; readonly rtol: number; readonly atol: number; readonly reason: string };

/** The distance allowed at element i, where `expected` is expected. */
export type Allowed = (expected: number, i: number) => number;

/**
 * What `compare` allows in arithmetic of unit roundoff u: 0, γₙ₊₁(u)·S + n·η, k·2u·2^⌊log₂|expected|⌋ or
 * rtol·|expected| + atol. η is the least number above 0: what is rounded below the least normal number errs by half of it.
 */
export function allowed(compare: Compare, u: number): Allowed {
  if (compare === 'exact') return () => 0;
  const least = u < 2 ** -24 ? -1022 : -126; // of the exponents; below: subnormal numbers
  const eta = 2 * u * 2 ** least;
  switch (compare.mode) {
    case 'bound': {
      const { n, S } = compare;
      const gamma = ((n + 1) * u) / (1 - (n + 1) * u);
      return (_, i) => gamma * (typeof S === 'number' ? S : S.data[i]) + n * eta;
    }
    case 'ulp':
      return (expected) => {
        const exponent = Math.max(Math.floor(Math.log2(Math.abs(expected))), least);
        return compare.k * 2 * u * 2 ** exponent;
      };
    case 'relative':
      return (expected) => compare.rtol * Math.abs(expected) + compare.atol;
  }
}

/** The first element that is not what it must be, as the errors of this file carry it. */
export interface Mismatch {
  /** 'y', 'dw' */
  readonly what: string;
  readonly index: readonly number[];
  readonly got: number;
  readonly expected: number;
  /** The distance that would have been near enough. */
  readonly allowed: number;
}

/**
 * Same shape, every element as near as allowed; what is not finite must be equal.
 * @throws AssertionError 'dw[0, 2, 1, 0] is 3, expected 4', with the Mismatch
 */
export function expectTensor(what: string, actual: Tensor, expected: Tensor, within: number | Allowed = 0): void {
  const tolerance = typeof within === 'number' ? () => within : within;
  const near = (a: number, b: number, i: number) =>
    a === b || (Number.isNaN(a) && Number.isNaN(b)) || (Number.isFinite(b) && Math.abs(a - b) <= tolerance(b, i));
  compareTensors(what, actual, expected, near, tolerance);
}

/** Same shape, same bits: −0 is not 0. */
export function expectSameBits(what: string, actual: Tensor, expected: Tensor): void {
  compareTensors(what, actual, expected, Object.is, () => 0);
}

/** Tensors by name: the same names, and every tensor as near as allowed. */
export function expectTensors(
  actual: Readonly<Record<string, Tensor>>,
  expected: Readonly<Record<string, Tensor>>,
  within: number | Allowed = 0,
): void {
  assert.deepEqual(Object.keys(actual).sort(), Object.keys(expected).sort(), 'the names of the outputs');
  for (const [name, tensor] of Object.entries(expected)) expectTensor(name, actual[name], tensor, within);
}

function compareTensors(
  what: string,
  actual: Tensor,
  expected: Tensor,
  near: (a: number, b: number, i: number) => boolean,
  allowed: Allowed,
): void {
  const shapes = [actual, expected].map((tensor) => `(${tensor?.shape.join(', ')})`);
  if (shapes[0] !== shapes[1] || actual.data.length !== expected.data.length)
    assert.fail(`${what} has shape ${shapes[0]} and ${actual?.data.length} numbers, expected ${shapes[1]}`);
  const i = actual.data.findIndex((value, at) => !near(value, expected.data[at], at));
  if (i < 0) return;
  const index = indexOf(expected, i);
  const [got, wanted] = [actual.data[i], expected.data[i]];
  const enough = allowed(wanted, i);
  const number = (value: number) => (Object.is(value, -0) ? '-0' : `${value}`);
  const message = `${what}[${index.join(', ')}] is ${number(got)}, expected ${number(wanted)}${enough > 0 ? ` ± ${enough}` : ''}`;
  const mismatch: Mismatch = { what, index, got, expected: wanted, allowed: enough };
  throw Object.assign(new assert.AssertionError({ message }), { mismatch });
}

/** [n, c, h, w] of the number at position i. */
export function indexOf({ shape }: Tensor, i: number): readonly number[] {
  const index: number[] = [];
  shape.reduceRight((rest, size) => {
    index.unshift(rest % size);
    return Math.floor(rest / size);
  }, i);
  return index;
}

/** ⟨a, b⟩ = Σ aᵢ·bᵢ, a scalar tensor. */
export function dot(a: Tensor, b: Tensor): Tensor {
  return { shape: [], data: Float64Array.of(a.data.reduce((sum, value, i) => sum + value * b.data[i], 0)) };
}
