import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Images } from './images.ts';

/** What the labels mean. */
export const cifar10Classes = [
  'airplane',
  'automobile',
  'bird',
  'cat',
  'deer',
  'dog',
  'frog',
  'horse',
  'ship',
  'truck',
] as const;

const TRAIN = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
const TEST = ['test_batch.bin'];
const PIXELS = 3 * 32 * 32;
const RECORD = 1 + PIXELS;

/**
 * The training and test pictures of CIFAR-10, from a directory with the six files of its binary version. A record is a
 * label and 3×32×32 pixels: all the red ones, the green, the blue, each row by row. A file may hold any number of records.
 *
 * @throws RangeError if a file is missing, is cut off, or has a label above 9
 * @see Krizhevsky, The CIFAR-10 dataset: "binary version"
 */
export function cifar10(directory: string): { train: Images; test: Images } {
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new RangeError(
      `cifar10: there is no directory ${JSON.stringify(directory)}, expected one with ${[...TRAIN, ...TEST].join(', ')}`,
    );
  return { train: read(directory, TRAIN), test: read(directory, TEST) };
}

function read(directory: string, names: readonly string[]): Images {
  const files = names.map((name) => records(directory, name));
  const count = files.reduce((sum, bytes) => sum + bytes.length / RECORD, 0);
  const images = { shape: [3, 32, 32], pixels: new Uint8Array(count * PIXELS), labels: new Uint8Array(count) };
  let n = 0;
  for (const bytes of files)
    for (let at = 0; at < bytes.length; at += RECORD, n++) {
      images.labels[n] = bytes[at];
      images.pixels.set(bytes.subarray(at + 1, at + RECORD), n * PIXELS);
    }
  return images;
}

/** The bytes of a file, once they are whole records with labels in range. */
function records(directory: string, name: string): Uint8Array {
  const path = join(directory, name);
  if (!existsSync(path)) throw new RangeError(`cifar10: ${directory} has no ${name}, expected it there`);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new RangeError(`cifar10: ${path} cannot be read: ${(error as Error).message}`);
  }
  if (bytes.length === 0 || bytes.length % RECORD !== 0)
    throw new RangeError(`cifar10: ${name} has ${bytes.length} bytes, expected a multiple of ${RECORD}`);
  for (let at = 0; at < bytes.length; at += RECORD)
    if (bytes[at] > 9) throw new RangeError(`cifar10: ${name} has label ${bytes[at]} at byte ${at}, expected 0 to 9`);
  return bytes;
}
