import { mean, std } from 'mathjs';
import { expect } from 'vitest';
import * as real from '../src/random.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('random', real, (module, { it }) => {
  const { random } = module;
  it.each(functionFixtures('random'))('golden: $title', (golden) => expectFunction(module, golden));

  const take = (count: number, next: () => number) => Array.from({ length: count }, next);

  it('the same seed and stream give the same numbers, any other different ones', () => {
    const numbers = (seed: number, stream?: number) => take(5, random(seed, stream).uniform);
    expect(numbers(7)).toEqual(numbers(7));
    expect(numbers(7, 2)).toEqual(numbers(7, 2));
    for (const other of [numbers(8), numbers(7, 1), numbers(7, 2)]) expect(numbers(7)).not.toEqual(other);
  });

  it('uniform: in [0, 1), mean ½ and deviation 1/√12, within 5 standard errors', () => {
    const numbers = take(10_000, random(1).uniform);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
    expect(Math.abs(Number(mean(numbers)) - 1 / 2)).toBeLessThan(5 / Math.sqrt(12 * 10_000));
    expect(Math.abs(Number(std(numbers)) - 1 / Math.sqrt(12))).toBeLessThan(5 * 0.0013); // √(1/180 / 10⁴) / 2σ
  });

  it('normal: mean 0 and deviation 1, within 5 standard errors, and 68 % within 1', () => {
    const numbers = take(10_000, random(2).normal);
    expect(Math.abs(Number(mean(numbers)))).toBeLessThan(5 / Math.sqrt(10_000));
    expect(Math.abs(Number(std(numbers)) - 1)).toBeLessThan(5 / Math.sqrt(2 * 10_000));
    const near = numbers.filter((value) => Math.abs(value) < 1).length;
    expect(Math.abs(near / 10_000 - 0.6827)).toBeLessThan(5 * 0.00466); // √(p·(1 − p) / 10⁴)
  });

  it('shuffled: every position once, and every order of three equally often', () => {
    expect([...random(3).shuffled(100)].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    const stream = random(4);
    const orders = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = stream.shuffled(3).join('');
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect([...orders.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
    for (const count of orders.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * 28.9); // √(6000 · 1/6 · 5/6)
  });

  it.each([
    [-1, 'random: seed is -1, expected an integer ≥ 0'],
    [0.5, 'random: seed is 0.5, expected an integer ≥ 0'],
    [NaN, 'random: seed is NaN, expected an integer ≥ 0'],
    [2 ** 32, 'random: seed is 4294967296, expected an integer below 2³²'],
  ])('error: seed %s', (seed, message) => {
    expect(() => random(seed)).toThrow(new RangeError(message));
  });
});
