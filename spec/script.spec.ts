import { describe, expect, it } from 'vitest';
import { choose, commandLine, integer, positive } from '../scripts/script.ts';

const read = (...args: string[]) =>
  commandLine({ args, options: { epochs: { type: 'string' }, json: { type: 'boolean' } } }).values;

describe('the command line', () => {
  it('options and their values', () => {
    expect(read('--epochs', '3', '--json')).toEqual({ epochs: '3', json: true });
    expect(read('--epochs=-3')).toEqual({ epochs: '-3' });
    expect(choose('--model', { a: 1, b: 2 }, 'b')).toBe(2);
    expect([integer('--n', '0', 0), integer('--n', '1e3', 1), integer('--n', '7', 1, 7)]).toEqual([0, 1000, 7]);
    expect(positive('--rate', '5e-3')).toBe(0.005);
  });

  it.each<[string, () => unknown]>([
    ["Unknown option '--epoch', expected one of --epochs, --json", () => read('--epoch', '3')],
    ["Unexpected argument 'page3', expected one of --epochs, --json", () => read('page3')],
    ["Option '--epochs <value>' argument missing, expected --epochs=VALUE", () => read('--epochs')],
    ["Option '--epochs' argument is ambiguous, expected --epochs=VALUE", () => read('--epochs', '-3')],
    ["Option '--json' does not take an argument, expected --json", () => read('--json=yes')],
    ['--model is "toString", expected one of a, b', () => choose('--model', { a: 1, b: 2 }, 'toString')],
    ['--n is "0", expected an integer ≥ 1', () => integer('--n', '0', 1)],
    ['--n is "2.5", expected an integer ≥ 1', () => integer('--n', '2.5', 1)],
    ['--n is "NaN", expected an integer ≥ 1', () => integer('--n', 'NaN', 1)],
    ['--n is "", expected an integer ≥ 1', () => integer('--n', '', 1)],
    ['--n is "8", expected an integer from 1 to 7', () => integer('--n', '8', 1, 7)],
    ['--rate is "fast", expected a number above 0', () => positive('--rate', 'fast')],
    ['--rate is "0", expected a number above 0', () => positive('--rate', '0')],
    ['--rate is "Infinity", expected a number above 0', () => positive('--rate', 'Infinity')],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
