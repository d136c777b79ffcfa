import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import * as real from '../src/data/mnist.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('mnist', real, (module, { afterEach, beforeEach, describe, it }) => {
  const { fashionMnistClasses, mnist } = module;
  it.each(functionFixtures('mnist'))('golden: $title', (golden) => expectFunction(module, golden));

  const golden = fileURLToPath(new URL('../golden/mnist/', import.meta.url));
  const bytesOf = (name: string) => gunzipSync(readFileSync(join(golden, `${name}.gz`)));
  const names = [
    'train-images-idx3-ubyte',
    'train-labels-idx1-ubyte',
    't10k-images-idx3-ubyte',
    't10k-labels-idx1-ubyte',
  ];

  describe('golden: the first digits of MNIST', () => {
    const { train, test } = mnist(golden);

    it('counts and shapes', () => {
      expect([train.shape, test.shape]).toEqual([
        [1, 28, 28],
        [1, 28, 28],
      ]);
      expect([train.labels.length, test.labels.length]).toEqual([1000, 500]);
      expect([train.pixels.length, test.pixels.length]).toEqual([784_000, 392_000]);
    });

    it('labels begin as those of the full set do', () => {
      expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
      expect([...test.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    });

    it('the sums of the first images are those of the full set', () => {
      const sum = (pixels: Uint8Array) => pixels.subarray(0, 784).reduce((a, b) => a + b, 0);
      expect([sum(train.pixels), sum(test.pixels)]).toEqual([27_525, 18_454]);
    });
  });

  describe('golden: the same files in a directory of their own', () => {
    let directory = '';
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'cnn-spec-mnist-'));
      for (const name of names) writeFileSync(join(directory, name), bytesOf(name));
    });
    afterEach(() => rmSync(directory, { recursive: true, force: true }));
    const put = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes);
    const patched = (name: string, at: number, value: number) => {
      const bytes = bytesOf(name);
      bytes[at] = value;
      return bytes;
    };

    /** 70 MB of zeros, as .gz files put together. */
    const bomb = Buffer.concat(Array(70).fill(gzipSync(Buffer.alloc(1e6))));

    /** A .gz file with a name of 2,000 letters in it, as gzip keeps names. */
    const named = (packed: Uint8Array) => {
      const start = Buffer.from(packed.subarray(0, 10));
      start[3] |= 8;
      return Buffer.concat([start, Buffer.from(`${'a'.repeat(2000)}\0`), packed.subarray(10)]);
    };

    it('plain and .gz files read the same, also if gzip kept a long name', () => {
      const [plain, packed] = [mnist(directory), mnist(golden)];
      for (const set of ['train', 'test'] as const) {
        expect(plain[set].shape).toEqual(packed[set].shape);
        expect(Buffer.compare(plain[set].pixels, packed[set].pixels)).toBe(0); // toEqual takes 7 s for as many numbers
        expect(Buffer.compare(plain[set].labels, packed[set].labels)).toBe(0);
      }
      rmSync(join(directory, names[0]));
      put(`${names[0]}.gz`, named(gzipSync(bytesOf(names[0]))));
      expect(Buffer.compare(mnist(directory).train.pixels, plain.train.pixels)).toBe(0);
    });

    it.each<[string, () => void, (directory: string) => string]>([
      [
        'a directory that is not there',
        () => rmSync(directory, { recursive: true }),
        (d) => `mnist: there is no directory "${d}", expected one with ${names.join(', ')}`,
      ],
      [
        'a file that is not there',
        () => rmSync(join(directory, names[3])),
        (d) => `mnist: ${d} has no t10k-labels-idx1-ubyte, expected it there, plain or .gz`,
      ],
      [
        'labels where images belong',
        () => put(names[0], bytesOf(names[1])),
        () => 'mnist: train-images-idx3-ubyte begins with the number 2049, expected 2051',
      ],
      [
        'a file cut off in its header',
        () => put(names[0], bytesOf(names[0]).subarray(0, 7)),
        () => 'mnist: train-images-idx3-ubyte has 7 bytes, expected a header of 16',
      ],
      [
        'a file cut off in its images',
        () => put(names[2], bytesOf(names[2]).subarray(0, 1000)),
        () => 'mnist: t10k-images-idx3-ubyte has 1000 bytes, expected 392016 for 500×28×28 items and a header',
      ],
      [
        'a file with more bytes than its header says',
        () => put(names[1], Buffer.concat([bytesOf(names[1]), Buffer.of(0)])),
        () => 'mnist: train-labels-idx1-ubyte has 1009 bytes, expected 1008 for 1000 items and a header',
      ],
      [
        'a file of no images',
        () => put(names[0], Buffer.concat([bytesOf(names[0]).subarray(0, 4), Buffer.alloc(12)])),
        () => 'mnist: train-images-idx3-ubyte has 0×0×0 items, expected at least one',
      ],
      [
        'fewer labels than images',
        () => put(names[3], Buffer.concat([patched(names[3], 7, 243).subarray(0, 8), bytesOf(names[3]).subarray(9)])),
        () => 'mnist: t10k-labels-idx1-ubyte has 499 labels, expected 500: one for each image',
      ],
      [
        'a label out of range',
        () => put(names[1], patched(names[1], 8 + 5, 10)),
        () => 'mnist: train-labels-idx1-ubyte has label 10 at 5, expected 0 to 9',
      ],
      [
        'a directory where a file belongs',
        () => {
          rmSync(join(directory, names[0]));
          mkdirSync(join(directory, names[0]));
        },
        (d) => `mnist: ${join(d, names[0])} cannot be read: EISDIR: illegal operation on a directory, read`,
      ],
      [
        'a .gz that is none',
        () => {
          rmSync(join(directory, names[0]));
          put(`${names[0]}.gz`, Buffer.from('no gzip'));
        },
        (d) => `mnist: ${join(d, names[0])}.gz cannot be read: incorrect header check`,
      ],
      ...[5000, 15, 0].map((length): [string, () => void, (directory: string) => string] => [
        `a .gz that is cut off after ${length} bytes`,
        () => {
          rmSync(join(directory, names[0]));
          put(`${names[0]}.gz`, gzipSync(bytesOf(names[0])).subarray(0, length));
        },
        (d) => `mnist: ${join(d, names[0])}.gz cannot be read: unexpected end of file`,
      ]),
      [
        'a .gz made to fill the memory, with so long a name that its header is not seen at first',
        () => {
          rmSync(join(directory, names[0]));
          put(`${names[0]}.gz`, named(bomb));
        },
        (d) =>
          `mnist: ${join(d, names[0])}.gz unpacks to more than 67,108,864 bytes, expected no more from ${(bomb.length + 2001).toLocaleString('en')}`,
      ],
      [
        'a .gz made to fill the memory: no more of it is unpacked than its header says',
        () => {
          rmSync(join(directory, names[0]));
          put(`${names[0]}.gz`, Buffer.concat([gzipSync(bytesOf(names[0])), bomb]));
        },
        (d) =>
          `mnist: ${join(d, names[0])}.gz unpacks to more than 784016 bytes, expected 784016 for 1000×28×28 items and a header`,
      ],
      [
        'a .gz whose header says that it fills the memory',
        () => {
          rmSync(join(directory, names[1]));
          put(`${names[1]}.gz`, Buffer.concat([gzipSync(Uint8Array.of(0, 0, 8, 1, 255, 0, 0, 0)), bomb]));
        },
        (d) =>
          `mnist: ${join(d, names[1])}.gz unpacks to more than 67,108,864 bytes, expected no more from ${(bomb.length + 28).toLocaleString('en')}`,
      ],
      [
        'a .gz of something else',
        () => {
          rmSync(join(directory, names[0]));
          put(`${names[0]}.gz`, bomb);
        },
        (d) => `mnist: ${join(d, names[0])}.gz begins with the number 0, expected 2051`,
      ],
    ])('error: %s', (_, damage, message) => {
      const expected = message(directory);
      damage();
      expect(() => mnist(directory)).toThrow(new RangeError(expected));
    });

    it('error: not the original files', () => {
      expect(() => mnist(directory, { original: true })).toThrow(
        /^mnist: .*train-images-idx3-ubyte has the MD5 sum [0-9a-f]{32}, expected 6bbc9ace898e44ae57da46a324031adb$/,
      );
    });
  });

  /** An IDX file of bytes: its sizes and its items. */
  const idx = (sizes: readonly number[], items: Uint8Array, magic = 0x0800 + sizes.length) => {
    const header = Buffer.alloc(4 + 4 * sizes.length);
    [magic, ...sizes].forEach((value, i) => header.writeUInt32BE(value, 4 * i));
    return Buffer.concat([header, items]);
  };
  /** What mnist makes of these four files. */
  const readFiles = (files: readonly Uint8Array[]) => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-mnist-'));
    try {
      names.forEach((name, i) => writeFileSync(join(directory, name), files[i]));
      return mnist(directory);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  it('pictures of any size come back as they were written, byte by byte', () => {
    const sets = fc.tuple(fc.nat(8), fc.nat(4), fc.nat(5), fc.nat(5)).chain((sizes) => {
      const [train, test, H, W] = sizes.map((size) => size + 1);
      const set = (count: number) =>
        fc.record({
          shape: fc.constant([1, H, W]),
          pixels: fc.uint8Array({ minLength: count * H * W, maxLength: count * H * W }),
          labels: fc.uint8Array({ minLength: count, maxLength: count, max: 9 }),
        });
      return fc.record({ train: set(train), test: set(test) });
    });
    fc.assert(
      fc.property(sets, (written) => {
        const files = [written.train, written.test].flatMap(({ shape: [, H, W], pixels, labels }) => [
          idx([labels.length, H, W], pixels),
          idx([labels.length], labels),
        ]);
        const { train, test } = readFiles(files);
        for (const [read, expected] of [
          [train, written.train],
          [test, written.test],
        ]) {
          expect(read.shape).toEqual(expected.shape);
          expect([...read.pixels]).toEqual([...expected.pixels]);
          expect([...read.labels]).toEqual([...expected.labels]);
        }
      }),
    );
  });

  it.each<[string, number, Uint8Array]>([
    ['train-images-idx3-ubyte begins with the number 3331, expected 2051', 0, idx([2, 1, 3], Buffer.alloc(6), 0x0d03)],
    [
      'train-images-idx3-ubyte has 21 bytes, expected 22 for 2×1×3 items and a header',
      0,
      idx([2, 1, 3], Buffer.alloc(5)),
    ],
    ['train-labels-idx1-ubyte has 1 labels, expected 2: one for each image', 1, idx([1], Buffer.of(1))],
    ['train-labels-idx1-ubyte has label 10 at 1, expected 0 to 9', 1, idx([2], Buffer.of(1, 10))],
  ])('error: %s', (message, at, file) => {
    const files = [1, 2].flatMap(() => [idx([2, 1, 3], Buffer.alloc(6)), idx([2], Buffer.of(1, 9))]);
    expect(() => readFiles(files.map((each, i) => (i === at ? file : each)))).toThrow(
      new RangeError(`mnist: ${message}`),
    );
  });

  it('Fashion-MNIST: a set of its own in files of the same names', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-fashion-'));
    try {
      const header = (...sizes: number[]) => {
        const bytes = Buffer.alloc(4 + 4 * sizes.length);
        [0x0800 + sizes.length, ...sizes].forEach((value, i) => bytes.writeUInt32BE(value, 4 * i));
        return bytes;
      };
      const pixels = (count: number) => Buffer.from({ length: count * 784 } as never).map((_, i) => (i * 7) % 251);
      const [trainLabels, testLabels] = [Buffer.of(9, 0, 3), Buffer.of(5, 8)];
      writeFileSync(join(directory, names[0]), Buffer.concat([header(3, 28, 28), pixels(3)]));
      writeFileSync(join(directory, `${names[1]}.gz`), gzipSync(Buffer.concat([header(3), trainLabels])));
      writeFileSync(join(directory, names[2]), Buffer.concat([header(2, 28, 28), pixels(2)]));
      writeFileSync(join(directory, names[3]), Buffer.concat([header(2), testLabels]));
      const { train, test } = mnist(directory);
      expect([train.shape, test.shape]).toEqual([
        [1, 28, 28],
        [1, 28, 28],
      ]);
      expect(Buffer.compare(train.pixels, pixels(3))).toBe(0);
      expect(Buffer.compare(test.pixels, pixels(2))).toBe(0);
      expect(Array.from(train.labels, (label) => fashionMnistClasses[label])).toEqual([
        'Ankle boot',
        'T-shirt/top',
        'Dress',
      ]);
      expect(Array.from(test.labels, (label) => fashionMnistClasses[label])).toEqual(['Sandal', 'Bag']);
      expect(new Set(fashionMnistClasses).size).toBe(10);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
