import type { LayerName } from '../../src/layers.ts';
import { implementations } from '../../src/layers.ts';
import { size, type Tensor } from '../../src/tensor.ts';

/** What a port says of itself when it starts. */
export interface Introduction {
  readonly name: string;
  readonly language: string;
  /** The type of its numbers: it decides how near an answer has to come. */
  readonly dtype: keyof typeof roundings;
  /** How it wants images, (N, C, H, W) or (N, H, W, C); and the weights of a convolution. */
  readonly layout: (typeof layouts)[number];
  readonly weights: (typeof weightLayouts)[number];
  /** What it has of each layer. */
  readonly layers: Readonly<Partial<Record<LayerName, readonly Direction[]>>>;
}

export const directions = ['forward', 'backward'] as const;
export type Direction = (typeof directions)[number];

const layouts = ['NCHW', 'NHWC'] as const;
const weightLayouts = ['OIHW', 'OHWI', 'HWIO'] as const;

/** The unit roundoff of each type of numbers, and how a number is rounded to it. */
export const roundings = {
  float64: { u: 2 ** -53, round: (value: number) => value },
  float32: { u: 2 ** -24, round: Math.fround },
} as const;

/** The layers that a port can have: those that have a gradient. */
export const layerNames = Object.keys(implementations.naive).filter(
  (name) => `${name}Backward` in implementations.naive,
) as LayerName[];

/**
 * Why a call has no answer: the port does not do it (skip), refuses it (refused), has ended over it (crashed), has said nothing
 * in time (hung), or what it said is no answer (broken).
 */
export type Failure = 'skip' | 'refused' | 'crashed' | 'hung' | 'broken';

/** An answer that is none, with the sentence that says what came and what was expected. */
export class PortError extends Error {
  readonly failure: Failure;
  constructor(failure: Failure, message: string) {
    super(message);
    this.failure = failure;
  }
}

const broken = (message: string) => new PortError('broken', message);

/** As much of what was said as fits into a sentence. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : jsonOf(value);
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return typeof value === 'string' ? JSON.stringify(short) : short;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'lists in lists, too deep to be shown'; // it can be read, but not written
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @throws PortError if the line is no JSON object */
export function parse(line: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  if (line.startsWith('\ufeff')) throw broken('wrote a byte order mark first, expected UTF-8 without one');
  try {
    value = JSON.parse(line);
  } catch {
    throw broken(`wrote ${quoted(line)}, expected one line of JSON: stdout is for answers, stderr for all else`);
  }
  if (!isObject(value)) throw broken(`wrote ${quoted(line)}, expected a JSON object`);
  return value;
}

/** @throws PortError if it is not what a port says when it starts */
export function introduction(line: string): Introduction {
  const said = parse(line);
  const { protocol, name, language = '', dtype, layout = 'NCHW', weights = 'OIHW', layers } = said;
  if (protocol !== 1) throw broken(`answers start with protocol ${quoted(protocol)}, expected 1`);
  const oneOf = (what: string, value: unknown, expected: readonly string[]) => {
    if (!expected.includes(value as string))
      throw broken(`says ${what} ${quoted(value)}, expected ${expected.map((each) => `"${each}"`).join(' or ')}`);
  };
  if (typeof name !== 'string' || name === '') throw broken(`says name ${quoted(name)}, expected its name`);
  if (typeof language !== 'string') throw broken(`says language ${quoted(language)}, expected its name`);
  oneOf('dtype', dtype, Object.keys(roundings));
  oneOf('layout', layout, layouts);
  oneOf('weights', weights, weightLayouts);
  if (!isObject(layers) || Object.keys(layers).length === 0)
    throw broken(`says layers ${quoted(layers)}, expected such as {"relu":["forward","backward"]}`);
  for (const [layer, has] of Object.entries(layers)) {
    if (!layerNames.includes(layer as LayerName))
      throw broken(`has a layer ${quoted(layer)}, expected one of ${layerNames.join(', ')}`);
    if (!Array.isArray(has) || has.length === 0 || has.some((each) => !directions.includes(each)))
      throw broken(`has ${quoted(has)} of ${layer}, expected ["forward"] or ["forward","backward"]`);
  }
  return { name, language, dtype, layout, weights, layers } as Introduction;
}

/** A call as a port reads it. */
export function request(
  seq: number,
  layer: LayerName,
  direction: Direction,
  tensors: Readonly<Record<'inputs' | 'constants' | 'dy', unknown>>,
  options: object,
): string {
  return JSON.stringify({ cmd: 'run', seq, layer, direction, ...tensors, options }, (_, value) =>
    typeof value === 'number' ? spelled(value) : value,
  );
}

/** NaN, ±∞ and −0 are strings: JSON has none of them. */
const spelled = (value: number) =>
  Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : `${value}`;

export const written = ({ shape, data }: Tensor) => ({ shape, data: Array.from(data) });

const spellings: Readonly<Record<string, number>> = { NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };

/** @throws PortError if the value is no tensor */
export function read(what: string, value: unknown, round: (value: number) => number): Tensor {
  if (!isObject(value) || !Array.isArray(value.shape) || !Array.isArray(value.data))
    throw broken(`answers ${what} ${quoted(value)}, expected {"shape":[…],"data":[…]}`);
  const { shape, data } = value;
  if (shape.some((count) => !Number.isInteger(count) || count < 0))
    throw broken(`answers ${what} of shape ${quoted(shape)}, expected a list of sizes`);
  if (data.length !== size(shape))
    throw broken(
      `answers ${what} of shape (${shape.join(', ')}) with ${data.length} numbers, expected ${size(shape)} of them`,
    );
  const numbers = Float64Array.from(data as unknown[], (each, i) => {
    if (typeof each === 'number') return round(each);
    if (typeof each === 'string' && Object.hasOwn(spellings, each)) return spellings[each];
    throw broken(
      `answers ${what}.data[${i}] ${quoted(each)}, expected a number or "NaN", "Infinity", "-Infinity", "-0"`,
    );
  });
  return { shape: shape as number[], data: numbers };
}
