import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { optional } from '../scripts/optional.ts';
import { confusion } from '../scripts/pictures/confusion.ts';
import { drawPage } from '../scripts/pictures/drawPage.ts';
import { layerPage, shownFrom } from '../scripts/pictures/layer.ts';
import { certainty, mistakesPage, worstMistakes } from '../scripts/pictures/mistakes.ts';
import type { EpochMetrics } from '../scripts/runFolder.ts';
import { runPictures } from '../scripts/runPictures.ts';
import { batchOf } from '../src/data/images.ts';
import { first } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { cifar10Net, dense, lenet5, tanhAvg } from '../src/models/index.ts';
import { forward, initialStatistics, stepsOf, type Model } from '../src/network.ts';
import { random } from '../src/random.ts';
import { tensor, zeros, type Tensor } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';

/** Four images of classes 0, 1, 2, 2, of which the first, and the last two in other ways, are read wrongly. */
const probabilities = tensor([
  [0.1, 0.2, 0.7],
  [0.2, 0.6, 0.2],
  [0.95, 0, 0.05],
  [0, 0.7, 0.3],
]);
const labels = Uint8Array.of(0, 1, 2, 2);

describe('confusion', () => {
  it('golden: rows are true classes, columns what was read', () => {
    expect(confusion(probabilities, labels)).toEqual([
      [0, 0, 1],
      [0, 1, 0],
      [1, 1, 0],
    ]);
  });

  it.each<[string, Tensor, Uint8Array]>([
    ['confusion: the probabilities of image 1 have NaN, expected numbers', tensor([[1, 0], [NaN, 1]]), Uint8Array.of(0, 1)],
    ['confusion: label 0 is 2, expected a class below 2', tensor([[1, 0]]), Uint8Array.of(2)],
    ['confusion: probabilities has shape (1, 2), expected (2, K)', tensor([[1, 0]]), Uint8Array.of(1, 1)],
  ])('error: %s', (message, probabilities, labels) => {
    expect(() => confusion(probabilities, labels)).toThrow(new RangeError(message));
  }); // prettier-ignore
});

describe('worstMistakes', () => {
  it('golden: the most confident first, of equals the first; what was read rightly is none', () => {
    expect(worstMistakes(probabilities, labels)).toEqual([
      { image: 2, label: 2, read: 0, confidence: 0.95 },
      { image: 0, label: 0, read: 2, confidence: 0.7 },
      { image: 3, label: 2, read: 1, confidence: 0.7 },
    ]);
    expect(worstMistakes(probabilities, labels, 2).map(({ image }) => image)).toEqual([2, 0]);
    expect(worstMistakes(tensor([[0, 1]]), Uint8Array.of(1))).toEqual([]);
  });

  it('what is not certain is not said to be', () => {
    expect([0.5, 0.904, 0.987, 0.9951, 0.9999999].map(certainty)).toEqual(['50 %', '90 %', '99 %', '99.5 %', '99.9 %']);
  });

  it('each image has what it is and what was read below it, in rows of five', () => {
    const images = { shape: [1, 2, 2], pixels: Uint8Array.from({ length: 28 }, (_, i) => i * 9), labels: new Uint8Array(7) }; // prettier-ignore
    const mistakes = [6, 0, 1, 2, 3, 4].map((image) => ({ image, label: 4, read: 9, confidence: 0.99 }));
    const { pictures, texts } = mistakesPage('mistakes', images, mistakes, [...'0123456789']);
    expect(texts.filter(({ text }) => text === 'true 4, read 9 (99 %)')).toHaveLength(6);
    expect(pictures.map(({ picture }) => picture.pixels[0])).toEqual([216, 0, 36, 72, 108, 144]);
    expect(new Set(pictures.map(({ top }) => top)).size).toBe(2);
    expect(pictures[5].left).toBe(pictures[0].left);
  });
});

it('shown after a layer is what came of a relu, also behind a batch norm, or of a tanh', () => {
  const model: Model = { ...cifar10Net, input: [3, 8, 8], nodes: cifar10Net.nodes.slice(0, 3) };
  const parameters = { ...initialize(model, random(0)), ...initialStatistics(model) };
  const { tape, y } = forward(implementations.vectorized, model, parameters, zeros([1, 3, 8, 8]), 'evaluation');
  expect(shownFrom(stepsOf(tape), 0)).toEqual({ names: 'features.0, features.1 and features.2', y });
  expect(shownFrom(stepsOf(tape), 1).names).toBe('features.1 and features.2');
  const tanhs = forward(implementations.vectorized, tanhAvg, initialize(tanhAvg, random(0)), zeros([1, 1, 28, 28]), 'evaluation').tape; // prettier-ignore
  const [first, second] = stepsOf(tanhs);
  expect(shownFrom(stepsOf(tanhs), 0)).toEqual({ names: `${first.node.name} and ${second.node.name}`, y: second.y });
});

it('error: numbers that are not finite', async () => {
  const drawn = layerPage('after fc', zeros([1, 1, 2, 2]), 'a digit', tensor([[1, NaN]]));
  await expect(drawn).rejects.toThrow(new RangeError('layerPage: y has NaN, expected finite numbers'));
});

const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-run-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('runPictures', () => {
  const testing = first(60, mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url))).test);
  const { vectorized } = implementations;
  const metrics = (epochs: number): EpochMetrics[] =>
    Array.from({ length: epochs }, (_, i) => ({
      ...{ epoch: i + 1, trainLoss: 1 / (i + 1), trainAccuracy: 0.9, testLoss: 1.1, testAccuracy: 0.8 },
      ...{ imagesPerSecond: 1, seconds: i },
    }));
  const run = (model: Model, epochs: number) => {
    const parameters = initialize(model, random(0));
    const { x } = batchOf(
      testing,
      Uint32Array.from({ length: 60 }, (_, i) => i),
    );
    const { y } = forward(vectorized, model, parameters, inputOf(model, x), 'evaluation');
    return { model, seed: 5, parameters, metrics: metrics(epochs), testing, probabilities: vectorized.softmax(y) };
  };
  const folder = (name: string) => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };

  it('writes five pictures of a run, each a PNG with more than two colours, and the same bytes again', async () => {
    const [here, again] = [folder('lenet5'), folder('again')];
    const names = await runPictures(here, run(lenet5(), 3));
    expect(names).toEqual(['curves.png', 'confusion.png', 'filters.png', 'feature-maps.png', 'mistakes.png']);
    expect(readdirSync(here).toSorted()).toEqual(names.toSorted());
    for (const name of names) {
      const { format, width, height } = await sharp(join(here, name)).metadata();
      expect([name, format, width! > 300 && width! < 1500, height! > 300 && height! < 1200]).toEqual([name, 'png', true, true]); // prettier-ignore
    }
    await runPictures(again, run(lenet5(), 3));
    for (const name of names) expect(readFileSync(join(again, name)).equals(readFileSync(join(here, name)))).toBe(true);
  });

  it('what there is nothing to draw of is left out: curves without an epoch, maps of a dense network, mistakes if there are none', async () => {
    const { probabilities, ...dense0 } = run(dense, 0);
    const right = { shape: probabilities.shape, data: new Float64Array(600) };
    testing.labels.forEach((label, n) => (right.data[n * 10 + label] = 1));
    expect(await runPictures(folder('dense'), { ...dense0, probabilities: right })).toEqual(['confusion.png', 'filters.png']); // prettier-ignore
  });
});

describe('train-mnist.ts', () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const at = (name: string) => join(directory, name);
  const few = '--model lenet5 --data golden/mnist --images 40 --test-images 20 --epochs 2 --batch 8'.split(' ');
  const start = (args: string[], ...node: string[]) =>
    spawn(process.execPath, [...node, '--import', 'tsx', 'scripts/train-mnist.ts', ...args], { cwd: root });
  const end = async (child: ChildProcess) => {
    let [stdout, stderr] = ['', ''];
    child.stdout!.on('data', (text) => (stdout += text));
    child.stderr!.on('data', (text) => (stderr += text));
    const [status] = await once(child, 'close');
    return { stdout, stderr, status };
  };
  const drawn = ['curves.png', 'confusion.png', 'filters.png', 'feature-maps.png', 'mistakes.png'];
  const kept = ['checkpoint.safetensors', 'config.json', 'metrics.jsonl'];

  it('draws a run that has ended into its folder, and says so; once more where it is resumed', async () => {
    const { stdout, stderr, status } = await end(start([...few, '--run', at('run'), '--json']));
    expect(status).toBe(0);
    const [one, two, ...more] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as EpochMetrics);
    expect([one.epoch, two.epoch, more]).toEqual([1, 2, []]);
    expect(two.testAccuracy).toBe(one.testAccuracy);
    expect(stderr).toContain(' after 2 of 2 epochs, '); // of equals the last is the best
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`${at('run')} has ${drawn.join(', ')}`);
    expect(readdirSync(at('run')).toSorted()).toEqual([...kept, ...drawn].toSorted());
    const before = drawn.map((name) => readFileSync(join(at('run'), name)));
    for (const name of drawn) rmSync(join(at('run'), name));
    const again = await end(start(['--resume', at('run')]));
    expect([again.stderr, again.status]).toEqual(['', 0]);
    expect(again.stdout).toContain('\nThis run has ended: its pictures are drawn again\n');
    drawn.forEach((name, i) => expect(readFileSync(join(at('run'), name)).equals(before[i]), name).toBe(true));
  });

  it('a run that is stopped is drawn as it was after its last whole epoch', async () => {
    const child = start([...few, '--epochs', '100000', '--run', at('stopped')]);
    const ended = end(child);
    let said = '';
    child.stdout!.on('data', (text) => {
      const before = said.includes('\nepoch 1/');
      if (!before && (said += text).includes('\nepoch 1/')) child.kill('SIGINT');
    });
    const { stdout, stderr, status } = await ended;
    expect([stderr, status]).toEqual(['', 130]);
    expect(stdout).toContain(`\nIt goes on with --resume ${at('stopped')}\n${at('stopped')} has ${drawn.join(', ')}\n`); // prettier-ignore
  });

  /** A module that makes another one as if it were not installed. */
  const without = (name: string) => {
    const hook = at(`without-${name.replaceAll('/', '-')}.cjs`);
    writeFileSync(
      hook,
      `const M = require('module'), find = M._resolveFilename;
      M._resolveFilename = (name, ...rest) => {
        if (name.startsWith(${JSON.stringify(name)})) throw Error(name);
        return find(name, ...rest);
      };`,
    );
    return ['--require', hook];
  };

  it('without a package for pictures the run says so before it begins, and has none', async () => {
    const { stdout, stderr, status } = await end(start([...few, '--run', at('bare')], ...without('echarts')));
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(/\npictures  none: charts are drawn by the package echarts, which is not installed: npm install --include=optional\n[^]*\nepoch 1\/2/); // prettier-ignore
    expect(readdirSync(at('bare')).toSorted()).toEqual(kept);
  });

  it('the same where sharp is installed for another machine', async () => {
    const { stdout, stderr, status } = await end(start([...few, '--run', at('elsewhere')], ...without('@img/sharp-')));
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(/\npictures  none: pictures are read and written by the package sharp, which is not installed: npm install --include=optional\n[^]*\nepoch 1\/2/); // prettier-ignore
    expect(readdirSync(at('elsewhere')).toSorted()).toEqual(kept);
  });
});

it('text is in the font that comes along: where there is none, all letters are the same boxes', async () => {
  const letter = (text: string) => drawPage({ height: 20, width: 20, pictures: [], texts: [{ text, x: 2, y: 16 }] });
  expect(Buffer.compare(await letter('1'), await letter('7'))).not.toBe(0);
});

it.each([
  ['sharp', 'pictures are read and written by the package sharp, which is not installed: npm install --include=optional'],
  ['echarts', 'charts are drawn by the package echarts, which is not installed: npm install --include=optional'],
  ['d3-scale-chromatic', 'pictures are coloured by the package d3-scale-chromatic, which is not installed: npm install --include=optional'],
] as const)('error: %s is not installed', async (name, message) => {
  const missing = 'no-such-package';
  await expect(optional(name, () => import(missing))).rejects.toThrow(new RangeError(message));
}); // prettier-ignore
