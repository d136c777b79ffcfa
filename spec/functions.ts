import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { implementations } from '../src/layers.ts';
import { parameterShapes, type Model, type Node, type Nodes } from '../src/network.ts';
import { random, type Random } from '../src/random.ts';
import type { Tensor } from '../src/tensor.ts';
import type { Pair } from '../src/window.ts';
import { allowed, expectTensor, type Allowed } from './close.ts';
import { goldenFile, type GoldenFunction } from './golden.ts';

/** The calls of functions whose ids begin with the name of a part. */
export const functionFixtures = (part: string): readonly GoldenFunction[] =>
  goldenFile<GoldenFunction>('functions.json').cases.filter(({ id }) => id.startsWith(`${part}/`));

/** @throws AssertionError if a function of the module does not give what the fixture says */
export async function expectFunction(module: object, golden: GoldenFunction, u = 2 ** -53): Promise<void> {
  const directories: string[] = [];
  try {
    const args = golden.arguments.map((argument) => revived(argument, directories));
    const call = async () => (calls[golden.function] ?? plain(golden.function))(module as never, ...(args as never[]));
    if (golden.error !== undefined) await assert.rejects(call, RangeError, golden.error);
    else expectValue('result', await call(), revived(golden.result, directories), allowed(golden.compare!, u));
  } finally {
    for (const directory of directories) rmSync(directory, { recursive: true });
  }
}

/** A value as JSON has it: bytes, files and random numbers made what they stand for. */
function revived(value: unknown, directories: string[]): unknown {
  if (typeof value !== 'object' || value === null || isTensor(value)) return value;
  if (Array.isArray(value)) return value.map((part) => revived(part, directories));
  if ('bytes' in value) return Uint8Array.from(Buffer.from(value.bytes as string, 'hex'));
  if ('gzip' in value) return Uint8Array.from(gunzipSync(Buffer.from(value.gzip as string, 'base64')));
  if ('seed' in value) return random(value.seed as number, (value as { stream?: number }).stream);
  const parts = Object.entries(value).map(([key, part]) => [key, revived(part, directories)] as const);
  if (!('files' in value)) return Object.fromEntries(parts);
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-files-'));
  directories.push(directory);
  for (const [name, bytes] of Object.entries(parts[0][1] as Record<string, Uint8Array>))
    writeFileSync(join(directory, name), bytes);
  return directory;
}

const isTensor = (value: object): value is Tensor => 'data' in value && value.data instanceof Float64Array;

/** The export of that name, called if it is a function. */
const plain =
  (name: string) =>
  (module: Readonly<Record<string, unknown>>, ...args: readonly unknown[]): unknown => {
    const value = module[name];
    const result = typeof value === 'function' ? value(...args) : value;
    return isModel(result) ? described(result) : result;
  };

/** What is no plain call of a function of that name. */
const calls: Readonly<Record<string, (module: never, ...args: never[]) => unknown>> = {
  random({ random }: { random: (seed: number, stream: number) => Random }, seed: number, stream: number, draws: Draws) {
    const { uniform, normal, shuffled } = random(seed, stream);
    const drawn = (count: number, next: () => number): Tensor => ({
      shape: [count],
      data: Float64Array.from({ length: count }, next),
    });
    return {
      uniform: drawn(draws.uniform, uniform),
      normal: drawn(draws.normal, normal),
      shuffled: draws.shuffled.map((count) => [...shuffled(count)]),
    };
  },
  batchOf: ({ batchOf }: typeof import('../src/data/images.ts'), images: never, positions: number[]) =>
    batchOf(images, Uint32Array.from(positions)),
  batches: ({ batches }: typeof import('../src/data/images.ts'), ...args: [never, number, Random]) => [
    ...batches(...args),
  ],
  predict: ({ predict }: typeof import('../src/predict.ts'), ...args: [Model, never, Tensor]) =>
    predict(implementations.vectorized, ...args),
};
interface Draws {
  readonly uniform: number;
  readonly normal: number;
  readonly shuffled: readonly number[];
}

const isModel = (value: unknown): value is Model => typeof value === 'object' && value !== null && 'nodes' in value;

/** A model, layer by layer, with every option that its layers leave to their defaults. */
function described(model: Model): object {
  const { input, normalize = null, initialization = 'heNormal', nodes } = model;
  return { input, normalize, initialization, layers: nodes.map(line), parameters: parameterShapes(model) };
}
type Described = string | { readonly body: readonly Described[]; readonly shortcut: readonly Described[] };
function line(node: Nodes[number]): Described {
  if (!('layer' in node)) return { body: node.body.map(line), shortcut: node.shortcut.map(line) };
  const { layer, options = {}, parameters = {}, running = {}, wholeChannels = false }: Node = node;
  const { kernel = 1, stride, padding = 0, p = 0.5 } = options as Window;
  const window = (size: Pair, otherwise: Pair) =>
    `${layer} ${two(size)} stride ${two(stride ?? otherwise)} padding ${two(padding)}`;
  switch (layer) {
    case 'conv2d':
      return window(parameters.w.slice(2) as [number, number], 1);
    case 'maxPool2d':
    case 'avgPool2d':
      return window(kernel, kernel);
    case 'dropout':
      return `dropout ${p}${wholeChannels ? ' of channels' : ''}`;
    case 'batchNorm':
      return `batchNorm decay ${running.decay ?? 0.9} ${running.unbiased ? 'unbiased' : 'biased'}`;
    default:
      return layer;
  }
}
interface Window {
  readonly kernel?: Pair;
  readonly stride?: Pair;
  readonly padding?: Pair;
  readonly p?: number;
}
const two = (pair: Pair): string => (typeof pair === 'number' ? [pair, pair] : pair).join('×');

/** Tensors as near as allowed, a number as near where a scalar is expected; everything else the same. */
function expectValue(what: string, actual: unknown, expected: unknown, within: Allowed): void {
  if (typeof expected !== 'object' || expected === null) return assert.deepEqual(actual, expected, what);
  if (isTensor(expected)) {
    const scalar = (value: number): Tensor => ({ shape: [], data: Float64Array.of(value) });
    const listed = (values: number[]): Tensor => ({ shape: [values.length], data: Float64Array.from(values) });
    const found = typeof actual === 'number' ? scalar(actual) : Array.isArray(actual) ? listed(actual) : actual;
    return expectTensor(what, found as Tensor, expected, within);
  }
  if (expected instanceof Uint8Array) return expectBytes(what, actual, expected);
  assert.deepEqual(Object.keys(actual as object).sort(), Object.keys(expected).sort(), `the parts of ${what}`);
  for (const [key, part] of Object.entries(expected))
    expectValue(`${what}.${key}`, (actual as Readonly<Record<string, unknown>>)[key], part, within);
}

/** A Buffer is an Uint8Array too. */
function expectBytes(what: string, actual: unknown, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array, `${what} is no Uint8Array`);
  const bytes = (values: Uint8Array): Tensor => ({ shape: [values.length], data: Float64Array.from(values) });
  expectTensor(what, bytes(actual), bytes(expected));
}
