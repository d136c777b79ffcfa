import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerName } from '../../src/layers.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import type { Call, Case, Layer } from '../law.ts';
import { check, type CheckOptions, type Judgeable } from './check.ts';
import { optionsOf } from './port.ts';
import { directions, PortError, request, roundings, type Direction } from './protocol.ts';
import { refusal } from './refusal.ts';
import { decode, encode, endings, header, spelledOut, type Dtype, type Ending } from './tensorFile.ts';

/** How the inputs can be written. Outputs are read in each of `endings`. */
export const formats = ['json', 'npy', 'c', 'memh'] as const;
export type Format = (typeof formats)[number];
const endingOf: Readonly<Record<Format, Ending>> = { json: 'json', npy: 'npy', c: 'hex', memh: 'hex' };

/** What is asked: of check()'s questions, those whose ids stand in `cases.json`. */
export interface BatchOptions extends Pick<CheckOptions, 'layers' | 'kinds' | 'cases' | 'seed' | 'asked'> {
  readonly format: Format;
  readonly dtype: Dtype;
}

/** One case: the calls of both directions, which share their inputs. */
interface Asked {
  readonly id: string;
  readonly layer: LayerName;
  readonly calls: Partial<Record<Direction, Call | Case>>;
}

type Tensors = Readonly<Record<string, Tensor>>;

/** Every question of check(), written down instead of answered. */
async function questions({ format, dtype, asked, kinds, ...options }: BatchOptions): Promise<readonly Asked[]> {
  const found = new Map<string, Asked>();
  let id = '';
  const record = (layer: LayerName, direction: Direction, call: Call | Case) => {
    const before = found.get(id) ?? { id, layer, calls: {} };
    found.set(id, { ...before, calls: { ...before.calls, [direction]: call } });
    throw new PortError('skip', 'it is written down');
  };
  const recorder: Judgeable = {
    name: 'nobody',
    u: roundings[dtype].u,
    has: () => true,
    layer: (name) => ({
      u: roundings[dtype].u,
      forward: (call) => record(name, 'forward', call),
      backward: (call) => record(name, 'backward', call),
    }),
  };
  const once = (each: string) => asked(each) && !/\/random-(\d+-)?again$/.test(each); // files hold one answer to a call
  const asking = {
    ...{ ...options, asked: once },
    kinds: kinds.filter((kind) => format !== 'c' || kind !== 'invalid'), // a constant of C has no wrong type
    progress: (...[, , now]: Parameters<CheckOptions['progress']>) => void (id = now),
  };
  for await (const _ of check(recorder, asking));
  return [...found.values()].filter(({ calls }) =>
    Object.values(calls).every((call) =>
      Object.values(tensorsOf(call)).every(
        (tensor) => isWritable(tensor) && (format !== 'c' || tensor.data.length > 0),
      ),
    ),
  );
}

const tensorsOf = ({ inputs, constants, ...others }: Call | Case): Tensors => ({
  ...inputs,
  ...constants,
  ...('dy' in others && { dy: others.dy }),
});

/** Of a call that is to be refused, some arguments are no tensors. */
const isWritable = (tensor: Tensor | undefined): boolean =>
  tensor?.shape !== undefined && tensor.data?.length === size(tensor.shape);

/** Every file of a batch, by its path in the directory: the inputs, and cases.json, which says what they are. */
async function filesOf(options: BatchOptions): Promise<{ asked: readonly Asked[]; files: Map<string, Buffer> }> {
  const asked = await questions(options);
  const { format, dtype, layers, kinds, cases, seed } = options;
  const ending = endingOf[format];
  const files = new Map<string, Buffer>();
  const headers = new Map<LayerName, { text: string; names: string[] }>();
  const listed = asked.map(({ id, layer, calls }) => {
    const call = calls.backward ?? calls.forward!;
    const tensors = tensorsOf(call);
    const explicit: object = JSON.parse(spelledOut(optionsOf(layer, call)));
    const name = id.replace(/\W/g, '_');
    if (format !== 'c')
      for (const [k, tensor] of Object.entries(tensors))
        files.set(`${id}/${k}.${ending}`, encode(ending, tensor, dtype));
    else {
      const { text, names } = headers.get(layer) ?? { text: '', names: [] };
      headers.set(layer, {
        text: `${text}/* ${id} */\n${header(name, tensors, explicit)}\n`,
        names: [...names, `CASE("${id}", ${name})`],
      });
    }
    const described = (all: Tensors) =>
      Object.fromEntries(
        Object.entries(all).map(([k, { shape }]) => [
          k,
          format === 'c' ? { array: `${name}_${k}`, shape } : { file: `${id}/${k}.${ending}`, shape },
        ]),
      );
    return {
      ...{ id, layer, directions: directions.filter((each) => each in calls), options: explicit },
      inputs: described(call.inputs),
      ...(call.constants && { constants: described(call.constants) }),
      ...(tensors.dy && described({ dy: tensors.dy })),
      outputs: Object.fromEntries(
        directions.flatMap((each) => (each in calls ? [[each, outputsOf(each, call).map((k) => `${id}/${k}`)]] : [])),
      ),
    };
  });
  for (const [layer, { text, names }] of headers)
    files.set(
      `${layer}.h`,
      Buffer.from(
        `#include <math.h>\n\n${text}#define ${layer}_cases(CASE) \\\n${names.map((each) => `  ${each}`).join(' \\\n')}\n`,
      ),
    );
  const hash = createHash('sha256');
  for (const [path, bytes] of files) hash.update(path).update(bytes);
  const manifest = {
    ...{ format: 'cnn-spec-batch/1', about, inputs: format, dtype, layers, kinds, cases, seed },
    sha256: hash.digest('hex'),
    questions: listed,
  };
  files.set(MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
  return { asked, files };
}

const MANIFEST = 'cases.json';
const about = [
  'write each of outputs as .json {"shape", "data"}, .npy (C order, <f4, <f8 or <i4) or .hex (a line for each number: 8 hexadecimal digits, the bits of a float32, most significant first)',
  'y has the shape of dy, dx that of x; what has to be refused has forward.error and backward.error beside its inputs instead, with any text',
  'what is not there is skipped, which is no pass',
];

const outputsOf = (direction: Direction, { inputs }: Call): readonly string[] =>
  direction === 'forward' ? ['y'] : Object.keys(inputs).map((k) => `d${k}`);

/**
 * Writes the inputs of every question into a directory, never what is expected.
 * @returns how many cases
 * @throws RangeError if the directory holds something
 */
export async function exportBatch(directory: string, options: BatchOptions): Promise<number> {
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new RangeError(`--export is ${JSON.stringify(directory)}, which is not empty, expected a new directory`);
  const { asked, files } = await filesOf(options);
  mkdirSync(directory, { recursive: true });
  for (const { id } of asked) mkdirSync(join(directory, id), { recursive: true }); // for the outputs, where C has no inputs
  for (const [path, bytes] of files) writeFileSync(join(directory, path), bytes);
  return asked.length;
}

/** A directory of outputs as one more implementation: what it answers is what stands there, and all else it skips. */
export class Batch implements Judgeable {
  readonly options: BatchOptions;
  readonly introduction;
  readonly #directory: string;
  readonly #asked: ReadonlyMap<string, Asked>;
  /** The ids of each call. */
  readonly #ids = new Map<string, string[]>();
  #now = '';

  /** @throws RangeError if it is no directory of exportBatch with outputs in it */
  static async open(directory: string): Promise<Batch> {
    const path = join(directory, MANIFEST);
    if (!existsSync(path)) throw new RangeError(`there is no file ${path}, expected a directory that --export has written`); // prettier-ignore
    const text = readFileSync(path, 'utf8');
    const again = (why: string) => new RangeError(`${path} ${why}, expected what --export writes now: export again`);
    let manifest;
    try {
      manifest = JSON.parse(text);
    } catch {
      throw again('is no JSON');
    }
    if (manifest?.format !== 'cnn-spec-batch/1') throw again('has another format');
    const ids = new Set(manifest.questions.map(({ id }: Asked) => id));
    const { inputs: format, dtype, layers, kinds, cases, seed } = manifest;
    const options: BatchOptions = { format, dtype, layers, kinds, cases, seed, asked: (id) => ids.has(id) };
    const { asked, files } = await filesOf(options);
    if (files.get(MANIFEST)!.toString() !== text) throw again('asks something else');
    return new Batch(directory, options, asked);
  }

  private constructor(directory: string, options: BatchOptions, asked: readonly Asked[]) {
    this.#directory = directory;
    this.options = options;
    this.#asked = new Map(asked.map((each) => [each.id, each]));
    for (const { id, layer, calls } of asked)
      for (const direction of directions) {
        const call = calls[direction];
        if (!call) continue;
        const key = keyOf(layer, direction, call);
        this.#ids.set(key, [...(this.#ids.get(key) ?? []), id]);
      }
    const answered = (layer: LayerName) =>
      directions.filter((direction) =>
        asked.some((each) => each.layer === layer && this.#isAnswered(each.id, direction, each.calls[direction])),
      );
    const layers: Partial<Record<LayerName, readonly Direction[]>> = Object.fromEntries(
      options.layers.map((layer) => [layer, answered(layer)] as const).filter(([, all]) => all.length > 0),
    );
    if (Object.keys(layers).length === 0)
      throw new RangeError(
        `${directory} has no outputs, expected such as ${asked[0]?.id}/y with the ending ${endings.map((each) => `.${each}`).join(' or ')}`,
      );
    this.introduction = { name: directory, language: '', dtype: options.dtype, layout: 'NCHW', layers } as const;
  }

  get name(): string {
    return this.introduction.name;
  }

  get u(): number {
    return roundings[this.options.dtype].u;
  }

  has(layer: LayerName, direction: Direction): boolean {
    return this.introduction.layers[layer]?.includes(direction) ?? false;
  }

  /** From now on this is the case that is asked: others may have the same call. */
  at(id: string): void {
    this.#now = id;
  }

  layer(name: LayerName): Layer {
    return {
      u: this.u,
      forward: (call) => this.#answer(name, 'forward', call).y,
      backward: (call) => this.#answer(name, 'backward', call),
    };
  }

  async close(): Promise<void> {}

  #isAnswered(id: string, direction: Direction, call: Call | undefined): boolean {
    const names = call ? [`${direction}.error`, ...outputsOf(direction, call)] : [];
    return names.some((k) => this.#fileOf(id, k) !== undefined);
  }

  /** 'relu/hostile/y.npy', if it is there. */
  #fileOf(id: string, k: string): string | undefined {
    const paths = k.endsWith('.error') ? [`${id}/${k}`] : endings.map((ending) => `${id}/${k}.${ending}`);
    return paths.find((path) => existsSync(join(this.#directory, path)));
  }

  #answer(layer: LayerName, direction: Direction, call: Call | Case): Tensors {
    const ids = this.#ids.get(keyOf(layer, direction, call));
    if (!ids) throw new PortError('skip', 'this call was not exported');
    const id = ids.includes(this.#now) ? this.#now : ids[0];
    const asked = this.#asked.get(id)!.calls;
    const error = this.#fileOf(id, `${direction}.error`);
    if (error !== undefined)
      throw refusal(
        new PortError('refused', readFileSync(join(this.#directory, error), 'utf8').trim()),
        layer,
        direction,
        call,
      );
    const names = outputsOf(direction, call);
    const paths = names.map((k) => this.#fileOf(id, k));
    if (paths.every((path) => path === undefined)) throw new PortError('skip', `has no ${names.join(', ')}`);
    const { inputs, dy } = { dy: undefined, ...(asked.backward ?? asked.forward!) };
    return Object.fromEntries(
      names.map((k, i) => {
        const path = paths[i];
        if (path === undefined) throw new PortError('broken', `${id} has no file ${k}, expected ${names.join(', ')}`);
        const { shape } = (k === 'y' ? dy : inputs[k.slice(1)]) ?? {};
        return [k, decode(path, readFileSync(join(this.#directory, path)), this.options.dtype, shape)];
      }),
    );
  }
}

/** A call, to find it by. */
function keyOf(layer: LayerName, direction: Direction, call: Call | Case): string {
  const all = (tensors: Tensors = {}) =>
    Object.fromEntries(Object.entries(tensors).map(([k, tensor]) => [k, tensor && { ...tensor, data: [...(tensor.data ?? [])] }])); // prettier-ignore
  const { inputs, constants, dy } = { constants: {}, dy: undefined, ...call };
  const tensors = {
    inputs: all(inputs),
    constants: all(constants),
    ...(direction === 'backward' && dy && all({ dy })),
  };
  return request(0, layer, direction, tensors as never, optionsOf(layer, call));
}
