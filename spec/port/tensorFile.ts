import { size, type Tensor } from '../../src/tensor.ts';
import { PortError, quoted, read, request, roundings } from './protocol.ts';

export type Dtype = keyof typeof roundings;

/** The kinds of files that a tensor can be read from, by the end of their names. */
export const endings = ['json', 'npy', 'hex'] as const;
export type Ending = (typeof endings)[number];

/** A tensor as the bytes of a file. */
export function encode(ending: Ending, tensor: Tensor, dtype: Dtype): Buffer {
  switch (ending) {
    case 'json':
      return Buffer.from(`${spelledOut({ shape: tensor.shape, data: [...tensor.data] })}\n`);
    case 'npy':
      return encodeNpy(tensor, dtype);
    case 'hex':
      return Buffer.from(Array.from(tensor.data, (value) => `${hex(value)}\n`).join(''));
  }
}

/**
 * The tensor of a file. A file of words has no shape: it is the one expected, or if none is, that of a list.
 * @throws PortError with the path if it is none
 */
export function decode(path: string, bytes: Buffer, dtype: Dtype, shape?: readonly number[]): Tensor {
  const { round } = roundings[dtype];
  try {
    if (path.endsWith('.npy')) return decodeNpy(bytes, round);
    if (path.endsWith('.hex')) return decodeHex(bytes.toString(), shape);
    return decodeJson(bytes.toString(), round);
  } catch (error) {
    if (error instanceof PortError) throw broken(`${path} ${error.message}`);
    throw error;
  }
}

const broken = (message: string) => new PortError('broken', message);

/** As the protocol writes it: NaN, ±∞ and −0 as strings. */
export const spelledOut = (value: object): string => {
  const text = request(0, 'relu', 'forward', {} as never, value);
  return JSON.stringify(JSON.parse(text).options);
};

function decodeJson(text: string, round: (value: number) => number): Tensor {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken(`is ${quoted(text.trim())}, expected JSON`);
  }
  try {
    return read('', value, round);
  } catch (error) {
    if (error instanceof PortError) throw broken(error.message.replace(/^answers +(of +)?/, 'holds '));
    throw error;
  }
}

// ── npy: the format of numpy.save ───────────────────────────────────────────

const MAGIC = '\x93NUMPY';
/** Little-endian numbers: how many bytes, and how one is read. */
const descriptions = {
  '<f4': { bytes: 4, read: (from: Buffer, at: number) => from.readFloatLE(at) },
  '<f8': { bytes: 8, read: (from: Buffer, at: number) => from.readDoubleLE(at) },
  '<i4': { bytes: 4, read: (from: Buffer, at: number) => from.readInt32LE(at) },
} as const;

function encodeNpy({ shape, data }: Tensor, dtype: Dtype): Buffer {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const single = dtype === 'float32';
  const header = `{'descr': '${single ? '<f4' : '<f8'}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const start = Buffer.from([...`${MAGIC}\x01\x00`].map((letter) => letter.charCodeAt(0)));
  const length = Math.ceil((start.length + 2 + header.length + 1) / 64) * 64 - start.length - 2; // numbers begin at a multiple of 64
  const size = Buffer.alloc(2);
  size.writeUInt16LE(length);
  const numbers = Buffer.alloc(data.length * (single ? 4 : 8));
  data.forEach((value, i) => (single ? numbers.writeFloatLE(value, 4 * i) : numbers.writeDoubleLE(value, 8 * i)));
  return Buffer.concat([start, size, Buffer.from(`${header.padEnd(length - 1)}\n`), numbers]);
}

function decodeNpy(bytes: Buffer, round: (value: number) => number): Tensor {
  if (bytes.toString('latin1', 0, 6) !== MAGIC) throw broken('is no npy file, expected one of numpy.save');
  const version = bytes[6];
  if (version !== 1 && version !== 2) throw broken(`is of npy version ${version}, expected 1 or 2`);
  const from = version === 1 ? 10 : 12;
  if (bytes.length < from) throw broken(`ends within its header, expected numbers`);
  const to = from + (version === 1 ? bytes.readUInt16LE(8) : bytes.readUInt32LE(8));
  if (bytes.length < to) throw broken(`ends within its header, expected numbers`);
  const header = bytes.toString('latin1', from, to).trim();
  const descr = /'descr': *'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order': *(True|False)/.exec(header)?.[1];
  const tuple = /'shape': *\(([\d, ]*)\)/.exec(header)?.[1];
  if (tuple === undefined || order === undefined)
    throw broken(`has the header ${quoted(header)}, expected descr, fortran_order and shape`);
  if (order === 'True') throw broken('is in Fortran order, expected C order (numpy.ascontiguousarray)');
  if (descr === undefined || !Object.hasOwn(descriptions, descr))
    throw broken(`has numbers of type ${quoted(descr)}, expected one of ${Object.keys(descriptions).join(', ')}`);
  const shape = (tuple.match(/\d+/g) ?? []).map(Number);
  const type = descriptions[descr as keyof typeof descriptions];
  const [found, expected] = [bytes.length - to, size(shape) * type.bytes];
  if (found !== expected)
    throw broken(`has ${found} bytes of numbers, expected ${expected} for the shape (${shape.join(', ')})`);
  return { shape, data: Float64Array.from({ length: size(shape) }, (_, i) => round(type.read(bytes, to + i * type.bytes))) }; // prettier-ignore
}

// ── hex: what $readmemh reads and $writememh writes ─────────────────────────

/** A number as the bits of a float32. */
function hex(value: number): string {
  const bits = Buffer.alloc(4);
  bits.writeFloatBE(value);
  return bits.toString('hex');
}

function decodeHex(text: string, shape?: readonly number[]): Tensor {
  const words = text.replace(/\/\/.*|\/\*[^]*?\*\//g, '').match(/\S+/g) ?? [];
  if (/^@0+$/.test(words[0] ?? '')) words.shift(); // the address of the first word
  const wrong = words.find((word) => !/^[\da-f]{8}$/i.test(word));
  if (wrong !== undefined)
    throw broken(`has the word ${quoted(wrong)}, expected 8 hexadecimal digits, the bits of a float32`);
  const of = shape ?? [words.length];
  if (words.length !== size(of))
    throw broken(`has ${words.length} words, expected ${size(of)} for the shape (${of.join(', ')})`);
  return { shape: of, data: Float64Array.from(words, (word) => Buffer.from(word, 'hex').readFloatBE()) };
}

// ── C: for programs that can read no files ──────────────────────────────────

/** Arrays and options as constants, whose names begin with `prefix`. */
export function header(prefix: string, tensors: Readonly<Record<string, Tensor>>, options: object): string {
  const constant = (type: string, name: string, values: readonly (number | string)[]) =>
    `static const ${type} ${prefix}_${name}[] = {${values.join(', ')}};\n`;
  return [
    ...Object.entries(tensors).map(
      ([k, { shape, data }]) =>
        constant('int', `${k}_shape`, shape.length > 0 ? shape : [1]) + constant('float', k, Array.from(data, literal)),
    ),
    ...Object.entries(options).map(([name, value]) => {
      const numbers = (typeof value === 'object' ? Object.values(value as object) : [value]).map(Number);
      return constant(['p', 'eps', 'negativeSlope'].includes(name) ? 'double' : 'int', name, numbers);
    }),
  ].join('');
}

/** A float32 as C reads it. */
function literal(value: number): string {
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  const text = Object.is(value, -0) ? '-0' : `${Math.fround(value)}`;
  return `${text}${/[.e]/.test(text) ? '' : '.0'}f`;
}
