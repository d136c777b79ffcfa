import { readdirSync, readFileSync } from 'node:fs';
import type { Model, Parameters } from '../src/network.ts';
import { readSafetensors } from '../src/safetensors.ts';
import type { Tensor } from '../src/tensor.ts';
import type { TrainOptions } from '../src/train.ts';
import type { Compare } from './close.ts';
import type { ExactStep } from './exact.ts';
import type { Call, Case } from './law.ts';

/** What every case of a fixture file has. */
interface Golden {
  readonly id: string;
  readonly title: string;
  /** The ids of the known bugs that the case fails under. */
  readonly flags?: readonly string[];
}

/** A case whose answer is known from outside this repository. golden/README.md describes the format. */
export interface GoldenCase extends Golden, Case {
  readonly tier: 'exact' | 'real' | 'special' | 'trace' | 'default';
  /** Every option that `options` leaves to its default (tier default only). */
  readonly resolved?: object;
  readonly y: Tensor;
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** Of a network: the y of every layer, but for the last, and the gradients with respect to each. */
  readonly flow?: readonly Tensor[];
  readonly dflow?: readonly Tensor[];
  /** One for every output, or one for each, by name. */
  readonly compare: Compare | Readonly<Record<string, Compare>>;
  /** Why y has no slope here: the gradients are then a convention, and the gradient law does not apply. */
  readonly kink?: string;
  /** Why differences of float64 results do not show the slope: the gradient law does not apply. */
  readonly steep?: string;
  /** The sign of zero counts. */
  readonly signedZeros?: true;
  /** Why the case is one for float64 alone: float32 is not asked. */
  readonly float64?: string;
  /** Who worked the expected values out, where exact arithmetic cannot: NaN, −0, infinities. */
  readonly worked?: string;
}

/** A call that is an error, forward and backward. */
export interface GoldenInvalid extends Golden, Call {
  readonly tier: 'invalid';
  /** The message, word by word. */
  readonly error: string;
}

/** Steps of an optimizer whose results are known from outside this repository. */
export interface GoldenSteps extends Golden {
  readonly optimizer: string;
  /** Before the first step. */
  readonly parameters: Readonly<Record<string, Tensor>>;
  /** For each parameter one gradient after the other: (steps, …its shape). */
  readonly gradients: Readonly<Record<string, Tensor>>;
  readonly options: object;
  /** Each parameter after every step: (steps, …its shape). */
  readonly after: Readonly<Record<string, Tensor>>;
  /** What is remembered after the last step: 'conv1.weight.velocity'. */
  readonly state: Readonly<Record<string, Tensor>>;
  readonly compare: GoldenCase['compare'];
}

/** The running statistics of a batch norm over some batches, known from outside this repository. */
export interface GoldenRunning extends Golden {
  /** Before the first batch. */
  readonly running: { readonly mean: Tensor; readonly variance: Tensor };
  /** One batch after the other: (steps, …). */
  readonly x: Tensor;
  readonly options: object;
  /** After every batch: (steps, C). */
  readonly after: { readonly mean: Tensor; readonly variance: Tensor };
  readonly float64?: GoldenCase['float64'];
  readonly compare: Compare;
}

/** A model that learns the first digits of golden/mnist by plain SGD, as another program saw it. */
export interface GoldenCurve extends Golden, Pick<TrainOptions, 'epochs' | 'batch' | 'seed'> {
  readonly model: string;
  readonly images: number;
  readonly rate: number;
  /** The mean loss of every epoch. */
  readonly losses: Tensor;
  readonly testAccuracy: number;
  readonly compare: Compare;
}

/** A call of a function of src/, and what it gives. golden/README.md says how bytes, files and random numbers are written. */
export interface GoldenFunction extends Golden {
  readonly tier: 'trace' | 'default' | 'invalid';
  readonly function: string;
  readonly arguments: readonly unknown[];
  readonly result?: unknown;
  readonly compare?: Compare;
  /** What is wrong with the call (tier invalid only). */
  readonly error?: string;
}

/** A set of pictures as JSON has it. */
export interface GoldenImages {
  readonly shape: readonly number[];
  readonly pixels: { readonly bytes: string };
  readonly labels: { readonly bytes: string };
}

/** A network that learns a few pictures, step by step. */
export interface GoldenTraining extends Golden {
  readonly model: Model;
  /** Before the first step, with the running statistics. */
  readonly parameters: Parameters;
  readonly images: GoldenImages;
  readonly options: Pick<TrainOptions, 'epochs' | 'batch' | 'seed' | 'optimizerOptions' | 'frozen'> & {
    readonly rates: readonly number[];
  };
  /** Of every step the epoch, and the images, the loss of the batch, the loss and the accuracy so far: (steps, 5). */
  readonly steps: Tensor;
  readonly after: Parameters;
  /** What evaluation then makes of other pictures, batch by batch: (batches, 4), without the epoch. */
  readonly test: { readonly images: GoldenImages; readonly batch: number; readonly steps: Tensor };
  readonly compare: Compare;
}

/** A known bug: what is wrong, and public reports of its kind. */
export interface GoldenFlag {
  readonly bug: string;
  readonly seen: readonly string[];
}

export interface GoldenFile<Case = GoldenCase | GoldenInvalid> {
  readonly format: 'cnn-spec/1';
  /** The layer that the cases call, or the layers of the network that they run through; neither for optimizers and statistics. */
  readonly layer?: string;
  readonly network?: readonly ExactStep[];
  readonly source: string;
  /** The known bugs that cases of this file catch, by id. */
  readonly flags?: Readonly<Record<string, GoldenFlag>>;
  /** The SHA-256 sums of the files in which large tensors stand. */
  readonly files?: Readonly<Record<string, string>>;
  readonly cases: readonly Case[];
}

/** The fixtures: compiled, this file lies one folder deeper. */
export const folder = new URL(import.meta.url.endsWith('.ts') ? '../golden/' : '../../golden/', import.meta.url);

/** The fixture files: 'conv2d.json', 'models/page3.json', … */
export const goldenNames: readonly string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.json') && name !== 'schema.json')
  .sort();

export const goldenText = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** The bytes of a file beside golden/<name>. */
export const beside = (name: string, file: string): Uint8Array => readFileSync(new URL(file, new URL(name, folder)));

/**
 * golden/<name>, with every {shape, data} and every {shape, file, name} made a Tensor. Its cases are GoldenSteps in
 * optimizers.json, GoldenRunning in batchStatistics.json, GoldenCurve in models/tanhAvgCurve.json, GoldenFunction in
 * functions.json, GoldenTraining in training.json.
 */
export function goldenFile<Case = GoldenCase | GoldenInvalid>(name: string): GoldenFile<Case> {
  return readGolden(name, goldenText(name));
}

/** The same of a text that may stand in golden/<name>. */
export function readGolden<Case = GoldenCase | GoldenInvalid>(name: string, text: string): GoldenFile<Case> {
  const large = new Map<string, Readonly<Record<string, Tensor>>>();
  const stored = (file: string) => {
    if (!large.has(file)) large.set(file, readSafetensors(file, beside(name, file)).tensors);
    return large.get(file)!;
  };
  return JSON.parse(text, (_, value) => {
    if (value?.shape && value.data) return { shape: value.shape, data: Float64Array.from(value.data, Number) }; // Number reads "-Infinity" and "-0" too
    return value?.shape && value.file ? stored(value.file)[value.name] : value;
  });
}

/** The cases of golden/<layer>.json that have an answer. */
export const answeredCases = (layer: string): readonly GoldenCase[] =>
  goldenFile(`${layer}.json`).cases.flatMap((golden) => ('error' in golden ? [] : [golden]));

/** How near an output of the case has to come. */
export function compareOf({ compare }: Pick<GoldenCase, 'compare'>, output: string): Compare {
  return compare === 'exact' || 'mode' in compare ? (compare as Compare) : compare[output];
}
