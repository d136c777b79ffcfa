import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import * as real from '../src/data/csv.ts';
import { formats } from '../src/data/formats.ts';
import { first, type Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('csv', real, (module, { afterEach, beforeEach, describe, it }) => {
  const { csv, csvDirectory } = module;
  it.each(functionFixtures('csv'))('golden: $title', (golden) => expectFunction(module, golden));

  let directory = '';
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'cnn-spec-csv-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  const put = (name: string, text: string | Uint8Array) => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  const golden = fileURLToPath(new URL('../golden/mnist/', import.meta.url));
  /** Five hundred pictures, none like another, with the first row black. */
  const digits: Images = {
    shape: [1, 28, 28],
    pixels: Uint8Array.from({ length: 500 * 784 }, (_, i) => (i % 784 < 28 ? 0 : (7 * i + Math.floor(i / 784)) % 256)),
    labels: Uint8Array.from({ length: 500 }, (_, n) => [7, 2, 1][n % 3]),
  };
  /** 'label,1x1,1x2,…,28x28' */
  const header = [
    'label',
    ...Array.from({ length: 784 }, (_, i) => `${Math.floor(i / 28) + 1}x${(i % 28) + 1}`),
  ].join();
  const lines = ({ pixels, labels }: Images) =>
    Array.from(labels, (label, n) => `${label},${pixels.subarray(784 * n, 784 * (n + 1)).join()}`);
  const few = lines(first(5, digits));
  const expectImages = (actual: Images, expected: Images) => {
    expect(actual.shape).toEqual(expected.shape);
    expect(Buffer.compare(actual.labels, expected.labels)).toBe(0); // toEqual takes seconds for as many numbers
    expect(Buffer.compare(actual.pixels, expected.pixels)).toBe(0);
  };

  describe('five hundred pictures, as CSV', () => {
    const all = lines(digits);
    it.each<[string, string | Uint8Array]>([
      ['with names', [header, ...all, ''].join('\n')],
      ['without: the first line is a picture', [...all, ''].join('\n')],
      ['without a last newline', all.join('\n')],
      ['with empty lines at the end', all.join('\n') + '\n\n\n'],
      ['with the line ends of Windows', [header, ...all, ''].join('\r\n')],
      ['with a byte-order mark', '\ufeff' + [header, ...all].join('\n')],
      ['with a byte-order mark and no names', '\ufeff' + all.join('\n')],
      ['with leading zeros', all.join('\n').replace(/\d+/g, (digits) => digits.padStart(3, '0'))],
      ['with names that are numbers, but for the label', ['label,' + [...Array(784).keys()], ...all].join('\n')],
      [
        'with names like 0x0',
        [header.replace('label', 'digit').replace(/\d+/g, (i) => `${+i - 1}`), ...all].join('\n'),
      ],
      ['with names in quotes', [header.replace(/\w+/g, '"$&"'), ...all].join('\n')],
    ])('%s', async (_, text) => {
      expectImages(await csv(put('digits.csv', text)), digits);
      expectImages(await csv(put('digits.csv.gz', gzipSync(text))), digits);
    });
  });

  it('any pictures come back as they were written', async () => {
    const picture = fc.record({ label: fc.nat(9), pixels: fc.uint8Array({ minLength: 784, maxLength: 784 }) });
    const sets = fc.record({ pictures: fc.array(picture, { minLength: 1, maxLength: 4 }), names: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(sets, async ({ pictures, names }) => {
        const images = {
          shape: [1, 28, 28],
          pixels: Uint8Array.from(pictures.flatMap(({ pixels }) => [...pixels])),
          labels: Uint8Array.from(pictures, ({ label }) => label),
        };
        const text = [...(names ? [header] : []), ...lines(images)].join('\n');
        expectImages(await csv(put('any.csv', text)), images);
      }),
    );
  });

  it('progress: the share of the bytes that were read, up to 1', async () => {
    const path = put('progress.csv', lines(digits).join('\n'));
    const seen: number[] = [];
    await csv(path, { progress: (share, of) => void (of === path && seen.push(share)) });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen[0]).toBeLessThan(0.2);
    expect(seen.at(-1)).toBe(1);
  });

  it('what progress throws is not taken for a fault of the file', async () => {
    const stop = new Error('stop');
    const progress = () => {
      throw stop;
    };
    await expect(csv(put('stopped.csv', few.join('\n')), { progress })).rejects.toBe(stop);
  });

  const expected = '785 columns: a label and 784 pixels';
  const commas = (count: number) => count.toLocaleString('en');
  /** 70 MB of one text, as .gz files put together: far fewer bytes. */
  const bomb = (text: string) => Buffer.concat(Array(70).fill(gzipSync(text.repeat(Math.ceil(1e6 / text.length)))));
  /** The third of five lines with another text in one column. */
  const changed = (column: number, text: string, names: string[] = []) => {
    const columns = few[2].split(',');
    columns[column - 1] = text;
    return [...names, ...few.slice(0, 2), columns.join(), ...few.slice(3)].join('\n');
  };
  const integer = 'expected an integer from 0 to 255';

  it.each<[string, string | Uint8Array, string]>([
    ['an empty file', '', `is empty, expected lines of ${expected}`],
    ['nothing but a byte-order mark', '\ufeff', `is empty, expected lines of ${expected}`],
    ['empty lines', '\n\r\n', `is empty, expected lines of ${expected}`],
    [
      'empty lines without end',
      `${few[0]}\n${'\n'.repeat(2000)}`,
      `line 2 and 1000 more are empty, expected ${expected}`,
    ],
    ['names and no picture', `${header}\n`, `has names and no pictures, expected lines of ${expected}`],
    [
      'a pixel too few',
      [...few, few[0].replace(/,\d+$/, '')].join('\n'),
      `line 6 has 784 columns, expected ${expected}`,
    ],
    ['a pixel too many', `${few[0]},0\n${few[1]}`, `line 1 has 786 columns, expected ${expected}`],
    ['a comma at the end', [header, few[0], `${few[1]},`].join('\n'), `line 3 has 786 columns, expected ${expected}`],
    ['a file cut off', few.join('\n').slice(0, few[0].length + 20), `line 2 has 10 columns, expected ${expected}`],
    ['semicolons', few.join('\n').replaceAll(',', ';'), `line 1 has 1 column, expected ${expected}`],
    ['a name too few', `${header.replace(/,\w+$/, '')}\n${few[0]}`, `line 1 has 784 columns, expected ${expected}`],
    [
      'the label in the last column',
      `${header.replace('label,', '')},class\n${few[0]}`,
      'line 1 has class in column 785, expected it in column 1',
    ],
    ['a word', changed(5, 'abc'), `line 3, column 5 is "abc", ${integer}`],
    ['a word, below names', changed(5, 'abc', [header]), `line 4, column 5 is "abc", ${integer}`],
    ['a word in the last column', changed(785, '7x'), `line 3, column 785 is "7x", ${integer}`],
    [
      'a word in the first line',
      `${few[0].replace(',0,', ',zero,')}\n${few[1]}`,
      `line 1, column 2 is "zero", ${integer}`,
    ],
    ['an empty column', changed(9, ''), `line 3, column 9 is "", ${integer}`],
    ['a space', changed(9, ' 7'), `line 3, column 9 is " 7", ${integer}`],
    ['a quoted number', changed(9, '"7"'), `line 3, column 9 is "\\"7\\"", ${integer}`],
    ['a fraction', changed(9, '0.5'), `line 3, column 9 is "0.5", ${integer}`],
    ['a sign', changed(9, '-1'), `line 3, column 9 is -1, ${integer}`],
    ['a pixel above 255', changed(10, '256'), `line 3, column 10 is 256, ${integer}`],
    ['a digit after a word', changed(10, 'x1'), `line 3, column 10 is "x1", ${integer}`],
    ['a number of twenty digits', changed(10, '1'.repeat(20)), `line 3, column 10 is ${'1'.repeat(20)}, ${integer}`],
    ['a long word', changed(10, 'w'.repeat(999)), `line 3, column 10 is "${'w'.repeat(20)}…", ${integer}`],
    ['two words: the first', changed(10, 'a').replace(/\d+\n/, 'b\n'), `line 1, column 785 is "b", ${integer}`],
    ['a label above 9', changed(1, '10'), 'line 3, column 1 is 10, expected a label from 0 to 9'],
    ['a label that is a word', changed(1, 'seven'), 'line 3, column 1 is "seven", expected a label from 0 to 9'],
    ['names twice', [header, few[0], header].join('\n'), 'line 3, column 1 is "label", expected a label from 0 to 9'],
    ['an empty line between', [few[0], few[1], '', '', few[2]].join('\n'), `line 3 is empty, expected ${expected}`],
    ['an empty first line', ['', header, few[0]].join('\n'), `line 1 is empty, expected ${expected}`],
    ['bytes that are no text', Buffer.from([0x89, 0x50, 0, 0xff, 10, 7]), `line 1 has 1 column, expected ${expected}`],
    ['a line without end', '1,'.repeat(50_000), `line 1 is longer than 32768 bytes, expected ${expected}`],
    [
      'a third line without end',
      `${few[0]}\n${few[1]}\n${few[2]}${'0'.repeat(200_000)}`,
      `line 3 is longer than 32768 bytes, expected ${expected}`,
    ],
  ])('error: %s', async (_, text, message) => {
    const [plain, packed] = [put('wrong.csv', text), put('wrong.csv.gz', gzipSync(text))];
    const full = (path: string) => `csv: ${path} ${message}`;
    await expect(csv(plain)).rejects.toThrow(new RangeError(full(plain)));
    await expect(csv(packed)).rejects.toThrow(new RangeError(full(packed)));
  });

  it('error: 4 GB without a newline, of which it reads the beginning', async () => {
    const path = put('endless.csv', '');
    truncateSync(path, 2 ** 32); // takes no room on the disk
    let seen = 0;
    await expect(csv(path, { progress: (share) => (seen = share) })).rejects.toThrow(
      new RangeError(`csv: ${path} line 1 is longer than 32768 bytes, expected ${expected}`),
    );
    expect(seen * 2 ** 32).toBeLessThan(1e6);
  });

  it.each<[string, (path: string) => void, (path: string) => string]>([
    ['a file that is not there', () => {}, (p) => `csv: there is no file ${p}, expected one with lines of ${expected}`],
    ['a directory', (p) => void mkdirSync(p), (p) => `csv: ${p} is a directory, expected a file`],
    [
      'a .gz that is none',
      (p) => writeFileSync(p, few.join('\n')),
      (p) => `csv: ${p} cannot be read: incorrect header check`,
    ],
    [
      'a .gz that is cut off',
      (p) => writeFileSync(p, gzipSync(few.join('\n')).subarray(0, -300)),
      (p) => `csv: ${p} cannot be read: unexpected end of file`,
    ],
    [
      'a .gz made to fill the memory',
      (p) => writeFileSync(p, bomb(`${'0,'.repeat(784)}0\n`)),
      (p) => `csv: ${p} unpacks to more than 67,108,864 bytes, expected no more from ${commas(statSync(p).size)}`,
    ],
  ])('error: %s', async (what, make, message) => {
    const path = join(directory, `${what}.gz`);
    make(path);
    await expect(csv(path)).rejects.toThrow(new RangeError(message(path)));
  });

  describe('a directory', () => {
    let set = '';
    beforeEach(() => (set = mkdtempSync(join(directory, 'set-'))));
    const [one, two] = [few.slice(0, 2).join('\n'), few[2]];
    const pairs = 'mnist_train.csv and mnist_test.csv, or fashion-mnist_train.csv and fashion-mnist_test.csv';

    it.each(['mnist', 'fashion-mnist'])('%s: its two files, plain or .gz', async (name) => {
      writeFileSync(join(set, `${name}_train.csv`), one);
      writeFileSync(join(set, `${name}_test.csv.gz`), gzipSync(two));
      const paths = new Set<string>();
      const { train, test } = await csvDirectory(set, { progress: (_, path) => paths.add(path) });
      expect([[...train.labels], [...test.labels]]).toEqual([[7, 2], [1]]);
      expect([...paths]).toEqual([join(set, `${name}_train.csv`), join(set, `${name}_test.csv.gz`)]);
    });

    it.each<[string, string[], (set: string) => string]>([
      ['nothing', [], (d) => `csv: ${d} has no pair of files, expected one of ${pairs}`],
      [
        'the training pictures of one set and the test pictures of another',
        ['mnist_train.csv', 'fashion-mnist_test.csv'],
        (d) => `csv: ${d} has no pair of files, expected one of ${pairs}`,
      ],
      [
        'two sets',
        ['mnist_train.csv', 'mnist_test.csv', 'fashion-mnist_train.csv', 'fashion-mnist_test.csv'],
        (d) => `csv: ${d} has both pairs of files, expected one of ${pairs}`,
      ],
    ])('error: with %s', async (_, names, message) => {
      for (const name of names) writeFileSync(join(set, name), one);
      await expect(csvDirectory(set)).rejects.toThrow(new RangeError(message(set)));
    });

    it('error: that is not there, or a file', async () => {
      for (const path of [join(set, 'nowhere'), put('file.csv', one)])
        await expect(csvDirectory(path)).rejects.toThrow(
          new RangeError(`csv: there is no directory "${path}", expected one with ${pairs}`),
        );
    });

    it('golden: formats: the same set as idx and as csv', async () => {
      const { train, test } = mnist(golden);
      writeFileSync(join(set, 'mnist_train.csv'), lines(train).join('\n'));
      writeFileSync(join(set, 'mnist_test.csv'), lines(test).join('\n'));
      for (const read of [await formats.idx(golden), await formats.csv(set)]) {
        expectImages(read.train, train);
        expectImages(read.test, test);
      }
      await expect(formats.cifar10(set)).rejects.toThrow(
        new RangeError(`cifar10: ${set} has no data_batch_1.bin, expected it there`),
      );
    });
  });
});
