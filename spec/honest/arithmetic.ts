/** In which order a sum is added up. */
export const orders = ['sequential', 'reversed', 'pairwise', 'random', 'lanes'] as const;

/** How an honest float32 program computes: what the standard leaves open, and libraries do differently. */
export interface Manner {
  readonly order: (typeof orders)[number];
  /** Whether a·b + c is rounded once. */
  readonly fma: boolean;
  /** Whether a / b is a · (1 / b). */
  readonly reciprocal: boolean;
  /** By how many units in the last place exp, log and tanh may miss the correctly rounded result. */
  readonly ulps: number;
  /** Of the random order, and of what exp, log and tanh miss. */
  readonly seed: number;
}

/** Float32 arithmetic: arguments and results are float32 numbers. */
export interface Arithmetic extends Manner {
  readonly add: (a: number, b: number) => number;
  readonly sub: (a: number, b: number) => number;
  readonly mul: (a: number, b: number) => number;
  readonly div: (a: number, b: number) => number;
  readonly sqrt: (a: number) => number;
  /** a·b + c, rounded once or twice. */
  readonly mulAdd: (a: number, b: number, c: number) => number;
  /** start + Σ aᵢ·bᵢ; without b, start + Σ aᵢ */
  readonly sum: (start: number, a: readonly number[], b?: readonly number[]) => number;
  readonly exp: (a: number) => number;
  readonly log: (a: number) => number;
  readonly tanh: (a: number) => number;
}

const { fround } = Math;
const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);
const single = new Float32Array(1);
const pattern = new Int32Array(single.buffer);

/**
 * a·b + c of float32 numbers, rounded once to float32. The product is exact in float64. Its sum with c is not, and rounding
 * it twice may go wrong at ties, so it is first rounded to odd (Boldo & Melquiond 2008): where the sum is inexact, to that
 * float64 neighbour whose last bit is 1. No such number is a tie of float32.
 */
export function fusedMultiplyAdd(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const part = sum - product;
  const lost = product - (sum - part) + (c - part); // exactly sum + lost = product + c (Knuth's two-sum)
  if (lost > 0 || lost < 0) {
    double[0] = sum;
    if ((bits[0] & 1n) === 0n) bits[0] += lost > 0 === sum > 0 ? 1n : -1n;
    return fround(double[0]);
  }
  return fround(sum); // exact, infinite or NaN
}

/** The float32 number `steps` after a, which is finite and not 0; but no further than 0. */
function neighbour(a: number, steps: number): number {
  single[0] = Math.abs(a);
  pattern[0] = Math.max(0, pattern[0] + Math.sign(a) * steps);
  return Math.sign(a) * single[0];
}

/** A number in [0, 1) that looks random, always the same for the same three. (Mulberry32's mixing.) */
function chance(seed: number, salt: number, a: number): number {
  single[0] = a;
  let t = Math.imul(seed ^ Math.imul(pattern[0], 0x9e3779b1), 0x85ebca6b) ^ salt;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

export function arithmetic(manner: Manner): Arithmetic {
  const { order, fma, reciprocal, ulps, seed } = manner;
  const mul = (a: number, b: number) => fround(a * b);
  const add = (a: number, b: number) => fround(a + b);
  const mulAdd = fma ? fusedMultiplyAdd : (a: number, b: number, c: number) => add(mul(a, b), c);

  const shuffles = new Map<number, readonly number[]>();
  const shuffled = (count: number) => {
    const places = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(chance(seed, i, count) * (i + 1));
      [places[i], places[j]] = [places[j], places[i]];
    }
    shuffles.set(count, places);
    return places;
  };

  function sum(start: number, a: readonly number[], b?: readonly number[]): number {
    const n = a.length;
    const term = (i: number) => (b ? mul(a[i], b[i]) : a[i]);
    const onto = (total: number, i: number) => (b ? mulAdd(a[i], b[i], total) : add(total, a[i]));
    let total = start;
    switch (order) {
      case 'sequential':
        for (let i = 0; i < n; i++) total = onto(total, i);
        return total;
      case 'reversed':
        for (let i = n - 1; i >= 0; i--) total = onto(total, i);
        return total;
      case 'random': {
        const places = shuffles.get(n) ?? shuffled(n);
        for (let i = 0; i < n; i++) total = onto(total, places[i]);
        return total;
      }
      case 'pairwise': {
        const pairs = (from: number, to: number): number => {
          if (to - from === 1) return term(from);
          if (to - from === 2) return onto(term(from), from + 1);
          const middle = (from + to) >> 1;
          return add(pairs(from, middle), pairs(middle, to));
        };
        return n === 0 ? start : start === 0 ? pairs(0, n) : add(pairs(0, n), start);
      }
      case 'lanes': {
        const lanes = [0, 0, 0, 0];
        for (let i = 0; i < n; i++) lanes[i & 3] = onto(lanes[i & 3], i);
        return add(add(add(lanes[0], lanes[1]), add(lanes[2], lanes[3])), start);
      }
    }
  }

  /**
   * f of float64 rounds correctly, but for one argument in 2²⁸; a real library is some units off. Where the result is exact
   * it is exact in every library, and |tanh| is never above 1 (from 20 on it is 1).
   */
  const library =
    (f: (a: number) => number, salt: number, exact: number, most = Infinity, last = Infinity) =>
    (a: number): number => {
      const result = fround(f(a));
      if (a === exact || Math.abs(a) >= last || ulps === 0 || result === 0 || !Number.isFinite(result)) return result;
      const missed = neighbour(result, Math.round((2 * chance(seed, salt, a) - 1) * (ulps + 0.49)));
      return Math.abs(missed) > most ? result : missed;
    };

  return {
    ...manner,
    add,
    sub: (a, b) => fround(a - b),
    mul,
    div: reciprocal ? (a, b) => mul(a, fround(1 / b)) : (a, b) => fround(a / b),
    sqrt: (a) => fround(Math.sqrt(a)),
    mulAdd,
    sum,
    exp: library(Math.exp, 1, 0),
    log: library(Math.log, 2, 1),
    tanh: library(Math.tanh, 3, 0, 1, 20),
  };
}

/** Every order of summation, with and without fma and reciprocals, and libraries that miss nothing or up to two units. */
export const manners: readonly Omit<Manner, 'seed'>[] = orders.flatMap((order) =>
  [false, true].flatMap((fma) =>
    [false, true].flatMap((reciprocal) => [0, 2].map((ulps) => ({ order, fma, reciprocal, ulps }))),
  ),
);
