import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { readDigit } from '../scripts/readDigit.ts';
import { readModel } from '../scripts/readModel.ts';
import { cifar10 } from '../src/data/cifar10.ts';
import { csv } from '../src/data/csv.ts';
import type { Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { implementations } from '../src/layers.ts';
import { predict } from '../src/predict.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { size, zeros } from '../src/tensor.ts';

/** Who reads a file, and throws if what was read makes no sense. */
export const readers = {
  mnist(path: string): void {
    const { train, test } = mnist(dirname(path));
    for (const part of [train, test]) checkImages(part);
  },

  async csv(path: string): Promise<void> {
    checkImages(await csv(path));
  },

  cifar10(path: string): void {
    const { train, test } = cifar10(dirname(path));
    for (const part of [train, test]) checkImages(part);
  },

  tensors(path: string): void {
    const { tensors, metadata } = readSafetensors(basename(path), readFileSync(path));
    for (const { shape, data } of Object.values(tensors))
      check('a tensor has too few numbers', data.length === size(shape));
    check(
      'its metadata is no text',
      Object.values(metadata).every((fact) => typeof fact === 'string'),
    );
  },

  model(path: string): void {
    const { model, parameters } = readModel(path);
    const digit = zeros([1, 1, 28, 28]);
    digit.data.fill(1, 200, 300);
    const [{ probabilities }] = predict(implementations.vectorized, model, parameters, digit);
    const sum = probabilities.reduce((sum, p) => sum + p, 0);
    check(`its probabilities have the sum ${sum}`, Math.abs(sum - 1) < 1e-9);
  },

  async digit(path: string): Promise<void> {
    const { shape, data } = (await readDigit(path)).x;
    check(`its shape is ${shape.join('×')}`, `${shape}` === '1,1,28,28');
    check(
      'a pixel is not from 0 to 1',
      data.every((value) => value >= 0 && value <= 1),
    );
  },
};

/** What came of a file: nothing if it makes sense, the error if it is a clear one, else what is wrong; and the most memory. */
export interface Reading {
  readonly clear?: string;
  readonly wrong?: string;
  /** The most that the process had so far, in millions of bytes. */
  readonly megabytes: number;
}

/** Reads a file, and says what came of it. */
export async function readDamagedFile(reader: keyof typeof readers, path: string): Promise<Reading> {
  const megabytes = () => Math.round(process.resourceUsage().maxRSS / 1000);
  try {
    await readers[reader](path);
    return { megabytes: megabytes() };
  } catch (error) {
    if (isClear(error, path)) return { clear: error.message, megabytes: megabytes() };
    return { wrong: error instanceof Error ? `${error.stack}` : `${error}`, megabytes: megabytes() };
  }
}

/** One sentence that names the file, and says what was expected, or that the system cannot read it. */
function isClear(error: unknown, path: string): error is RangeError {
  if (!(error instanceof RangeError) || 'code' in error) return false;
  const { message } = error;
  const names = [basename(path), basename(path, '.gz'), dirname(path)].some((name) => message.includes(name));
  return names && /\bexpected |cannot be read: /i.test(message) && message.length < 600 && !/[\x00-\x1f]/.test(message);
}

/** @throws Error */
function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`was read, but ${what}`);
}

function checkImages({ shape, pixels, labels }: Images): void {
  check('there are no pictures', labels.length > 0);
  check('there are not as many pictures as labels', pixels.length === labels.length * size(shape));
  check(
    'a label is above 9',
    labels.every((label) => label <= 9),
  );
}

// As a process of its own, forked by readDamaged.ts, it reads the files that it is told to.
process.send &&
  process.argv[1]?.endsWith('readDamagedFile.ts') &&
  process.on('message', async ({ reader, path }: { reader: keyof typeof readers; path: string }) => {
    process.send!(await readDamagedFile(reader, path));
    globalThis.gc?.(); // what is left of one file does not count for the next
  });
