import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import { tensor, zeros } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';

const read = (bytes: Uint8Array) => readSafetensors('a.safetensors', bytes);

describe('safetensors', () => {
  it('what is written is read again, in order, with any names and shapes', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
    const names = fc.string({ unit: 'grapheme' }).filter((name) => name !== '__metadata__');
    const all = fc.dictionary(names, shapes.chain(eighths), { maxKeys: 5 });
    fc.assert(
      fc.property(
        all,
        fc.dictionary(fc.string(), fc.string()),
        fc.constantFrom('F32', 'F64'),
        (named, facts, dtype) => {
          const [tensors, metadata] = [{ ...named }, { ...facts }];
          const again = read(writeSafetensors({ tensors, metadata }, { dtype }));
          expect(again).toEqual({ tensors, metadata });
          expect(Object.keys(again.tensors)).toEqual(Object.keys(tensors));
        },
      ),
    );
  });

  it('a tensor may have a name that means something to JavaScript, though none that means something to the format', () => {
    const tensors = { ...JSON.parse('{"__proto__":0,"constructor":0}'), x: 0 };
    for (const key of Object.keys(tensors)) Object.defineProperty(tensors, key, { value: tensor([1]) });
    const again = read(writeSafetensors({ tensors, metadata: {} })).tensors;
    expect(Object.keys(again)).toEqual(['__proto__', 'constructor', 'x']);
    expect(Object.values(again)).toEqual([tensor([1]), tensor([1]), tensor([1])]);
    expect(() => writeSafetensors({ tensors: { __metadata__: tensor([1]) }, metadata: {} })).toThrow(
      new RangeError('safetensors: a tensor is called __metadata__, expected any other name'),
    );
  });

  it('F64 keeps every bit, F32 rounds to float32', () => {
    const tensors = { x: tensor([0.1, -0, NaN, Infinity, 5e-324]) };
    expect(read(writeSafetensors({ tensors, metadata: {} })).tensors).toEqual(tensors);
    const rounded = tensor([Math.fround(0.1), -0, NaN, Infinity, 0]);
    expect(read(writeSafetensors({ tensors, metadata: {} }, { dtype: 'F32' })).tensors).toEqual({ x: rounded });
  });

  it('the numbers begin at a multiple of eight bytes, as readers map them', () => {
    const bytes = writeSafetensors({ tensors: { x: zeros([3]) }, metadata: { a: 'bc' } });
    expect((bytes.length - 24) % 8).toBe(0);
    expect(bytes[8]).toBe('{'.charCodeAt(0));
  });

  it('reads a file that Python wrote', () => {
    const path = new URL('../golden/models/lenet5.safetensors', import.meta.url);
    const { tensors } = readSafetensors('lenet5', readFileSync(path));
    expect(tensors['fc1.weight'].shape).toEqual([120, 400]);
    expect(tensors['conv1.weight'].data.every((value) => Math.abs(value) < 1 / 5)).toBe(true); // U(±1/√25)
  });

  it('F16, BF16 and I64, which PyTorch writes too', () => {
    /** A file of one list of numbers, by their bits. */
    const bits = (dtype: string, set: 'setUint16' | 'setBigInt64', numbers: readonly (number | bigint)[]) => {
      const step = set === 'setUint16' ? 2 : 8;
      const length = step * numbers.length;
      const bytes = file({ x: { dtype, shape: [numbers.length], data_offsets: [0, length] } }, length);
      const view = new DataView(bytes.buffer, bytes.length - length);
      numbers.forEach((number, i) => view[set](i * step, number as never, true));
      return [...read(bytes).tensors.x.data];
    };
    const halves = [0x3c00, 0xc000, 0x3555, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x8000, 0x7c00, 0xfc00, 0x7e00];
    expect(bits('F16', 'setUint16', halves)).toEqual([
      ...[1, -2, 0.333251953125, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, -0, Infinity, -Infinity, NaN],
    ]);
    expect(bits('BF16', 'setUint16', [0x3f80, 0xc000, 0x3eab, 0x0001, 0x8000, 0x7f80, 0x7fc0])).toEqual([
      ...[1, -2, 0.333984375, 2 ** -133, -0, Infinity, NaN],
    ]);
    expect(bits('I64', 'setBigInt64', [0n, -1n, 1875n])).toEqual([0, -1, 1875]);
  });

  const file = (header: unknown, numbers = 0, length?: bigint) => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + numbers);
    new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const x = (more: object) => ({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more } });
  const kinds = 'expected one of F64, F32, F16, BF16, I64';
  /** Lists in lists, or objects in objects, deeper than a stack. */
  const nested = (open: string, close: string, inner = '') => open.repeat(150_000) + inner + close.repeat(150_000);
  it.each<[string, Uint8Array]>([
    ["has 3 bytes, expected the 8 of its header's length first", new Uint8Array(3)],
    ['has 10 bytes and says that its header has 3, expected no more than there are', file('{}', 0, 3n)],
    [
      'has 10 bytes and says that its header has 18446744073709552000, expected no more than there are',
      file('{}', 0, 2n ** 64n - 1n),
    ],
    ['has a header that is no JSON, expected an object of tensors by name', file('{"x":')],
    ['has a header that is no object, expected an object of tensors by name', file('[1]')],
    ['has the metadata null, expected text by name', file({ __metadata__: null })],
    ['has 3 for epoch in its metadata, expected text', file({ __metadata__: { epoch: 3 } })],
    ['has an object for epoch in its metadata, expected text', file({ __metadata__: { epoch: { a: 'b' } } })],
    ['has the metadata "dense", expected text by name', file({ __metadata__: 'dense' })],
    [`has x of dtype "U8", ${kinds}`, file(x({ dtype: 'U8' }), 8)],
    [`has x of dtype "toString", ${kinds}`, file(x({ dtype: 'toString' }), 8)],
    [`has x of dtype undefined, ${kinds}`, file({ x: null })],
    [`has __proto__ of dtype undefined, ${kinds}`, file('{"__proto__":{"__proto__":{"dtype":"F32"}}}')],
    ['has x at the bytes [0,8], expected two of them 4 apart: F16 of shape [2]', file(x({ dtype: 'F16' }), 8)],
    ['has x of shape [-2], expected integers ≥ 0', file(x({ shape: [-2] }), 8)],
    ['has x of shape "2", expected integers ≥ 0', file(x({ shape: '2' }), 8)],
    [
      'has x at the bytes [0,12], expected two of them 8 apart: F32 of shape [2]',
      file(x({ data_offsets: [0, 12] }), 12),
    ],
    [
      'has x at the bytes [0,8], expected two of them 4000000000000 apart: F32 of shape [1000000000000]',
      file(x({ shape: [1e12] }), 8),
    ],
    ['has x at byte 4, expected 0: where the tensor before it ends', file(x({ data_offsets: [4, 12] }), 12)],
    [
      'has z at byte 4, expected 8: where the tensor before it ends',
      file({ ...x({}), z: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }, 12),
    ],
    ['has 69 bytes, expected x up to byte 70', file(x({}), 7)],
    ['has 71 bytes, expected 70 for its tensors', file(x({}), 9)],
    // written to do harm
    ['has a header of 100000000 bytes, expected at most 1000000', file(`{}${' '.repeat(99_999_998)}`)],
    ['has x of shape [4294967296,4294967296], expected fewer numbers', file(x({ shape: [2 ** 32, 2 ** 32] }), 8)],
    [
      'has x of shape [9007199254740991,9007199254740991,9007199254740991,9007199254740991,90071992547…, expected fewer numbers',
      file(x({ shape: [...Array(30).fill(2 ** 53 - 1), 0] }), 8),
    ],
    ['has x of shape [9007199254740992], expected integers ≥ 0', file(x({ shape: [2 ** 53] }), 8)],
    [
      'has x of shape [1,1,1,1,1,1,1,1,1,1,1,1,"…"], expected integers ≥ 0',
      file(x({ shape: [...Array(9e4).fill(1), -1] }), 8),
    ],
    [
      'has x of shape a list of lists, expected integers ≥ 0',
      file(`{"x":{"dtype":"F32","shape":${nested('[', ']')}}}`),
    ],
    [`has x of dtype an object, ${kinds}`, file(`{"x":{"dtype":${nested('{"a":', '}', '0')}}}`)],
    ['has a list of lists for a in its metadata, expected text', file(`{"__metadata__":{"a":${nested('[', ']')}}}`)],
    ['has a header that is no JSON, expected an object of tensors by name', file('['.repeat(900_000))],
    [
      'has x at the bytes [-4,4], expected two of them 8 apart: F32 of shape [2]',
      file(x({ data_offsets: [-4, 4] }), 8),
    ],
    ['has x at the bytes [8,0], expected two of them 8 apart: F32 of shape [2]', file(x({ data_offsets: [8, 0] }), 8)],
    [
      'has x at the bytes [0.5,8.5], expected two of them 8 apart: F32 of shape [2]',
      file(x({ data_offsets: [0.5, 8.5] }), 8),
    ],
    ['has y at byte 0, expected 8: where the tensor before it ends', file({ ...x({}), y: x({}).x }, 8)],
    ['has two entries x in its header, expected each name once', file(`{"x":1,"x":${JSON.stringify(x({}).x)}}`, 8)],
    [
      'has two entries x in its header, expected each name once',
      file(`{"\\u0078" :1,"x":${JSON.stringify(x({}).x)}}`, 8),
    ],
    ['has two entries shape in its header, expected each name once', file(`{"x":{"shape":[1],"shape":[2]}}`)],
    ['has two entries __proto__ in its header, expected each name once', file('{"__proto__":1,"__proto__":2}')],
    [`has "\\u001b[2J\\n" of dtype undefined, ${kinds}`, file({ '\x1b[2J\n': {} })],
    [`has "${'é'.repeat(79)}… of dtype undefined, ${kinds}`, file({ ['é'.repeat(400_000)]: {} })],
    [`has "${'\\n'.repeat(39)}\\… of dtype undefined, ${kinds}`, file({ ['\n'.repeat(400_000)]: {} })],
  ])('error: a.safetensors %s', (message, bytes) => {
    expect(() => read(bytes)).toThrow(new RangeError(`safetensors: a.safetensors ${message}`));
  });
});
