import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as timeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createDeflate, gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { initialize } from '../src/initialize.ts';
import { cnnWithBn, page3 } from '../src/models/index.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { zeros, type Tensor } from '../src/tensor.ts';
import { anyFile, Chance, csvFile, gzFile, idxFile, packed, pngFile, safetensorsFile, type Damage } from './damage.ts';
import type { Reading, readers } from './readDamagedFile.ts';

/** What became of the inputs. */
export interface DamageReport {
  readonly valid: number;
  readonly clear: number;
  /** A sentence for each input that gave neither. */
  readonly wrong: readonly string[];
  /** Clear errors, one of each input kind and damage. */
  readonly examples: Readonly<Record<string, string>>;
  /** The most memory that a reading process had, in millions of bytes, and the input at which it had so much. */
  readonly megabytes: number;
  readonly largest: string;
}

/** A file that is right, how it may be damaged, and who reads it. */
interface Input {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly damages: readonly Damage[];
  readonly reader: keyof typeof readers;
}

/** Seconds until a file that nobody has read to its end is one that hangs: many times what the slowest takes. */
const PATIENCE = 30;
/** Files that one process reads: a person's reads one, and starting a process for each would take hours. */
const EACH = 25;

/**
 * Damages files, each once to three times, and has them read: IDX, CSV, CIFAR-10, safetensors and pictures. They are read
 * in other processes: what kills one is told, and their memory is that of reading alone.
 */
export async function readDamaged(count: number, seed: number): Promise<DamageReport> {
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-damaged-'));
  const kinds = await inputs(directory);
  const reader = new Reader();
  const [wrong, examples]: [string[], Record<string, string>] = [[], {}];
  let [valid, clear, megabytes, largest] = [0, 0, 0, ''];
  const seeds = new Chance(seed);
  try {
    for (let n = 0; n < count; n++) {
      const chance = new Chance(seeds.below(2 ** 32)); // of its own: streams of neighbouring seeds begin alike
      const input = chance.of(chance.of(kinds));
      const damages = Array.from({ length: chance.of([1, 1, 1, 2, 3]) }, () => {
        const damage = chance.of(chance.of([anyFile, input.damages]));
        return [damage, chance.below(2 ** 32)] as const;
      });
      const called = `${basename(input.path)} ${damages.map(([[name]]) => name).join(', then ')}`;
      const reading = await attempt(reader, input, damages);
      if (reading.megabytes > megabytes)
        [megabytes, largest] = [reading.megabytes, `input ${n} of seed ${seed}, ${called}`];
      if (reading.wrong !== undefined) {
        let least = damages; // one damage that is enough, if there is
        for (const damage of damages)
          if ((await attempt(reader, input, [damage])).wrong !== undefined) least = [damage];
        const how = least.map(([[name], own]) => `${name} (${own})`).join(', then ');
        wrong.push(`input ${n} of seed ${seed}, ${basename(input.path)} ${how}: ${reading.wrong}`);
      } else if (reading.clear !== undefined) {
        clear++;
        examples[called] ??= reading.clear;
      } else valid++;
    }
  } finally {
    reader.end();
    rmSync(directory, { recursive: true });
  }
  return { valid, clear, wrong, examples, megabytes, largest };
}

async function attempt(
  reader: Reader,
  input: Input,
  damages: readonly (readonly [Damage, number])[],
): Promise<Reading> {
  const bytes = damages.reduce((bytes, [[, change], seed]) => change(bytes, new Chance(seed)), input.bytes);
  writeFileSync(input.path, bytes);
  const reading = await reader.read(input.reader, input.path);
  writeFileSync(input.path, input.bytes);
  return reading;
}

/** Processes that read files, one after another. */
class Reader {
  #process: ChildProcess | undefined;
  #files = 0;

  async read(reader: keyof typeof readers, path: string): Promise<Reading> {
    if (this.#files++ % EACH === 0) this.end();
    const process = (this.#process ??= fork(fileURLToPath(new URL('readDamagedFile.ts', import.meta.url)), {
      execArgv: ['--expose-gc', '--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }));
    const settled = new AbortController();
    const { signal } = settled;
    process.send({ reader, path });
    const wrong = (wrong: string): Reading => {
      this.end();
      return { wrong, megabytes: 0 };
    };
    try {
      return await Promise.race([
        once(process, 'message', { signal }).then(([reading]) => reading as Reading),
        once(process, 'exit', { signal }).then(([code, by]) => wrong(`its reader ended with ${by ?? code}`)),
        timeout(1000 * PATIENCE, undefined, { signal }).then(() => wrong(`it was not read in ${PATIENCE} s`)),
      ]);
    } finally {
      settled.abort();
    }
  }

  end(): void {
    this.#process?.kill('SIGKILL');
    this.#process = undefined;
  }
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
    const reader = 'mnist' as const;
    const plain = (name: string, bytes: Uint8Array) => ({ ...put(name, bytes), damages: idxFile, reader });
    const gz = (name: string, bytes: Uint8Array) => ({
      ...put(`${name}.gz`, gzipSync(bytes)),
      damages: [...gzFile, ...packed([...anyFile, ...idxFile])],
      reader,
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
    return [
      { ...put('named.csv', bytes), damages: csvFile, reader: 'csv' },
      { ...put('plain.csv', bytes.subarray(names.length + 1)), damages: csvFile, reader: 'csv' },
      {
        ...put('packed.csv.gz', gzipSync(bytes)),
        damages: [...gzFile, ...packed([...anyFile, ...csvFile])],
        reader: 'csv',
      },
    ];
  }

  function cifarInputs(): Input[] {
    const batch = Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 7 : i));
    const names = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), 'test_batch.bin'];
    return names.map((name) => ({ ...put(name, batch), damages: anyFile, reader: 'cifar10' as const }));
  }

  function safetensorsInputs(): Input[] {
    const some = { a: { shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) }, b: zeros([]), c: zeros([4]) };
    const stored = (tensors: Readonly<Record<string, Tensor>>, metadata: Record<string, string>) =>
      writeSafetensors({ tensors, metadata }, { dtype: 'F32' });
    const model = (of: typeof page3, metadata: Record<string, string>) => stored(initialize(of, random(1)), metadata);
    return [
      { ...put('some.safetensors', stored(some, { model: 'x' })), damages: safetensorsFile, reader: 'tensors' },
      { ...put('page3.safetensors', model(page3, { model: 'page3' })), damages: safetensorsFile, reader: 'model' },
      { ...put('bn.safetensors', model(cnnWithBn, {})), damages: safetensorsFile, reader: 'model' },
    ]; // prettier-ignore
  }

  async function pictureInputs(): Promise<Input[]> {
    const damages = pngFile(await packedZeros(300));
    const [height, width] = [40, 30];
    const pixels = new Uint8Array(height * width).fill(240);
    for (let row = 8; row < 32; row++) pixels.fill(10, row * width + 13, row * width + 17); // a one
    const page = () => sharp(pixels, { raw: { height, width, channels: 1 } });
    const gray = page().toColourspace('b-w');
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
        reader: 'digit' as const,
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
