import type { Parameters } from './network.ts';
import { size } from './tensor.ts';

/** Tensors by name, and what else is known of them. */
export interface Safetensors {
  readonly tensors: Parameters;
  readonly metadata: Readonly<Record<string, string>>;
}

/** How numbers are stored: the bytes of one, how to read it and how to write it. */
const kinds = {
  F32: { bytes: 4, get: 'getFloat32', set: 'setFloat32' },
  F64: { bytes: 8, get: 'getFloat64', set: 'setFloat64' },
} as const;

/** The headers of real models have some kilobytes; what claims more than this is damaged. */
const LARGEST_HEADER = 100_000_000;

/**
 * Reads a file of named tensors: eight bytes with the length of a header, the header in JSON, then the numbers, all
 * little-endian. `name` is what errors call the file.
 *
 * @throws RangeError if the file is damaged, or holds other numbers than float32 and float64
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
  if (length > LARGEST_HEADER || start > bytes.length)
    fail(`has ${bytes.length} bytes and says that its header has ${length}, expected no more than there are`);
  const { __metadata__: metadata = {}, ...entries } = header();
  if (
    typeof metadata !== 'object' ||
    metadata === null ||
    Object.values(metadata).some((fact) => typeof fact !== 'string')
  )
    fail(`has the metadata ${JSON.stringify(metadata)}, expected text by name`);
  const tensors = new Map<string, { shape: number[]; data: Float64Array }>();
  let end = 0; // of the tensor before, in the order of the file
  const ordered = Object.entries(entries).map(([key, entry]) => ({ key, ...checked(key, entry) }));
  for (const { key, kind, shape, from, to } of ordered.toSorted((a, b) => a.from - b.from || a.to - b.to)) {
    if (from !== end) fail(`has ${key} at byte ${from}, expected ${end}: where the tensor before it ends`);
    if (start + to > bytes.length) fail(`has ${bytes.length} bytes, expected ${key} up to byte ${start + to}`);
    end = to;
    const { bytes: step, get } = kinds[kind];
    const data = Float64Array.from({ length: size(shape) }, (_, i) => view[get](start + from + i * step, true));
    tensors.set(key, { shape, data });
  }
  if (start + end !== bytes.length) fail(`has ${bytes.length} bytes, expected ${start + end} for its tensors`);
  return { tensors: Object.fromEntries(ordered.map(({ key }) => [key, tensors.get(key)!])), metadata };

  function header(): Record<string, unknown> & { __metadata__?: Record<string, string> } {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
    } catch {
      fail('has a header that is no JSON, expected an object of tensors by name');
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      fail('has a header that is no object, expected an object of tensors by name');
    return value as Record<string, unknown>;
  }

  function checked(key: string, entry: unknown) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const integers = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every((value) => Number.isSafeInteger(value) && value >= 0);
    if (typeof dtype !== 'string' || !Object.hasOwn(kinds, dtype))
      fail(`has ${key} of dtype ${JSON.stringify(dtype)}, expected ${Object.keys(kinds).join(' or ')}`);
    if (!integers(shape)) return fail(`has ${key} of shape ${JSON.stringify(shape)}, expected integers ≥ 0`);
    const kind = dtype as keyof typeof kinds;
    const count = size(shape) * kinds[kind].bytes;
    if (!integers(offsets) || offsets.length !== 2 || offsets[1] - offsets[0] !== count)
      return fail(
        `has ${key} at the bytes ${JSON.stringify(offsets)}, expected two of them ${count} apart: ${kind} of shape (${shape.join(', ')})`,
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
  { dtype = 'F64' }: { readonly dtype?: keyof typeof kinds } = {},
): Uint8Array {
  const { bytes: step, set } = kinds[dtype];
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
