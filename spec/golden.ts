import { readdirSync, readFileSync } from 'node:fs';
import type { Tensor } from '../src/tensor.ts';
import type { Compare } from './close.ts';
import type { ExactStep } from './exact.ts';
import type { Case } from './law.ts';

/** A case whose answer is known from outside this repository. golden/README.md describes the format. */
export interface GoldenCase extends Case {
  readonly id: string;
  readonly title: string;
  readonly tier: 'exact' | 'real' | 'special' | 'trace' | 'default';
  /** Every option that `options` leaves to its default (tier default only). */
  readonly resolved?: object;
  readonly y: Tensor;
  readonly gradients: Readonly<Record<string, Tensor>>;
  /** One for every output, or one for each, by name. */
  readonly compare: Compare | Readonly<Record<string, Compare>>;
  /** Why y has no slope here: the gradients are then a convention, and the gradient law does not apply. */
  readonly kink?: string;
  /** The sign of zero counts. */
  readonly signedZeros?: true;
  /** Who worked the expected values out, where exact arithmetic cannot: NaN, −0, infinities. */
  readonly worked?: string;
}

export interface GoldenFile {
  readonly format: 'cnn-spec/1';
  /** The layer that the cases call, or the layers of the network that they run through. */
  readonly layer?: string;
  readonly network?: readonly ExactStep[];
  readonly source: string;
  readonly cases: readonly GoldenCase[];
}

const folder = new URL('../golden/', import.meta.url);

/** The fixture files: 'conv2d.json', 'models/page3.json', … */
export const goldenNames: readonly string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((name) => name.replaceAll('\\', '/'))
  .filter((name) => name.endsWith('.json') && name !== 'schema.json')
  .sort();

export const goldenText = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

/** golden/<name>, with every {shape, data} made a Tensor. */
export function goldenFile(name: string): GoldenFile {
  return JSON.parse(goldenText(name), (_, value) =>
    value?.shape && value?.data
      ? { shape: value.shape, data: Float64Array.from(value.data, Number) } // Number reads "-Infinity" and "-0" too
      : value,
  );
}

/** How near an output of the case has to come. */
export function compareOf({ compare }: GoldenCase, output: string): Compare {
  return compare === 'exact' || 'mode' in compare ? (compare as Compare) : compare[output];
}
