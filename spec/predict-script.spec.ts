import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bars } from '../scripts/bars.ts';
import { readPicture, writePicture } from '../scripts/picture.ts';
import { readModel } from '../scripts/readModel.ts';
import { shades } from '../scripts/shades.ts';
import { digitOf } from '../src/data/digitOf.ts';
import { invert, toBatch, type Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { resize } from '../src/data/resize.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { cnnWithBn, dense } from '../src/models/index.ts';
import type { Parameters } from '../src/network.ts';
import { predict } from '../src/predict.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { tensor } from '../src/tensor.ts';
import { train as learn } from '../src/train.ts';
import { expectPicture, gray, pictureOf, placed } from './pictures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (...args: string[]) => {
  const command = ['--import', 'tsx', 'scripts/predict.ts', ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  return { stdout, stderr, status };
};
const { vectorized } = implementations;
const { train, test } = mnist(join(root, 'golden/mnist'));
/** A network that has learned a little. */
const parameters = initialize(dense, random(0));
for (const _ of learn(vectorized, dense, parameters, train, { epochs: 3, batch: 16, rate: 0.1, seed: 0 }));
/** Pictures of a digit in black on white, 140×140 on a page of 200×180. */
const pages = Array.from(test.labels.keys(), (n) => n)
  .filter((n) => test.labels[n] === 3)
  .map((n) => invert(placed(resize(pictureOf(test, n), 140, 140), 0, [200, 180], [30, 20])));
const readingOf = (page: Picture) => predict(vectorized, dense, parameters, toBatch(digitOf(page)))[0];
/** The first one that it reads with some confidence. */
const page = pages.find((page) => readingOf(page).digit === 3 && readingOf(page).confidence > 0.9)!;

const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-predict-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);
const save = (name: string, tensors: Parameters, metadata: Record<string, string>) =>
  writeFileSync(at(name), writeSafetensors({ tensors, metadata }));
const raw = { raw: { height: 200, width: 180, channels: 1 as const } };

beforeAll(async () => {
  save('dense.safetensors', parameters, { model: 'dense' });
  const black = { create: { height: 200, width: 180, channels: 3 as const, background: '#000' } };
  await writePicture(at('3.png'), page);
  await sharp(invert(page).pixels, raw).jpeg({ quality: 60 }).toFile(at('3.jpg')); // white on black
  await sharp(black)
    .joinChannel(Buffer.from(invert(page).pixels), raw)
    .webp({ lossless: true })
    .toFile(at('3.webp')); // black on nothing
  await sharp({ create: { height: 20, width: 20, channels: 3, background: '#fff' } })
    .png()
    .toFile(at('blank.png'));
});

describe('scripts/predict.ts', () => {
  it('says what the document says, and the ten probabilities as bars', () => {
    const { confidence, probabilities } = readingOf(page);
    expect(run(at('3.png'), '--model', at('dense.safetensors'))).toEqual({
      stdout: `Predicted Digit: 3\nConfidence Score: ${confidence.toFixed(2)}\n\n${bars(probabilities, 3, 80)}\n`,
      stderr: '',
      status: 0,
    });
  });

  it('--json: one object per picture; white on black as JPEG, and black on nothing as WebP, are the same digit', () => {
    const files = ['3.png', '3.jpg', '3.webp'].map(at);
    const { stdout, stderr, status } = run(...files, '--model', at('dense.safetensors'), '--json');
    expect([stderr, status]).toEqual(['', 0]);
    const [png, jpeg, webp] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(png).toEqual({ file: files[0], ...readingOf(page) });
    expect(webp).toEqual({ ...png, file: files[2] });
    expect([jpeg.file, jpeg.digit]).toEqual([files[1], 3]);
    expect(Math.abs(jpeg.confidence - png.confidence)).toBeLessThan(0.1);
  });

  it('of several pictures each has its name; one that is none is one sentence, before anything else', () => {
    const { stdout } = run(at('3.png'), at('3.webp'), '--model', at('dense.safetensors'));
    expect(stdout.split('\n').filter((line) => /^[^\s▸]/.test(line))).toEqual(
      ['3.png', '3.webp'].flatMap((name) => [at(name), 'Predicted Digit: 3', expect.stringMatching(/^Confidence/)]),
    );
    expect(run(at('3.png'), at('blank.png'), '--model', at('dense.safetensors'))).toEqual({
      stdout: '',
      stderr: `predict: ${at('blank.png')}: there is no ink: no pixel differs by more than 0 of 255 from the paper around it, expected at least 32\n`,
      status: 2,
    });
  });

  it.each([
    [['--model', 'a'], 'there is no picture to read, expected IMAGE…: see --help'],
    [
      ['a.png', '--modle', 'a'],
      "Unknown option '--modle', did you mean --model? Expected one of --model, --explain, --out, --json, --help",
    ],
  ])('error: %j', (args, message) => {
    expect(run(...args)).toEqual({ stdout: '', stderr: `predict: ${message}\n`, status: 2 });
  });

  it('--help shows every option', () => {
    const { stdout, status } = run('--help');
    expect(status).toBe(0);
    for (const option of ['model', 'explain', 'out', 'json', 'help']) expect(stdout).toContain(`  --${option} `);
  });
});

it('golden: the bars of the numbers that the document prints, the winner pointed at', () => {
  expect(bars([0, 0, 0.0301, 0.7426, 0, 0.2273, 0, 0, 0, 1], 3, 80)).toBe(
    [
      '  0  0.000',
      '  1  0.000',
      '  2  0.030  █▊', //  14.4 eighths
      `▸ 3  0.743  ${'█'.repeat(44)}▌`, // 356.4
      '  4  0.000',
      `  5  0.227  ${'█'.repeat(13)}▋`, // 109.1
      '  6  0.000',
      '  7  0.000',
      '  8  0.000',
      `  9  1.000  ${'█'.repeat(60)}`,
    ].join('\n'),
  );
  expect(bars([0.999], 0, 80)).toBe(`▸ 0  0.999  ${'█'.repeat(60)}`); // 479.52
  expect(bars([0.5], 0, 41)).toBe(`▸ 0  0.500  ${'█'.repeat(14)}`); // of 28 beside the numbers
  expect(bars([1], 0, 5)).toBe(`▸ 0  1.000  █`);
});

describe('shades', () => {
  it('golden: without colours two rows are a line, each letter the mean of two pixels', () => {
    // means 0, 63.75 (a quarter of 255), 127.5, 191, 255; of an odd last row half is black
    const [upper, lower] = [[0, 0, 255, 200, 255], [0, 127, 0, 182, 255]]; // prettier-ignore
    expect(shades(gray([upper, lower]), false)).toBe(' ░▒▓█');
    expect(shades(gray([upper, lower, lower]), false)).toBe(' ░▒▓█\n ░ ░▒');
  });

  it('in colours the upper half of a letter is one pixel, and the lower half the next, each as near as 256 colours have it', () => {
    const rows = Array.from({ length: 16 }, (_, row) => Array.from({ length: 16 }, (_, column) => 16 * row + column));
    const lines = shades(gray(rows), true).split('\n');
    expect(lines).toHaveLength(8);
    const shown = (code: number) => (code === 16 ? 0 : code === 231 ? 255 : 8 + 10 * (code - 232));
    lines.forEach((line, i) => {
      expect(line.endsWith('▀\x1b[0m')).toBe(true);
      const letters = [...line.matchAll(/\x1b\[38;5;(\d+);48;5;(\d+)m▀/g)];
      expect(letters).toHaveLength(16);
      letters.forEach(([, upper, lower], column) => {
        for (const [code, value] of [
          [upper, rows[2 * i][column]],
          [lower, rows[2 * i + 1][column]],
        ] as const)
          // prettier-ignore
          expect(Math.abs(shown(Number(code)) - value), `${value}`).toBeLessThanOrEqual(value > 238 ? 8 : 5);
      });
    });
  });
});

describe('predict.ts --explain', () => {
  const model = ['--model', at('dense.safetensors')];
  const pngs = () => readdirSync(directory).filter((name) => name.endsWith('-explained.png'));

  it('shows what the network saw, and writes it beside the picture and the bars', async () => {
    const { stdout, stderr, status } = run(at('3.png'), '--explain', '--out', directory, ...model);
    expect([stderr, status]).toEqual(['', 0]);
    const plain = run(at('3.png'), ...model).stdout;
    const seen = shades(digitOf(page), false);
    expect(stdout).toBe(`${plain}\nWhat the network saw, 28×28 pixels:\n\n${seen}\n\n${at('3-explained.png')}\n`);
    const { width, height } = await sharp(at('3-explained.png')).metadata();
    expect([width! > 700, width! < 1200, height! > 350, height! < 450]).toEqual([true, true, true, true]);
    // ten pixels to one of the network's: the middle one of each, where they lie beside the picture of 252×280
    const { data } = await sharp(at('3-explained.png')).greyscale().raw().toBuffer({ resolveWithObject: true });
    const [top, left] = [72 + 8, 16 + 252 + 32];
    const digit = digitOf(page);
    digit.pixels.forEach((value, i) => {
      const [row, column] = [top + 10 * Math.floor(i / 28) + 5, left + 10 * (i % 28) + 5];
      expect(Math.abs(data[row * width! + column] - value), `pixel ${i}`).toBeLessThanOrEqual(1);
    });
  });

  it('--json: the file with the picture is one of its facts', () => {
    const { stdout, status } = run(at('3.png'), '--explain', '--out', directory, '--json', ...model);
    expect([JSON.parse(stdout), status]).toEqual([{ file: at('3.png'), ...readingOf(page), explained: at('3-explained.png') }, 0]); // prettier-ignore
  });

  it('a reading of less than 0.9 is unsure, and says what else it may be', () => {
    const { stdout } = run('golden/images/1-with-a-flag-in-pencil.jpg');
    expect(stdout).toMatch(/^Predicted Digit: 1\nConfidence Score: 0\.\d\d, unsure: perhaps 7 \(0\.\d\d\)\n/);
    expect(run('golden/images/3.png').stdout).toMatch(/^Predicted Digit: 3\nConfidence Score: 1\.00\n/);
  });

  it.each([
    [['--out', 'golden'], '--out is "golden" without --explain, expected both or none'],
    [['--explain', '--out', 'nowhere'], '--out is "nowhere", expected a directory that exists'],
    [['--explain', 'golden/images/3.png'], `${at('3.png')} and golden/images/3.png would both be explained in 3-explained.png, expected one of them`],
    [['--explain', 'golden/images/../3-explained.png', '--out', 'golden'], `${at('3.png')} would be explained in golden/3-explained.png, a picture to be read, expected --out elsewhere`],
  ])('error: %j', (args, message) => {
    const before = pngs();
    expect(run(at('3.png'), ...args)).toEqual({ stdout: '', stderr: `predict: ${message}\n`, status: 2 });
    expect(pngs()).toEqual(before);
  }); // prettier-ignore

  it('if a picture has no digit nothing is written, also not of those before it', () => {
    mkdirSync(at('empty'));
    const { stdout, status } = run(at('3.webp'), at('blank.png'), '--explain', '--out', at('empty'));
    expect([stdout, status, readdirSync(at('empty'))]).toEqual(['', 2, []]);
  });

  it('a file may be called as it likes', async () => {
    const [file, out] = [at('<&\u0001\ufffe>.png'), at('odd')];
    mkdirSync(out);
    await writePicture(file, page);
    const { stderr, status } = run(file, '--explain', '--out', out, ...model);
    expect([stderr, status, readdirSync(out)]).toEqual(['', 0, ['<&\u0001\ufffe>-explained.png']]);
  });
});

describe('picture files', () => {
  /** Two pixels beside each other. */
  const two = (channels: 3 | 4, ...pixels: number[]) => ({
    height: 1,
    width: 2,
    channels,
    pixels: Uint8Array.from(pixels),
  });
  const colours = two(3, 255, 0, 10, 1, 128, 200);
  const encoded = ({ height, width, channels, pixels }: typeof colours) =>
    sharp(pixels, { raw: { height, width, channels } });

  it('what is written is read again, with alpha and without', async () => {
    for (const picture of [colours, two(4, 255, 0, 10, 77, 1, 128, 200, 255)]) {
      await writePicture(at('two.png'), picture);
      expectPicture(await readPicture(at('two.png')), picture);
    }
    expect(readdirSync(directory).filter((name) => name.includes('.part'))).toEqual([]);
  });

  it.each<[string, () => Sharp, number[]]>([
    ['lossless WebP', () => encoded(colours).webp({ lossless: true }), [255, 0, 10, 1, 128, 200]],
    [
      'gray',
      () =>
        encoded(two(3, 9, 9, 9, 77, 77, 77))
          .toColourspace('b-w')
          .png(),
      [9, 9, 9, 77, 77, 77],
    ],
    ['16 bits', () => encoded(colours).toColourspace('rgb16').png(), [255, 0, 10, 1, 128, 200]],
    ['a palette', () => encoded(two(3, 0, 0, 0, 255, 255, 255)).png({ palette: true }), [0, 0, 0, 255, 255, 255]],
  ])('%s', async (_, made, pixels) => {
    await made().toFile(at('some'));
    expectPicture(await readPicture(at('some')), two(3, ...pixels));
  });

  it('a photograph is turned as its camera says', async () => {
    await encoded(colours).withMetadata({ orientation: 6 }).jpeg().toFile(at('turned.jpg'));
    const { height, width } = await readPicture(at('turned.jpg'));
    expect([height, width]).toEqual([2, 1]);
  });

  it('a large one is made smaller, keeping its ratio; a small one is as it is', async () => {
    await writePicture(at('page.png'), page); // 200×180
    const { height, width } = await readPicture(at('page.png'), 100);
    expect([height, width]).toEqual([100, 90]);
    expectPicture(await readPicture(at('page.png'), 200), await readPicture(at('page.png')));
  });

  it.each<[string, (path: string) => unknown, string]>([
    ['a.txt', (path) => writeFileSync(path, 'digit'), 'is no picture, expected a picture: PNG, JPEG or WebP'],
    ['empty.png', (path) => writeFileSync(path, ''), 'is no picture, expected a picture: PNG, JPEG or WebP'],
    ['a.svg', (path) => writeFileSync(path, '<svg xmlns="http://www.w3.org/2000/svg" width="3" height="3"/>'), 'is of the format svg, expected a picture: PNG, JPEG or WebP'],
    ['cut.png', async (path) => writeFileSync(path, (await encoded(colours).png().toBuffer()).subarray(0, -20)), 'is damaged: it cannot be decoded to its end, expected a picture: PNG, JPEG or WebP'],
    ['huge.png', (path) => sharp({ create: { height: 8000, width: 6251, channels: 3, background: '#fff' } }).png({ compressionLevel: 1 }).toFile(path), 'has 6251×8000 pixels, expected at most 50,000,000'],
    ['interlaced.png', (path) => sharp({ create: { height: 5000, width: 5001, channels: 3, background: '#fff' } }).png({ compressionLevel: 1, progressive: true }).toFile(path), 'is interlaced and has 5001×5000 pixels of 3 bytes, expected at most 75,000,000 bytes'],
    ['progressive.jpg', (path) => sharp({ create: { height: 5000, width: 5001, channels: 3, background: '#fff' } }).jpeg({ progressive: true }).toFile(path), 'is progressive and has 5001×5000 pixels of 3 bytes, expected at most 75,000,000 bytes'],
    ['.', () => {}, 'is no file, expected a picture: PNG, JPEG or WebP'],
  ])('error: %s', async (name, make, message) => {
    await make(at(name));
    await expect(readPicture(at(name)).then(() => 'it is read')).rejects.toThrow(new RangeError(`${at(name)} ${message}`));
  }); // prettier-ignore

  it('error: no file', async () => {
    await expect(readPicture('no.png')).rejects.toThrow(
      new RangeError('there is no file no.png, expected a picture: PNG, JPEG or WebP'),
    );
  });
});

describe('model files', () => {
  it('the file says which model it is; batch norm has its running statistics too', () => {
    const tensors = initialize(cnnWithBn, random(1));
    save('bn.safetensors', tensors, { model: 'cnnWithBn', seed: '1' });
    expect(readModel(at('bn.safetensors'))).toEqual({ model: cnnWithBn, parameters: tensors });
  });

  const { 'fc1.weight': w, ...others } = parameters;
  it.each<[string, Parameters, Record<string, string>]>([
    ['does not say which model it is and has tensors of none, expected those of one of dense, page3, ', others, {}],
    ['says that it is a "resnet18", expected one of dense, page3, ', parameters, { model: 'resnet18' }],
    ['says that it is a "toString", expected one of dense, page3, ', parameters, { model: 'toString' }],
    ['has no fc1.weight, expected one of shape (128, 784) for dense', others, { model: 'dense' }],
    [
      'has fc1.weight of shape (784, 128), expected (128, 784) for dense',
      { ...parameters, 'fc1.weight': { shape: [784, 128], data: w.data } },
      { model: 'dense' },
    ],
    ['has fc9.weight, expected none for dense', { ...parameters, 'fc9.weight': tensor([1]) }, { model: 'dense' }],
    [
      'has NaN in fc1.weight, expected numbers that float32 has',
      { ...parameters, 'fc1.weight': { ...w, data: w.data.with(5, NaN) } },
      { model: 'dense' },
    ],
  ])('error: %s', (message, tensors, metadata) => {
    save('wrong.safetensors', tensors, metadata);
    expect(() => readModel(at('wrong.safetensors'))).toThrow(RangeError);
    expect(() => readModel(at('wrong.safetensors'))).toThrow(`${at('wrong.safetensors')} ${message}`);
  });
});
