import { answeredCases, type GoldenCase } from '../spec/golden.ts';
import { layerOf, type Call, type Case } from '../spec/law.ts';
import { layerNames } from '../spec/port/protocol.ts';
import { implementations, type LayerName } from '../src/layers.ts';
import { tensor, type Tensor } from '../src/tensor.ts';
import { interesting } from './explanation.ts';
import { oneOf, readWhole } from './script.ts';

/** Small calls that show what a layer can do. Of other layers it is the first fixture. */
const examples: Readonly<Partial<Record<LayerName, string>>> = {
  conv2d: 'edge-vertical-padded-stride-2',
  groupedConv2d: 'multiplier',
  maxPool2d: 'document-4x4-k3s2p1',
  avgPool2d: 'include-pad',
  linear: 'dense',
  relu: 'zero',
  leakyRelu: 'zero',
  sigmoid: 'hostile',
  softmaxCrossEntropy: 'hostile',
};

/** What the command line says of it. */
export interface Asked {
  /** The name of a fixture. */
  readonly case?: string | undefined;
  /** A call of the user's own, as JSON, or the file where it stands. */
  readonly input?: string | undefined;
  /** 'y', or a gradient. */
  readonly of: string;
  /** '0,0,1,2' */
  readonly at?: string | undefined;
}

/**
 * The number that the command line asks for: the call, the output and the index.
 * @throws RangeError in one sentence, of what there is
 */
export async function numberToExplain(
  layer: LayerName,
  asked: Asked,
): Promise<{ call: Call | Case; output: string; index: readonly number[] }> {
  if (asked.case !== undefined && asked.input !== undefined)
    throw new RangeError('--case and --input are both there, expected one of them');
  const call = asked.input === undefined ? fixture(layer, asked.case) : ownCall(layer, asked.input);
  const { shape } = outputOf(layer, call, asked.of);
  const index = asked.at === undefined ? await interesting(layer, call, asked.of) : indexIn(asked.of, shape, asked.at);
  return { call, output: asked.of, index };
}

/**
 * The one layer that is named.
 * @throws RangeError
 */
export function layerIn(named: readonly string[]): LayerName {
  const [layer] = named;
  const expected = `expected one of ${layerNames.join(', ')}`;
  if (named.length !== 1)
    throw new RangeError(`${named.length === 0 ? 'no layer is' : `${named.length} layers are`} named, ${expected}`);
  if (!isLayer(layer)) throw new RangeError(`there is no layer ${JSON.stringify(layer)}, ${oneOf(layerNames, layer)}`);
  return layer;
}

const isLayer = (name: string): name is LayerName => (layerNames as readonly string[]).includes(name);

const shapeText = ([name, { shape }]: readonly [string, Tensor]) => `${name} (${shape.join(', ')})`;

/** The fixtures of a layer: name, title and shapes. */
export function list(layer: LayerName): string {
  return answeredCases(layer)
    .map(({ id, title, inputs, constants, y }) => {
      const shapes = Object.entries({ ...inputs, ...constants, y }).map(shapeText);
      return `${id.slice(layer.length + 1)}\n    ${title}\n    ${shapes.join('   ')}\n`;
    })
    .join('');
}

function fixture(layer: LayerName, named: string | undefined): GoldenCase {
  const cases = answeredCases(layer);
  const id = `${layer}/${(named ?? examples[layer] ?? cases[0].id).replace(`${layer}/`, '')}`;
  const found = cases.find((golden) => golden.id === id);
  if (found) return found;
  const names = cases.map((golden) => golden.id.slice(layer.length + 1)).join(', ');
  throw new RangeError(`${layer} has no case ${JSON.stringify(named)}, expected one of ${names}`);
}

/**
 * A call that the user wrote.
 * @throws RangeError that says what is missing, or should not be there
 */
function ownCall(layer: LayerName, given: string): Call | Case {
  const isFile = !given.trimStart().startsWith('{');
  const what = isFile ? given : '--input';
  const text = isFile ? new TextDecoder().decode(readWhole(given, 'a JSON file, or JSON itself')) : given;
  const { inputs, constants } = answeredCases(layer)[0];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`${what} is no JSON: ${(error as Error).message}`);
  }
  const call = objectOf(what, parsed);
  return {
    inputs: tensors(what, 'inputs', call.inputs, Object.keys(inputs)),
    ...(constants && { constants: tensors(what, 'constants', call.constants, Object.keys(constants)) }),
    options: objectOf(`${what}: options`, call.options ?? {}),
    ...(call.dy !== undefined && { dy: tensorOf(`${what}: dy`, call.dy) }),
  };
}

function objectOf(what: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new RangeError(`${what} is ${JSON.stringify(value) ?? 'not there'}, expected an object`);
  return value as Readonly<Record<string, unknown>>;
}

/** In the order of the layer's arguments. */
function tensors(what: string, key: string, value: unknown, names: readonly string[]): Record<string, Tensor> {
  const given = objectOf(`${what}: ${key}`, value);
  if (Object.keys(given).toSorted().join() !== names.toSorted().join())
    throw new RangeError(`${what}: ${key} has ${Object.keys(given).join(', ') || 'nothing'}, expected ${names.join(', ')}`);
  return Object.fromEntries(names.map((name) => [name, tensorOf(`${what}: ${name}`, given[name])]));
} // prettier-ignore

function tensorOf(what: string, value: unknown): Tensor {
  if (Array.isArray(value) || typeof value === 'number')
    try {
      return tensor(value as never);
    } catch (error) {
      if (error instanceof RangeError) throw new RangeError(error.message.replace(/^tensor/, what));
      throw error;
    }
  const { shape, data } = objectOf(what, value);
  if (!Array.isArray(shape) || !Array.isArray(data))
    throw new RangeError(`${what} has no shape or no data, expected nested arrays or { "shape", "data" }`);
  return { shape, data: Float64Array.from(data, Number) }; // Number reads "-Infinity" and "-0" too
}

/** An output of the call. */
function outputOf(layer: LayerName, call: Call | Case, name: string): Tensor {
  const definition = layerOf(implementations.naive, layer);
  const y = definition.forward(call);
  if (name === 'y') return y;
  const names = Object.keys(call.inputs).map((input) => `d${input}`);
  if (!names.includes(name))
    throw new RangeError(`--of is ${JSON.stringify(name)}, expected one of y, ${names.join(', ')}`);
  if (!('dy' in call))
    throw new RangeError(`--of is ${name}, which comes from dy: expected dy of shape (${y.shape.join(', ')}) in --input`);
  return definition.backward(call)[name];
} // prettier-ignore

function indexIn(name: string, shape: readonly number[], text: string): readonly number[] {
  const index = text.trim() === '' ? [] : text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
  if (index.length === shape.length && index.every((i, axis) => Number.isInteger(i) && i >= 0 && i < shape[axis]))
    return index;
  const last = shape.map((count) => count - 1).join();
  const expected = shape.length === 0 ? 'nothing: it is one number' : `from ${shape.map(() => 0).join()} to ${last}`;
  throw new RangeError(`--at is ${JSON.stringify(text)}, but ${name} has shape (${shape.join(', ')}), expected ${expected}`);
} // prettier-ignore
