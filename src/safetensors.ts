import type { Parameters } from './network.ts';
import { size } from './tensor.ts';

/** Tensors by name, and what else is known of them. */
export interface Safetensors {
  readonly tensors: Parameters;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How numbers are stored: the bytes of one, and how to read it. */
const kinds = {
  F64: { bytes: 8, get: (view: DataView, at: number) => view.getFloat64(at, true) },
  F32: { bytes: 4, get: (view: DataView, at: number) => view.getFloat32(at, true) },
  F16: { bytes: 2, get: (view: DataView, at: number) => float16(view.getUint16(at, true)) },
  /** The upper half of a float32. */
  BF16: { bytes: 2, get: (view: DataView, at: number) => bfloat16(view.getUint16(at, true)) },
  /** What PyTorch counts batches with. */
  I64: { bytes: 8, get: (view: DataView, at: number) => Number(view.getBigInt64(at, true)) },
} as const;

/** How they are written. */
const setters = { F32: 'setFloat32', F64: 'setFloat64' } as const;

/** The headers of real models have some kilobytes; what claims more than this is damaged. */
const LARGEST_HEADER = 1_000_000;

/**
 * Reads a file of named tensors: eight bytes with the length of a header, the header in JSON, then the numbers, all
 * little-endian. `name` is what errors call the file.
 *
 * @throws RangeError if the file is damaged, or holds numbers of another type than float16, bfloat16, float32, float64 and int64
 * @see https://github.com/huggingface/safetensors, "Format"
 */
export function readSafetensors(name: string, bytes: Uint8Array): Safetensors {
  const fail = (what: string): never => {
    throw new RangeError(`safetensors: ${name} ${what}`);
  };
  if (bytes.length < 8) fail(`has ${bytes.length} bytes, expected the 8 of its header's length first`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const start = 8 + length;
  if (start > bytes.length)
    fail(`has ${bytes.length} bytes and says that its header has ${length}, expected no more than there are`);
  if (length > LARGEST_HEADER) fail(`has a header of ${length} bytes, expected at most ${LARGEST_HEADER}`);
  const { __metadata__: metadata = {}, ...entries } = header();
  if (!isObject(metadata)) fail(`has the metadata ${shown(metadata)}, expected text by name`);
  for (const [key, fact] of Object.entries(metadata))
    if (typeof fact !== 'string') fail(`has ${shown(fact)} for ${named(key)} in its metadata, expected text`);
  const tensors = new Map<string, { shape: number[]; data: Float64Array }>();
  let end = 0; // of the tensor before, in the order of the file
  const ordered = Object.entries(entries).map(([key, entry]) => ({ key, ...checked(key, entry) }));
  for (const { key, kind, shape, from, to } of ordered.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) fail(`has ${named(key)} at byte ${from}, expected ${end}: where the tensor before it ends`);
    if (start + to > bytes.length) fail(`has ${bytes.length} bytes, expected ${named(key)} up to byte ${start + to}`);
    end = to;
    const { bytes: step, get } = kinds[kind];
    const data = new Float64Array((to - from) / step);
    for (let i = 0; i < data.length; i++) data[i] = get(view, start + from + i * step);
    tensors.set(key, { shape, data });
  }
  if (start + end !== bytes.length) fail(`has ${bytes.length} bytes, expected ${start + end} for its tensors`);
  return { tensors: Object.fromEntries(ordered.map(({ key }) => [key, tensors.get(key)!])), metadata };

  function header(): Record<string, unknown> & { __metadata__?: Record<string, string> } {
    let [text, value]: [string, unknown] = ['', undefined];
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start));
      value = JSON.parse(text);
    } catch {
      fail('has a header that is no JSON, expected an object of tensors by name');
    }
    if (!isObject(value)) return fail('has a header that is no object, expected an object of tensors by name');
    const twice = repeated(text);
    if (twice !== undefined) fail(`has two entries ${twice} in its header, expected each name once`);
    return value;
  }

  function checked(key: string, entry: unknown) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const integers = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every((value) => Number.isSafeInteger(value) && value >= 0);
    if (typeof dtype !== 'string' || !Object.hasOwn(kinds, dtype))
      fail(`has ${named(key)} of dtype ${shown(dtype)}, expected one of ${Object.keys(kinds).join(', ')}`);
    if (!integers(shape)) return fail(`has ${named(key)} of shape ${shown(shape)}, expected integers ≥ 0`);
    const kind = dtype as keyof typeof kinds;
    const count = size(shape) * kinds[kind].bytes;
    if (!Number.isSafeInteger(count)) fail(`has ${named(key)} of shape ${shown(shape)}, expected fewer numbers`);
    if (!integers(offsets) || offsets.length !== 2 || offsets[1] - offsets[0] !== count)
      return fail(
        `has ${named(key)} at the bytes ${shown(offsets)}, expected two of them ${count} apart: ${kind} of shape ${shown(shape)}`,
      );
    return { kind, shape, from: offsets[0], to: offsets[1] };
  }
}

/**
 * The bytes of a file of named tensors. F32 rounds to the nearest float32.
 *
 * @throws RangeError if a tensor is called `__metadata__`, which the format keeps for itself
 */
export function writeSafetensors(
  { tensors, metadata }: Safetensors,
  { dtype = 'F64' }: { readonly dtype?: keyof typeof setters } = {},
): Uint8Array {
  const [{ bytes: step }, set] = [kinds[dtype], setters[dtype]];
  if (Object.hasOwn(tensors, '__metadata__'))
    throw new RangeError('safetensors: a tensor is called __metadata__, expected any other name');
  let end = 0;
  const entries = Object.entries(tensors).map(([key, { shape, data }]) => {
    return [key, { dtype, shape, data_offsets: [end, (end += data.length * step)] }];
  });
  const header = { __metadata__: metadata, ...Object.fromEntries(entries) };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(text.length / 8) * 8; // spaces after the header bring the numbers to a multiple of 8
  const bytes = new Uint8Array(start + end).fill(' '.charCodeAt(0), 8, start);
  bytes.set(text, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(start - 8), true);
  let at = start;
  for (const { data } of Object.values(tensors)) for (const value of data) view[set]((at += step) - step, value, true);
  return bytes;
}

// ── Headers that nobody vouches for ─────────────────────────────────────────

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The beginning of a value as JSON has it. It may be of any length, and nested deeper than JSON.stringify can follow. */
function shown(value: unknown): string {
  if (Array.isArray(value) && value.some((each) => typeof each === 'object')) return 'a list of lists';
  if (isObject(value)) return 'an object';
  const most = 12;
  const short = Array.isArray(value) && value.length > most ? [...value.slice(0, most), '…'] : value;
  const text = JSON.stringify(short) ?? 'undefined';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The name of a tensor: in quotes if it is none that PyTorch would give. */
const named = (key: string) => (/^[\w.-]{1,80}$/.test(key) ? key : shown(key));

/** The first name that an object of a JSON text has twice: JSON.parse takes the last, and other readers the first. */
function repeated(text: string): string | undefined {
  const seen: Set<string>[] = []; // of the objects around
  for (const [token, , colon] of text.matchAll(/[{}]|("[^"\\]*(?:\\.[^"\\]*)*")(\s*:)?/g)) {
    if (token === '{') seen.push(new Set());
    else if (token === '}') seen.pop();
    else if (colon !== undefined) {
      const key: string = JSON.parse(token.slice(0, -colon.length));
      if (seen.at(-1)!.has(key)) return named(key);
      seen.at(-1)!.add(key);
    }
  }
  return undefined;
}

// ── Numbers of 16 bits ──────────────────────────────────────────────────────

/** A sign, five bits of exponent and ten of fraction (IEEE 754). */
function float16(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const four = new DataView(new ArrayBuffer(4));
function bfloat16(bits: number): number {
  four.setUint16(0, bits);
  return four.getFloat32(0);
}
