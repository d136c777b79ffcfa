import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPicture } from '../scripts/picture.ts';
import { readModel, trained } from '../scripts/readModel.ts';
import { sample, samples } from '../scripts/samples/samples.ts';
import { digitOf } from '../src/data/digitOf.ts';
import { grayscale, invert, toBatch, type Picture } from '../src/data/image.ts';
import { predict } from '../src/predict.ts';
import * as simd from '../src/simd/index.ts';
import { expectPicture } from './pictures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (script: string, ...args: string[]) =>
  spawnSync(process.execPath, ['--import', 'tsx', `scripts/${script}.ts`, ...args], { cwd: root, encoding: 'utf8' });
const images = join(root, 'golden/images');
const names = Object.keys(samples);
const digitIn = (name: string) => Number(name[0]);

describe('golden/images', () => {
  it('holds every sample and no other picture, of each digit at least two', () => {
    expect(readdirSync(images).filter((name) => name !== 'README.md')).toEqual(names.toSorted());
    for (let digit = 0; digit < 10; digit++)
      expect(names.filter((name) => digitIn(name) === digit).length, `of ${digit}`).toBeGreaterThanOrEqual(2);
  });

  it('predict.ts reads them all, and is sure of each but of the 1 in pencil, whose flag is that of a 7', () => {
    const { stdout, stderr } = run('predict', '--json', ...names.map((name) => `golden/images/${name}`));
    expect(stderr).toBe('');
    const readings = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { file: string; digit: number; confidence: number });
    expect(readings.map(({ file, digit }) => [file, digit])).toEqual(names.map((name) => [`golden/images/${name}`, digitIn(name)])); // prettier-ignore
    const unsure = readings.filter(({ confidence }) => confidence < 0.9).map(({ file }) => file);
    expect(unsure).toEqual(['golden/images/1-with-a-flag-in-pencil.jpg']);
  });

  describe.each(names)('%s', (name) => {
    const { model, parameters } = readModel(trained);
    const reads = (picture: Picture) => predict(simd, model, parameters, toBatch(digitOf(picture)))[0].digit;
    let picture: Picture;
    beforeAll(async () => void (picture = await readPicture(join(images, name), 1000)));

    it('is the sample that samples.ts draws', async () => {
      const [stored, drawn] = [await readPicture(join(images, name)), sample(name, 0)];
      if (name.endsWith('.png')) return expectPicture(stored, drawn);
      expect([stored.height, stored.width]).toEqual([drawn.height, drawn.width]);
      const apart = drawn.pixels.reduce((sum, value, i) => sum + Math.abs(value - stored.pixels[i]), 0);
      expect(apart / drawn.pixels.length).toBeLessThan(6); // of 255: JPEG and WebP smooth the grain; measured: 5.2 at most
    });

    it('is read right, inverted and transparent as well', () => {
      const gray = grayscale(picture);
      expect([reads(picture), reads(invert(gray))]).toEqual([digitIn(name), digitIn(name)]);
      const darkOnLight = /blackboard|slate/.test(name) ? invert(gray) : gray;
      const ink = Uint8Array.from({ length: 2 * gray.pixels.length }, (_, i) =>
        i % 2 ? 255 - darkOnLight.pixels[i >> 1] : 0,
      );
      expect(reads({ ...gray, channels: 2, pixels: ink })).toBe(digitIn(name)); // black ink on nothing
    });
  });
});

describe('samples.ts', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-samples-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('draws them all again, others from another seed', () => {
    const { stdout, stderr, status } = run('samples', '--out', directory, '--seed', '1');
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(/^24 pictures in .*, \d+ KB, seed 1\n$/);
    expect(readdirSync(directory)).toEqual(names.toSorted());
    expect(readFileSync(join(directory, '3.png')).equals(readFileSync(join(images, '3.png')))).toBe(false);
  });

  it.each([
    [['--seed', '1.5'], '--seed is "1.5", expected an integer from 0 to 4294967295'],
    [['--out', 'nowhere'], 'a picture of --out is "nowhere/0.png", expected a file in a directory that exists'],
  ])('error: %s', (args, sentence) => {
    const { stdout, stderr, status } = run('samples', ...args);
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: `samples: ${sentence}\n`, status: 2 });
  });
});
