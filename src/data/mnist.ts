import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { constants, gunzipSync } from 'node:zlib';
import { size } from '../tensor.ts';
import type { Images } from './images.ts';
import { mostUnpacked, unpacksTooFar } from './mostUnpacked.ts';

/** The four files of MNIST, and the MD5 sums of the originals, unpacked. */
const FILES = {
  'train-images-idx3-ubyte': '6bbc9ace898e44ae57da46a324031adb',
  'train-labels-idx1-ubyte': 'a25bea736e30d166cdddb491f175f624',
  't10k-images-idx3-ubyte': '2646ac647ad5339dbf082846283269ea',
  't10k-labels-idx1-ubyte': '27ae3e4e09519cfbb04c329615203637',
} as const;
type FileName = keyof typeof FILES;

/** What the labels of Fashion-MNIST mean; its files have the names and the form of MNIST's. */
export const fashionMnistClasses = [
  'T-shirt/top',
  'Trouser',
  'Pullover',
  'Dress',
  'Coat',
  'Sandal',
  'Shirt',
  'Sneaker',
  'Bag',
  'Ankle boot',
] as const;

export interface MnistOptions {
  /** Whether the files must be the originals, bit by bit. Default false. */
  readonly original?: boolean;
}

/**
 * The training and test pictures of MNIST, or of a set in the same form, from a directory with its four IDX files,
 * plain or .gz.
 *
 * @throws RangeError if a file is missing, is not IDX, is cut off, or does not match its partner
 * @see LeCun, Cortes & Burges, The MNIST database of handwritten digits: "file formats for the MNIST database"
 */
export function mnist(directory: string, { original = false }: MnistOptions = {}): { train: Images; test: Images } {
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new RangeError(
      `mnist: there is no directory ${JSON.stringify(directory)}, expected one with ${Object.keys(FILES).join(', ')}`,
    );
  const read = (name: FileName, rank: number) => readFile(directory, name, rank, original);
  return {
    train: pair(read, 'train-images-idx3-ubyte', 'train-labels-idx1-ubyte'),
    test: pair(read, 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'),
  };
}

function pair(read: (name: FileName, rank: number) => Uint8Array, imagesName: FileName, labelsName: FileName): Images {
  const images = idx(imagesName, read(imagesName, 3), 3);
  const labels = idx(labelsName, read(labelsName, 1), 1);
  const [count, H, W] = images.sizes;
  if (labels.sizes[0] !== count)
    throw new RangeError(`mnist: ${labelsName} has ${labels.sizes[0]} labels, expected ${count}: one for each image`);
  const wrong = labels.items.findIndex((label) => label > 9);
  if (wrong >= 0)
    throw new RangeError(`mnist: ${labelsName} has label ${labels.items[wrong]} at ${wrong}, expected 0 to 9`);
  return { shape: [1, H, W], pixels: images.items, labels: labels.items };
}

/** The bytes of a file, unpacked. */
function readFile(directory: string, name: FileName, rank: number, original: boolean): Uint8Array {
  const path = [name, `${name}.gz`].map((file) => join(directory, file)).find(existsSync);
  if (!path) throw new RangeError(`mnist: ${directory} has no ${name}, expected it there, plain or .gz`);
  let bytes: Uint8Array = new Uint8Array();
  try {
    bytes = readFileSync(path);
    if (path.endsWith('.gz')) bytes = unpack(path, bytes, rank);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new RangeError(`mnist: ${path} cannot be read: ${message}`);
  }
  if (!original) return bytes;
  const md5 = createHash('md5').update(bytes).digest('hex');
  if (md5 !== FILES[name]) throw new RangeError(`mnist: ${path} has the MD5 sum ${md5}, expected ${FILES[name]}`);
  return bytes;
}

/** Unpacks a .gz file, but no further than its header says: it may have been made to fill the memory. */
function unpack(path: string, packed: Uint8Array, rank: number): Uint8Array {
  const beginning = gunzipSync(packed.subarray(0, 1024), { finishFlush: constants.Z_SYNC_FLUSH });
  // If the header is not in there, the file is cut off, as will be said, or what gzip notes down before it is long.
  const said = beginning.length < startOf(rank) ? undefined : header(path, beginning, rank);
  const most = mostUnpacked(packed.length);
  const tooFar = () => new RangeError(`mnist: ${path} ${unpacksTooFar(packed.length)}`);
  if (said && said.length > most) throw tooFar();
  try {
    return gunzipSync(packed, { maxOutputLength: said?.length ?? most });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    if (!said) throw tooFar();
    const { length, sizes } = said;
    throw new RangeError(
      `mnist: ${path} unpacks to more than ${length} bytes, expected ${length} for ${sizes.join('×')} items and a header`,
    );
  }
}

/** Where the items of an IDX file begin. */
const startOf = (rank: number) => 4 + 4 * rank;

/**
 * The header of an IDX file of bytes: two bytes of 0, the type 8, the number of axes; then the size of each axis as a 32-bit
 * big-endian number. The items follow; `length` is that of the whole file.
 */
function header(
  name: string,
  bytes: Uint8Array,
  rank: number,
): { readonly sizes: readonly number[]; readonly start: number; readonly length: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = startOf(rank);
  if (bytes.length < start)
    throw new RangeError(`mnist: ${name} has ${bytes.length} bytes, expected a header of ${start}`);
  const [magic, expected] = [view.getUint32(0), 0x0800 + rank];
  if (magic !== expected) throw new RangeError(`mnist: ${name} begins with the number ${magic}, expected ${expected}`);
  const sizes = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  if (sizes.includes(0)) throw new RangeError(`mnist: ${name} has ${sizes.join('×')} items, expected at least one`);
  return { sizes, start, length: start + size(sizes) };
}

/** An IDX file of bytes: the sizes of its axes, and its items. */
function idx(name: string, bytes: Uint8Array, rank: number): { sizes: readonly number[]; items: Uint8Array } {
  const { sizes, start, length } = header(name, bytes, rank);
  if (bytes.length !== length)
    throw new RangeError(
      `mnist: ${name} has ${bytes.length} bytes, expected ${length} for ${sizes.join('×')} items and a header`,
    );
  return { sizes, items: bytes.subarray(start) };
}
