import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import * as real from '../src/data/cifar10.ts';
import { batchOf } from '../src/data/images.ts';
import { tabulate } from './images.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('cifar10', real, (module, { afterEach, beforeEach, it }) => {
  const { cifar10, cifar10Classes } = module;
  it.each(functionFixtures('cifar10'))('golden: $title', (golden) => expectFunction(module, golden));

  const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`).concat('test_batch.bin');
  /** The label and the pixels of picture i: other numbers for any two of its channels, rows and columns. */
  const label = (i: number) => (3 * i + 2) % 10;
  const pixel = (i: number, c: number, h: number, w: number) => (89 * i + 61 * c + 37 * h + w) % 256;
  const record = (i: number) => [
    label(i),
    ...tabulate([3, 32, 32], (c, h, w) => pixel(i, c, h, w)).data, // red, green, blue; rows first
  ];
  /** Files of 2, 1, 3, 1 and 2 records, and a test file of 2: pictures 0 to 10. */
  const files = [[0, 1], [2], [3, 4, 5], [6], [7, 8], [9, 10]].map((part) => Buffer.from(part.flatMap(record)));

  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cnn-spec-cifar10-'));
    names.forEach((name, i) => writeFileSync(join(directory, name), files[i]));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('a record is a label, then the red, the green and the blue pixels, row by row; files in their order', () => {
    const { train, test } = cifar10(directory);
    expect([train.shape, test.shape]).toEqual([
      [3, 32, 32],
      [3, 32, 32],
    ]);
    expect([...train.labels, ...test.labels]).toEqual(Array.from({ length: 11 }, (_, i) => label(i)));
    const { x } = batchOf(
      train,
      Uint32Array.from(train.labels, (_, i) => i),
    );
    expect(x).toEqual(tabulate([9, 3, 32, 32], (i, c, h, w) => pixel(i, c, h, w) / 255));
    const last = batchOf(test, Uint32Array.of(1));
    expect(last.x).toEqual(tabulate([1, 3, 32, 32], (_, c, h, w) => pixel(10, c, h, w) / 255));
  });

  it('the ten classes', () => {
    expect(cifar10Classes.join(' ')).toBe('airplane automobile bird cat deer dog frog horse ship truck');
  });

  it.each<[string, () => void, (directory: string) => string]>([
    [
      'a directory that is not there',
      () => rmSync(directory, { recursive: true }),
      (d) => `cifar10: there is no directory "${d}", expected one with ${names.join(', ')}`,
    ],
    [
      'a file that is not there',
      () => rmSync(join(directory, names[4])),
      (d) => `cifar10: ${d} has no data_batch_5.bin, expected it there`,
    ],
    [
      'a file that is cut off',
      () => writeFileSync(join(directory, names[1]), files[0].subarray(0, 6145)),
      () => 'cifar10: data_batch_2.bin has 6145 bytes, expected a multiple of 3073',
    ],
    [
      'an empty file',
      () => writeFileSync(join(directory, names[5]), ''),
      () => 'cifar10: test_batch.bin has 0 bytes, expected a multiple of 3073',
    ],
    [
      'a label out of range',
      () => writeFileSync(join(directory, names[2]), Buffer.from(files[2]).fill(10, 3073, 3074)),
      () => 'cifar10: data_batch_3.bin has label 10 at byte 3073, expected 0 to 9',
    ],
    [
      'a directory where a file belongs',
      () => {
        rmSync(join(directory, names[0]));
        mkdirSync(join(directory, names[0]));
      },
      (d) => `cifar10: ${join(d, names[0])} cannot be read: EISDIR: illegal operation on a directory, read`,
    ],
  ])('error: %s', (_, damage, message) => {
    const expected = message(directory);
    damage();
    expect(() => cifar10(directory)).toThrow(new RangeError(expected));
  });
});
