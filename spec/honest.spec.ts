import { describe, expect, it } from 'vitest';
import { implementations, type LayerName } from '../src/layers.ts';
import { random } from '../src/random.ts';
import { tensor } from '../src/tensor.ts';
import { allowed, expectTensor } from './close.ts';
import { expectGolden } from './every-layer.ts';
import { answeredCases } from './golden.ts';
import { arithmetic, fusedMultiplyAdd, manners } from './honest/arithmetic.ts';
import { boundsOf } from './honest/bounds.ts';
import { falseAlarms } from './honest/falseAlarms.ts';
import { honest } from './honest/layers.ts';
import { layerOf, type Layer } from './law.ts';

const seed = Number(process.env.CNN_SPEC_SEED);
const names = Object.keys(implementations.naive).filter((name) => `${name}Backward` in implementations.naive);

describe('a·b + c rounded once', () => {
  it.each([
    [1 + 2 ** -12, 2 ** -24 * (1 + 2 ** -12), 1, 1 + 2 ** -23],
    [1 + 2 ** -20, 2 ** -25 * (1 + 2 ** -20), -1, -1 + 2 ** -24],
    [2 ** -100, 2 ** -49, 0, 2 ** -149],
    [2 ** -100, 2 ** -50, 2 ** 30, 2 ** 30],
    [1 + 2 ** -23, 1 + 2 ** -23, -(1 + 2 ** -22), 2 ** -46],
    [2 ** 127, 2, -Infinity, -Infinity],
    [0, Infinity, 1, NaN],
  ])('%d · %d + %d = %d', (a, b, c, sum) => {
    expect(fusedMultiplyAdd(a, b, c)).toBe(sum);
  });

  it('is the nearest float32 number, where rounding to float64 first makes a tie of it', () => {
    // 1 + 2⁻²⁴ − 2⁻⁷⁰ lies below the tie, 1 + 2⁻²⁴ in float64, which goes to the even 1; 1 + 3·2⁻²⁴ less as much goes up to 1 + 2⁻²²
    const [a, b] = [1 - 2 ** -23, 2 ** -24 * (1 + 2 ** -23)]; // 2⁻²⁴ − 2⁻⁷⁰
    const odd = 1 + 2 ** -23;
    expect(Math.fround(a * b + odd)).toBe(1 + 2 ** -22);
    expect(fusedMultiplyAdd(a, b, odd)).toBe(odd);
  });

  it('is exact in integers', () => {
    const { uniform } = random(seed);
    const integer = (bits: number) => Math.round((2 * uniform() - 1) * 2 ** bits);
    for (let i = 0; i < 2000; i++) {
      const [a, b, c] = [integer(24), integer(24), integer(24) * 2 ** Math.round(uniform() * 40)];
      expect(fusedMultiplyAdd(a, b, c), `${a}·${b} + ${c}`).toBe(rounded(BigInt(a) * BigInt(b) + BigInt(c)));
    }
  });
});

/** The float32 number nearest to an integer, ties to even. */
function rounded(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const spare = BigInt(Math.max(0, magnitude.toString(2).length - 24));
  let [digits, rest] = [magnitude >> spare, magnitude & ((1n << spare) - 1n)];
  const half = spare > 0n ? 1n << (spare - 1n) : 0n;
  if (spare > 0n && (rest > half || (rest === half && (digits & 1n) === 1n))) digits++;
  const result = Number(digits << spare);
  return value < 0n ? -result : result;
}

it.each([
  ['sigmoid', 'y', 7, -5.542181968688965, 1, { reciprocal: true, seed: 3 }],
  ['sigmoid', 'dx', 9, -8.285309791564941, -1.9234247207641602, { reciprocal: true, seed: 7 }],
  ['tanh', 'y', 3, -0.13468822836875916, 1, { reciprocal: false, seed: 3 }],
  ['tanh', 'dx', 9, 3.771034002304077, -1.8163421154022217, { reciprocal: false, seed: 6 }],
] as const)(
  '%s: the %s of an honest program is within %d units, and beyond one less',
  (name, k, units, x, dy, rest) => {
    const layer = honest(name, arithmetic({ order: 'sequential', fma: false, ulps: 2, ...rest }));
    const call = { inputs: { x: tensor([x]) }, options: {}, dy: tensor([dy]) };
    const outputs = ({ forward, backward }: Layer) => ({ y: forward(call), dx: backward(call).dx })[k];
    const want = outputs(layerOf(implementations.naive, name));
    expect(boundsOf(name, call)[k]).toEqual({ mode: 'ulp', k: units });
    const hold = (most: number) => expectTensor(k, outputs(layer), want, allowed({ mode: 'ulp', k: most }, layer.u));
    hold(units);
    expect(() => hold(units - 1)).toThrow(`${k}[0] is`);
  },
);

describe.each(names as LayerName[])('honest float32 implementations of %s', (name) => {
  it('raise no alarm', () => {
    expect(falseAlarms(name, 80, seed % 2 ** 31)).not.toHaveProperty('first');
  });

  it('pass every fixture but those of float64 alone', () => {
    for (const [i, golden] of answeredCases(name).entries()) {
      const layer = honest(name, arithmetic({ ...manners[(seed + i) % manners.length], seed: seed % 2 ** 31 }));
      if (golden.float64 === undefined) expectGolden(layer, golden);
      else expect(() => expectGolden(layer, golden)).toThrow(`${golden.id} is for float64 alone: ${golden.float64}`);
    }
  });
});
