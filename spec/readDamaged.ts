import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createDeflate, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { readDigit } from '../scripts/readDigit.ts';
import { readModel } from '../scripts/readModel.ts';
import { cifar10 } from '../src/data/cifar10.ts';
import { csv } from '../src/data/csv.ts';
import type { Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { cnnWithBn, page3 } from '../src/models/index.ts';
import { predict } from '../src/predict.ts';
import { random } from '../src/random.ts';
import { readSafetensors, writeSafetensors } from '../src/safetensors.ts';
import { size, zeros, type Tensor } from '../src/tensor.ts';
import { anyFile, Chance, csvFile, gzFile, idxFile, packed, pngFile, safetensorsFile, type Damage } from './damage.ts';

/** What became of the inputs. */
export interface DamageReport {
  readonly valid: number;
  readonly clear: number;
  /** A sentence for each input that gave neither. */
  readonly wrong: readonly string[];
  /** Clear errors, one of each input kind and damage. */
  readonly examples: Readonly<Record<string, string>>;
  /** The most memory that the process had, in millions of bytes. */
  readonly megabytes: number;
}

/** A file that is right, how it may be damaged, and who reads it: throws if what was read makes no sense. */
interface Input {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly damages: readonly Damage[];
  readonly read: () => unknown;
}

/**
 * Damages files, each once to three times, and has them read: IDX, CSV, CIFAR-10, safetensors and pictures. `at` is told the
 * number of each before it is read, and what was done to it.
 */
export async function readDamaged(
  count: number,
  seed: number,
  at: (n: number, how: string) => void = () => {},
): Promise<DamageReport> {
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-damaged-'));
  const kinds = await inputs(directory);
  const [wrong, examples]: [string[], Record<string, string>] = [[], {}];
  let [valid, clear] = [0, 0];
  const seeds = new Chance(seed);
  try {
    for (let n = 0; n < count; n++) {
      const chance = new Chance(seeds.below(2 ** 32)); // of its own: streams of neighbouring seeds begin alike
      const input = chance.of(chance.of(kinds));
      const damages = Array.from({ length: chance.of([1, 1, 1, 2, 3]) }, () => {
        const damage = chance.of(chance.of([anyFile, input.damages]));
        return [damage, chance.below(2 ** 32)] as const;
      });
      at(n, `${basename(input.path)} ${damages.map(([[name]]) => name).join(', then ')}`);
      const complaint = await attempt(input, damages);
      if (complaint === undefined) valid++;
      else if (complaint instanceof RangeError) {
        clear++;
        examples[`${basename(input.path)} ${damages.map(([[name]]) => name).join(', ')}`] ??= complaint.message;
      } else {
        let least = damages; // one damage that is enough, if there is
        for (const damage of damages) if (typeof (await attempt(input, [damage])) === 'string') least = [damage];
        const how = least.map(([[name], own]) => `${name} (${own})`).join(', then ');
        wrong.push(`input ${n} of seed ${seed}, ${basename(input.path)} ${how}: ${complaint}`);
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { valid, clear, wrong, examples, megabytes: Math.round(process.resourceUsage().maxRSS / 1000) };
}

/** Nothing if what was read makes sense, the error if it is a clear one, else what is wrong. */
async function attempt(
  input: Input,
  damages: readonly (readonly [Damage, number])[],
): Promise<undefined | RangeError | string> {
  const bytes = damages.reduce((bytes, [[, change], seed]) => change(bytes, new Chance(seed)), input.bytes);
  writeFileSync(input.path, bytes);
  try {
    await input.read();
    return undefined;
  } catch (error) {
    return isClear(error, input.path) ? error : error instanceof Error ? `${error.stack}` : `${error}`;
  } finally {
    writeFileSync(input.path, input.bytes);
    globalThis.gc?.(); // what is left of one input does not count for the next
  }
}

/** One sentence that names the file, and says what was expected, or that the system cannot read it. */
function isClear(error: unknown, path: string): error is RangeError {
  if (!(error instanceof RangeError) || 'code' in error) return false;
  const { message } = error;
  const names = [basename(path), basename(path, '.gz'), dirname(path)].some((name) => message.includes(name));
  return names && / expected |cannot be read: /.test(message) && message.length < 600 && !/[\x00-\x1f]/.test(message);
}

/** @throws Error */
function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`was read, but ${what}`);
}

function checkImages({ shape, pixels, labels }: Images): void {
  check('there are no pictures', labels.length > 0);
  check('there are not as many pictures as labels', pixels.length === labels.length * size(shape));
  check(
    'a label is above 9',
    labels.every((label) => label <= 9),
  );
}

async function inputs(directory: string): Promise<readonly (readonly Input[])[]> {
  const at = (name: string) => join(directory, name);
  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(at(name), bytes);
    return { path: at(name), bytes };
  };
  return [idxInputs(), csvInputs(), cifarInputs(), safetensorsInputs(), await pictureInputs()];

  function idxInputs(): Input[] {
    const file = (sizes: number[], items: Uint8Array) => {
      const header = new Uint8Array(4 + 4 * sizes.length);
      const view = new DataView(header.buffer);
      [0x0800 + sizes.length, ...sizes].forEach((value, i) => view.setUint32(4 * i, value));
      return Buffer.concat([header, items]);
    };
    const set = (count: number) => [
      file(
        [count, 5, 4],
        Uint8Array.from({ length: count * 20 }, (_, i) => i),
      ),
      file(
        [count],
        Uint8Array.from({ length: count }, (_, i) => i % 10),
      ),
    ];
    const [[trainImages, trainLabels], [testImages, testLabels]] = [set(6), set(3)];
    const read = () => {
      const { train, test } = mnist(directory);
      for (const part of [train, test]) checkImages(part);
    };
    const plain = (name: string, bytes: Uint8Array) => ({ ...put(name, bytes), damages: idxFile, read });
    const gz = (name: string, bytes: Uint8Array) => ({
      ...put(`${name}.gz`, gzipSync(bytes)),
      damages: [...gzFile, ...packed([...anyFile, ...idxFile])],
      read,
    });
    return [
      plain('train-images-idx3-ubyte', trainImages),
      plain('train-labels-idx1-ubyte', trainLabels),
      gz('t10k-images-idx3-ubyte', testImages),
      gz('t10k-labels-idx1-ubyte', testLabels),
    ];
  }

  function csvInputs(): Input[] {
    const names = ['label', ...Array.from({ length: 784 }, (_, i) => `pixel${i}`)].join();
    const lines = Array.from({ length: 4 }, (_, n) => [
      n,
      ...Array.from({ length: 784 }, (_, i) => (i * (n + 7)) % 256),
    ]);
    const text = `${[names, ...lines].join('\n')}\n`;
    const bytes = new TextEncoder().encode(text);
    const read = (name: string) => async () => checkImages(await csv(at(name)));
    return [
      { ...put('named.csv', bytes), damages: csvFile, read: read('named.csv') },
      { ...put('plain.csv', bytes.subarray(names.length + 1)), damages: csvFile, read: read('plain.csv') },
      {
        ...put('packed.csv.gz', gzipSync(bytes)),
        damages: [...gzFile, ...packed([...anyFile, ...csvFile])],
        read: read('packed.csv.gz'),
      },
    ];
  }

  function cifarInputs(): Input[] {
    const batch = Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 7 : i));
    const read = () => {
      const { train, test } = cifar10(directory);
      for (const part of [train, test]) checkImages(part);
    };
    const names = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), 'test_batch.bin'];
    return names.map((name) => ({ ...put(name, batch), damages: anyFile, read }));
  }

  function safetensorsInputs(): Input[] {
    const some = { a: { shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) }, b: zeros([]), c: zeros([4]) };
    const digit = zeros([1, 1, 28, 28]);
    digit.data.fill(1, 200, 300);
    const sound = () => {
      const { tensors, metadata } = readSafetensors('some.safetensors', readFileSync(at('some.safetensors')));
      for (const { shape, data } of Object.values(tensors))
        check('a tensor has too few numbers', data.length === size(shape));
      check(
        'its metadata is no text',
        Object.values(metadata).every((fact) => typeof fact === 'string'),
      );
    };
    const predicts = (name: string) => () => {
      const { model, parameters } = readModel(at(name));
      const [{ probabilities }] = predict(implementations.vectorized, model, parameters, digit);
      const sum = probabilities.reduce((sum, p) => sum + p, 0);
      check(`its probabilities have the sum ${sum}`, Math.abs(sum - 1) < 1e-9);
    };
    const stored = (tensors: Readonly<Record<string, Tensor>>, metadata: Record<string, string>) =>
      writeSafetensors({ tensors, metadata }, { dtype: 'F32' });
    const model = (of: typeof page3, metadata: Record<string, string>) => stored(initialize(of, random(1)), metadata);
    return [
      { ...put('some.safetensors', stored(some, { model: 'x' })), damages: safetensorsFile, read: sound },
      { ...put('page3.safetensors', model(page3, { model: 'page3' })), damages: safetensorsFile, read: predicts('page3.safetensors') },
      { ...put('bn.safetensors', model(cnnWithBn, {})), damages: safetensorsFile, read: predicts('bn.safetensors') },
    ]; // prettier-ignore
  }

  async function pictureInputs(): Promise<Input[]> {
    const damages = pngFile(await packedZeros(300));
    const [height, width] = [40, 30];
    const pixels = new Uint8Array(height * width).fill(240);
    for (let row = 8; row < 32; row++) pixels.fill(10, row * width + 13, row * width + 17); // a one
    const page = () => sharp(pixels, { raw: { height, width, channels: 1 } });
    const gray = page().toColourspace('b-w');
    const read = (name: string) => async () => {
      const { shape, data } = await readDigit(at(name));
      check(`its shape is ${shape.join('×')}`, `${shape}` === '1,1,28,28');
      check(
        'a pixel is not from 0 to 1',
        data.every((value) => value >= 0 && value <= 1),
      );
    };
    const files: Record<string, Promise<Buffer>> = {
      'gray.png': gray.png().toBuffer(),
      'rgb.png': page().toColourspace('srgb').png().toBuffer(),
      'rgba.png': page().toColourspace('srgb').ensureAlpha(0.9).png().toBuffer(),
      'palette.png': page().toColourspace('srgb').png({ palette: true }).toBuffer(),
      'interlaced.png': page().png({ progressive: true }).toBuffer(),
      'deep.png': page().toColourspace('rgb16').png().toBuffer(),
      'a.jpg': page().jpeg().toBuffer(),
      'a.webp': page().webp().toBuffer(),
    };
    return Promise.all(
      Object.entries(files).map(async ([name, bytes]) => ({
        ...put(name, new Uint8Array(await bytes)),
        damages: name.endsWith('.png') ? damages : anyFile,
        read: read(name),
      })),
    );
  }
}

/** A zlib stream of so many million zeros. They are never all there at once. */
async function packedZeros(millions: number): Promise<Uint8Array> {
  const deflate = createDeflate();
  const chunks: Buffer[] = [];
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let i = 0; i < millions; i++)
    await new Promise<void>((done) => void deflate.write(Buffer.alloc(1e6), () => done()));
  await new Promise<void>((done) => void deflate.on('end', done).end());
  return new Uint8Array(Buffer.concat(chunks));
}
