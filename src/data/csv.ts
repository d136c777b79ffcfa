import { createReadStream, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { Images } from './images.ts';
import { mostUnpacked, unpacksTooFar } from './mostUnpacked.ts';

export interface CsvOptions {
  /** Called while the file is read, with the share of its bytes that have been, in [0, 1]. */
  readonly progress?: (share: number, path: string) => void;
}

const PIXELS = 28 * 28;
const COLUMNS = 1 + PIXELS;
const EXPECTED = `${COLUMNS} columns: a label and ${PIXELS} pixels`;
/** Ten times the bytes of the longest line that can be right. Whatever is longer is no such file, and is read no further. */
const LONGEST = 32_768;
/** At the end of a file. */
const MOST_EMPTY = 1000;

/**
 * The pictures of MNIST, or of a set in the same form, from one CSV file, plain or .gz: a picture a line, its label and
 * then its 28×28 pixels, row by row. The first line may hold names: its first column is then "label" or "class", or none
 * is a number.
 *
 * The file is read as a stream: memory is taken for the pictures that were found, never for what a file may claim.
 *
 * @throws RangeError that names the file, the line (the first is 1, with or without names) and the column
 */
export async function csv(path: string, { progress }: CsvOptions = {}): Promise<Images> {
  const rows: Uint8Array[] = []; // a byte each for the label and for every pixel
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) throw new RangeError(`csv: there is no file ${path}, expected one with lines of ${EXPECTED}`);
    if (found.isDirectory()) throw new RangeError(`csv: ${path} is a directory, expected a file`);
    let number = 0;
    let empty = 0; // the first of the empty lines just passed: fine at the end of the file, and only there
    for await (const line of lines(path, found.size, (read) => progress?.(Math.min(1, read / found.size), path))) {
      number++;
      const where = `csv: ${path} line ${number}`;
      if (line.length > 0 && empty > 0)
        throw new RangeError(`csv: ${path} line ${empty} is empty, expected ${EXPECTED}`);
      if (line.length === 0) {
        empty ||= number;
        if (number - empty >= MOST_EMPTY)
          throw new RangeError(`csv: ${path} line ${empty} and ${MOST_EMPTY} more are empty, expected ${EXPECTED}`);
      } else if (number > 1 || !isHeader(where, line)) rows.push(row(where, line));
    }
    if (rows.length === 0)
      throw new RangeError(
        `csv: ${path} ${number > 0 && empty !== 1 ? 'has names and no pictures' : 'is empty'}, expected lines of ${EXPECTED}`,
      );
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error; // not one of the system or of zlib
    throw new RangeError(`csv: ${path} cannot be read: ${error.message}`);
  }
  const pixels = new Uint8Array(rows.length * PIXELS);
  rows.forEach((row, n) => pixels.set(row.subarray(1), n * PIXELS));
  return { shape: [1, 28, 28], pixels, labels: Uint8Array.from(rows, ([label]) => label) };
}

/** The sets that a directory may hold, each as two files. */
const SETS = ['mnist', 'fashion-mnist'];

/**
 * The training and test pictures of a directory with mnist_train.csv and mnist_test.csv, or the two of Fashion-MNIST,
 * plain or .gz.
 *
 * @throws RangeError if the directory has not exactly one such pair, or a file is malformed
 */
export async function csvDirectory(
  directory: string,
  options: CsvOptions = {},
): Promise<{ train: Images; test: Images }> {
  const expected = SETS.map((set) => `${set}_train.csv and ${set}_test.csv`).join(', or ');
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new RangeError(`csv: there is no directory ${JSON.stringify(directory)}, expected one with ${expected}`);
  const path = (name: string) => [name, `${name}.gz`].map((file) => join(directory, file)).find(existsSync);
  const found = SETS.flatMap((set) => {
    const [train, test] = [path(`${set}_train.csv`), path(`${set}_test.csv`)];
    return train && test ? [{ train, test }] : [];
  });
  if (found.length !== 1)
    throw new RangeError(
      `csv: ${directory} has ${found.length === 0 ? 'no pair' : 'both pairs'} of files, expected one of ${expected}`,
    );
  const [{ train, test }] = found;
  return { train: await csv(train, options), test: await csv(test, options) };
}

/** The lines of a file of `size` bytes, without what ends them and without the byte-order mark. `progress` is told the bytes read. */
async function* lines(path: string, size: number, progress: (read: number) => void): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path);
  const bytes = path.endsWith('.gz') ? pipeline(file, createGunzip(), () => {}) : file; // an error reaches the loop below
  let rest: Uint8Array = Buffer.alloc(0); // of the chunk before: the beginning of a line
  let number = 1;
  const trimmed = (line: Uint8Array) => {
    const start = number++ === 1 && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? 3 : 0;
    return line.subarray(start, line.at(-1) === CR ? -1 : undefined);
  };
  let unpacked = 0;
  for await (const chunk of bytes) {
    progress(file.bytesRead);
    unpacked += chunk.length;
    if (bytes !== file && unpacked > mostUnpacked(size)) throw new RangeError(`csv: ${path} ${unpacksTooFar(size)}`);
    const text = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(LF); end >= 0; end = text.indexOf(LF, start)) {
      yield trimmed(text.subarray(start, end));
      start = end + 1;
    }
    rest = text.subarray(start);
    if (rest.length > LONGEST)
      throw new RangeError(`csv: ${path} line ${number} is longer than ${LONGEST} bytes, expected ${EXPECTED}`);
  }
  if (rest.length > 0) yield trimmed(rest);
}
const [LF, CR, COMMA, ZERO] = Buffer.from('\n\r,0');

/** Label and pixels of a line, in one pass over its bytes. */
function row(where: string, line: Uint8Array): Uint8Array {
  const values = new Uint8Array(COLUMNS); // what lies beyond is counted and goes nowhere
  let [column, value, start, wrong] = [0, 0, 0, -1];
  for (let at = 0; at <= line.length; at++) {
    const digit = line[at] - ZERO;
    if (digit >= 0 && digit <= 9) value = 10 * value + digit;
    else if (at < line.length && line[at] !== COMMA) value = 256;
    else {
      if (wrong < 0 && (at === start || value > (column === 0 ? 9 : 255))) wrong = column;
      values[column++] = value;
      [value, start] = [0, at + 1];
    }
  }
  checkColumns(where, column);
  if (wrong < 0) return values;
  const text = Buffer.from(line).toString().split(',')[wrong];
  const short = text.length > 20 ? `${text.slice(0, 20)}…` : text;
  throw new RangeError(
    `${where}, column ${wrong + 1} is ${/^-?\d+$/.test(short) ? short : JSON.stringify(short)}, ` +
      `expected ${wrong === 0 ? 'a label from 0 to 9' : 'an integer from 0 to 255'}`,
  );
}

/** Whether the first line holds names: that of the label, or at least no number. */
function isHeader(where: string, line: Uint8Array): boolean {
  const names = Buffer.from(line).toString().split(',');
  const isLabel = /^\W*(label|class)\W*$/i;
  const label = names.findIndex((name) => isLabel.test(name));
  if (label !== 0 && names.some((name) => /^\s*[-+]?[\d.]+\s*$/.test(name))) return false;
  checkColumns(where, names.length);
  if (label > 0)
    throw new RangeError(
      `${where} has ${isLabel.exec(names[label])![1]} in column ${label + 1}, expected it in column 1`,
    );
  return true;
}

function checkColumns(where: string, count: number): void {
  if (count !== COLUMNS)
    throw new RangeError(`${where} has ${count} ${count === 1 ? 'column' : 'columns'}, expected ${EXPECTED}`);
}
