import { answeredCases, type GoldenCase } from '../spec/golden.ts';
import type { Call, Case } from '../spec/law.ts';
import { layerNames } from '../spec/port/protocol.ts';
import { implementations, type LayerName } from '../src/layers.ts';
import { tensor, type Tensor } from '../src/tensor.ts';
import { layerOf } from '../spec/law.ts';
import { explanation, interesting, recomputed } from './explanation.ts';
import { explanationHtml } from './explanationHtml.ts';
import { explanationText } from './explanationText.ts';
import { commandLine, readWhole, script, writable, writeWhole } from './script.ts';

/** How it is called: in the package it is a part of cnn-spec. */
const self = import.meta.url.endsWith('.ts') ? 'npx tsx scripts/explain.ts' : 'npx cnn-spec explain';

const help = `Explains how the definition of a layer computes one number: what goes in, each step, and the line that does it.

  ${self} conv2d
  ${self} conv2d --of dw --at 0,0,1,2
  ${self} conv2d --list
  ${self} maxPool2d --case hostile --html hostile.html
  ${self} softmax --input '{ "inputs": { "x": [[1, 2, 3]] } }'

  --list          the fixtures of the layer, with their shapes; without a layer, the layers
  --case ID       a fixture (default a small one)
  --input JSON    a call of your own instead: a file, or the JSON itself, with inputs and constants by name, options,
                  and, to explain a gradient, dy. A tensor is nested arrays, or { "shape", "data" } as in the fixtures
  --of NAME       y, or the gradient of an input: dx, dw, … (default y)
  --at I,J,…      which number of it (default one that shows much)
  --html FILE     a page instead of text
  --color         in colours, also where stdout is no terminal; --no-color: without
  --help          this text

Exit code 0; 1 if the steps do not give the number, which is a defect of ours; 2 if an argument is wrong.
`;

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

async function main(): Promise<void> {
  const { values, positionals } = commandLine({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      case: { type: 'string' },
      input: { type: 'string' },
      of: { type: 'string', default: 'y' },
      at: { type: 'string' },
      html: { type: 'string' },
      color: { type: 'boolean', default: false },
      'no-color': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.list && positionals.length === 0) return void process.stdout.write(`${layerNames.join('\n')}\n`);
  const [layer] = positionals;
  if (positionals.length !== 1 || !isLayer(layer))
    throw new RangeError(
      positionals.length === 1
        ? `there is no layer ${JSON.stringify(layer)}, expected one of ${layerNames.join(', ')}`
        : `${positionals.length} layers are named, expected one of ${layerNames.join(', ')}`,
    );
  if (values.list) return void process.stdout.write(list(layer));
  if (values.case !== undefined && values.input !== undefined)
    throw new RangeError('--case and --input are both there, expected one of them');
  if (values.color && values['no-color'])
    throw new RangeError('--color and --no-color are both there, expected one of them');
  if (values.html !== undefined) writable('--html', values.html);

  const call = values.input === undefined ? fixture(layer, values.case) : ownCall(layer, values.input);
  const output = outputOf(layer, call, values.of);
  const { shape } = output;
  const index = values.at === undefined ? await interesting(layer, call, values.of) : indexIn(values.of, shape, values.at);
  const explained = await explanation(layer, call, values.of, index);
  if (!Object.is(recomputed(explained), explained.defined)) process.exitCode = 1;
  if (values.html !== undefined) {
    writeWhole(values.html, new TextEncoder().encode(explanationHtml(explained)));
    return void process.stdout.write(`${values.html} explains ${layer}: ${explained.target}\n`);
  }
  const terminal = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(explanationText(explained, values.color || (terminal && !values['no-color'])));
} // prettier-ignore

const isLayer = (name: string): name is LayerName => (layerNames as readonly string[]).includes(name);

const shapeText = ([name, { shape }]: readonly [string, Tensor]) => `${name} (${shape.join(', ')})`;

function list(layer: LayerName): string {
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

await script(self.replace(/^npx |tsx scripts\/|\.ts$/g, ''), main);
