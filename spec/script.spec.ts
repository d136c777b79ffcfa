import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { editDistance, nearest } from '../scripts/nearest.ts';
import {
  choose,
  commandLine,
  integer,
  positive,
  readWhole,
  RunError,
  script,
  writable,
  writeWhole,
} from '../scripts/script.ts';
import { needing } from './needing.ts';

const read = (...args: string[]) =>
  commandLine({ args, options: { epochs: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } } })
    .values;

describe('the command line', () => {
  it('options and their values', () => {
    expect(read('--epochs', '3', '--json')).toEqual({ epochs: '3', json: true });
    expect(read('--epochs=-3')).toEqual({ epochs: '-3' });
    expect(read('-h')).toEqual({ help: true });
    expect(choose('--model', { a: 1, b: 2 }, 'b')).toBe(2);
    expect([integer('--n', '0', 0), integer('--n', '1e3', 1), integer('--n', '7', 1, 7)]).toEqual([0, 1000, 7]);
    expect(positive('--rate', '5e-3')).toBe(0.005);
  });

  it.each<[string, () => unknown]>([
    [
      "Unknown option '--epoch', did you mean --epochs? Expected one of --epochs, --json, --help",
      () => read('--epoch', '3'),
    ],
    ["Unknown option '-e', did you mean --epochs? Expected one of --epochs, --json, --help", () => read('-e', '3')],
    ["Unknown option '--jsno', did you mean --json? Expected one of --epochs, --json, --help", () => read('--jsno=3')],
    ["Unknown option '--rate', expected one of --epochs, --json, --help", () => read('--rate', '3')],
    ["Unexpected argument 'json', did you mean --json? Expected one of --epochs, --json, --help", () => read('json')],
    ["Unexpected argument 'page3', expected one of --epochs, --json, --help", () => read('page3')],
    ["Option '--epochs <value>' argument missing, expected --epochs=VALUE", () => read('--epochs')],
    ["Option '--epochs' argument is ambiguous, expected --epochs=VALUE", () => read('--epochs', '-3')],
    ["Option '--json' does not take an argument, expected --json", () => read('--json=yes')],
    ['--model is "toString", expected one of a, b', () => choose('--model', { a: 1, b: 2 }, 'toString')],
    [
      '--model is "lenet", did you mean lenet5? Expected one of dense, lenet5',
      () => choose('--model', { dense: 1, lenet5: 2 }, 'lenet'),
    ],
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

describe('the name that was meant', () => {
  it.each<[string, string | undefined]>([
    ['lenet', 'lenet5'], // a letter is missing
    ['lenet55', 'lenet5'], // one too many
    ['lenat5', 'lenet5'], // another one
    ['lenet5-1999', 'lenet5-1998'],
    ['ltnee5', 'lenet5'], // three, two of them exchanged with the letter between
    ['mnsitNet', 'mnistNet'], // two exchanged
    ['MNISTNET', 'mnistNet'], // capitals
    ['page4', 'page3'],
    ['page3Two', 'page3TwoConv'], // a beginning
    ['d', 'dense'],
    ['resnet18', undefined],
    ['x', undefined],
    ['', undefined],
  ])('%j: %j', (typed, meant) => {
    expect(nearest(typed, ['dense', 'page3', 'page3TwoConv', 'lenet5', 'lenet5-1998', 'mnistNet'])).toBe(meant);
  });

  it('distances: letters put in, left out, replaced, and exchanged with their neighbour', () => {
    const distances = [['', 'abc'], ['abc', 'abc'], ['abc', 'ab'], ['abc', 'axc'], ['abc', 'bac'], ['abcd', 'badc'], ['kitten', 'sitting'], ['ca', 'abc']]; // prettier-ignore
    expect(distances.map(([a, b]) => editDistance(a, b))).toEqual([3, 0, 1, 1, 1, 2, 3, 3]);
    for (const [a, b] of distances) expect(editDistance(b, a)).toBe(editDistance(a, b));
  });
});

describe('exits', () => {
  afterEach(() => vi.restoreAllMocks());
  /** What is written to stderr, and the exit code. */
  const exit = async (error?: Error) => {
    const said: string[] = [];
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(`${text}`) > 0);
    const before = process.exitCode;
    try {
      await script('it', async () => {
        if (error) throw error;
      });
      return [said.join(''), process.exitCode];
    } finally {
      process.exitCode = before;
      for (const stream of [process.stdout, process.stderr])
        stream.removeListener('error', stream.listeners('error').at(-1) as () => void);
    }
  };

  it('0 if all is well, 1 and one sentence if the run failed, 2 and one sentence for bad input', async () => {
    expect(await exit()).toEqual(['', undefined]);
    expect(await exit(new RunError('the disk is full'))).toEqual(['it: the disk is full\n', 1]);
    expect(await exit(new RangeError('--n is 0'))).toEqual(['it: --n is 0\n', 2]);
  });

  it('a defect keeps its stack: it is thrown on, which Node reports with exit code 1', async () => {
    const defect = new TypeError('x is not a function');
    await expect(exit(defect)).rejects.toBe(defect);
  });
});

describe('files', () => {
  let directory = '';
  beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'cnn-spec-script-'))));
  afterAll(() => rmSync(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);

  it('are written whole over what was there, or not at all', () => {
    writeWhole(at('a'), Uint8Array.of(1, 2, 3));
    writeWhole(at('a'), Uint8Array.of(4));
    expect([...readFileSync(at('a'))]).toEqual([4]);
    mkdirSync(at('full/kept'), { recursive: true });
    expect(() => writeWhole(at('full'), Uint8Array.of(5))).toThrow(RunError);
    expect(() => writeWhole(at('full'), Uint8Array.of(5))).toThrow(`${at('full')} cannot be written: `);
    expect(readdirSync(directory).filter((name) => name.endsWith('.part'))).toEqual([]);
    expect(existsSync(at('full/kept'))).toBe(true);
  });

  const long = 'x'.repeat(5000);
  it.each<[string, string, string]>([
    ['a directory that is not there', 'no/a', 'expected a file in a directory that exists'],
    ['a file where a directory belongs', 'file/a', 'expected a file in a directory that exists'],
    ['a name that is too long', `${long}/a`, 'expected a file in a directory that exists'],
    ['a directory', '.', 'a directory, expected a file'],
    ['a device', '/dev/null', 'no regular file, expected a file'],
  ])('error: %s cannot be written', (_, name, message) => {
    writeFileSync(at('file'), '');
    const path = name.startsWith('/') ? name : at(name);
    expect(() => writable('--out', path)).toThrow(new RangeError(`--out is ${JSON.stringify(path)}, ${message}`));
  });

  const unbound = process.getuid?.() === 0 ? 'user whom permissions bind: this one is root' : undefined;
  needing(unbound, it)('error: a directory without permission cannot be written', () => {
    mkdirSync(at('locked'));
    chmodSync(at('locked'), 0o500);
    expect(() => writable('--out', at('locked/a'))).toThrow(/expected a file in a directory that can be written$/);
  });

  it.each([['no'], [long], ['file/no']])('error: there is no file %s', (name) => {
    writeFileSync(at('file'), '');
    expect(() => readWhole(at(name), 'a cat')).toThrow(new RangeError(`there is no file ${at(name)}, expected a cat`));
  });

  it('error: what is no file, or a very large one, is not read', () => {
    expect(() => readWhole('/dev/zero', 'a cat')).toThrow(new RangeError('/dev/zero is no file, expected a cat'));
    expect(() => readWhole(directory, 'a cat')).toThrow(new RangeError(`${directory} is no file, expected a cat`));
    writeFileSync(at('large'), '');
    truncateSync(at('large'), 100_000_001);
    expect(() => readWhole(at('large'), 'a cat')).toThrow(
      new RangeError(`${at('large')} has 100,000,001 bytes, expected at most 100,000,000`),
    );
  });
});
