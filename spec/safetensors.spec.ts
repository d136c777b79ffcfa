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

  const file = (header: unknown, numbers = 0, length?: bigint) => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + numbers);
    new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
    bytes.set(text, 8);
    return bytes;
  };
  const x = (more: object) => ({ x: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...more } });
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
    ['has the metadata {"epoch":3}, expected text by name', file({ __metadata__: { epoch: 3 } })],
    ['has x of dtype "BF16", expected F32 or F64', file(x({ dtype: 'BF16' }), 8)],
    ['has x of dtype "toString", expected F32 or F64', file(x({ dtype: 'toString' }), 8)],
    ['has x of dtype undefined, expected F32 or F64', file({ x: null })],
    ['has x of shape [-2], expected integers ≥ 0', file(x({ shape: [-2] }), 8)],
    ['has x of shape "2", expected integers ≥ 0', file(x({ shape: '2' }), 8)],
    [
      'has x at the bytes [0,12], expected two of them 8 apart: F32 of shape (2)',
      file(x({ data_offsets: [0, 12] }), 12),
    ],
    [
      'has x at the bytes [0,8], expected two of them 4000000000000 apart: F32 of shape (1000000000000)',
      file(x({ shape: [1e12] }), 8),
    ],
    ['has x at byte 4, expected 0: where the tensor before it ends', file(x({ data_offsets: [4, 12] }), 12)],
    [
      'has z at byte 4, expected 8: where the tensor before it ends',
      file({ ...x({}), z: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }, 12),
    ],
    ['has 69 bytes, expected x up to byte 70', file(x({}), 7)],
    ['has 71 bytes, expected 70 for its tensors', file(x({}), 9)],
  ])('error: a.safetensors %s', (message, bytes) => {
    expect(() => read(bytes)).toThrow(new RangeError(`safetensors: a.safetensors ${message}`));
  });
});
