import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { LayerName, Layers } from '../src/layers.ts';
import type { Tensor } from '../src/tensor.ts';
import { layerOf, type Call, type Case } from './law.ts';
import type { Edit } from './plant.ts';
import { planted } from './planted.ts';

/** What a definition reads and writes while it computes, in that order. */
interface Event {
  readonly does: 'get' | 'set' | 'accumulate';
  readonly tensor: Tensor;
  readonly index: readonly number[];
  readonly value: number;
}

/** Edits of tensor.ts under which every access of an element is told to `globalThis.cnnSpecAccess`. */
const told = (does: Event['does'], value: string, find: string): Edit => ({
  ...{ file: 'tensor.ts', within: does, find },
  put: `globalThis.cnnSpecAccess?.({ does: '${does}', tensor: x, index, value: ${value} }); ${find}`,
});
export const tellingEdits: readonly Edit[] = [
  told('get', 'x.data[position(x, index)]', 'return x.data[position(x, index)];'),
  told('set', 'value', 'x.data[position(x, index)] = value;'),
  told('accumulate', 'value', 'x.data[position(x, index)] += value;'),
  {
    ...{ file: 'tensor.ts', within: 'getOr', find: 'return leaves ?' },
    put: "if (leaves) globalThis.cnnSpecAccess?.({ does: 'get', tensor: x, index, value: outside }); return leaves ?",
  },
];
let telling: Promise<Layers> | undefined;
const tellingLayers = () => (telling ??= planted<Layers>('telling', tellingEdits, 'naive/index.ts'));

/** Runs the definition and collects what it does. */
async function eventsOf(name: LayerName, call: Call | Case, backward: boolean) {
  const layer = layerOf(await tellingLayers(), name);
  const events: Event[] = [];
  const hook = globalThis as { cnnSpecAccess?: (event: Event) => void };
  hook.cnnSpecAccess = (event) => events.push(event);
  try {
    const outputs: Readonly<Record<string, Tensor>> = backward
      ? layer.backward(call as Case)
      : { y: layer.forward(call) };
    return { events, outputs };
  } finally {
    delete hook.cnnSpecAccess;
  }
}

const MOST = 24; // lines: more than fit on a screen explain nothing

/**
 * How the definition computes one element of y or of a gradient: its formula, then line by line the numbers that go in, and
 * what comes out. Where a window reaches beyond the image the line says so.
 */
export async function arithmetic(
  name: LayerName,
  given: Call | Case,
  output: string,
  index: readonly number[],
): Promise<string> {
  const { inputs, constants, options } = given;
  const call = output === 'y' ? { inputs, ...(constants && { constants }), options } : given;
  const { events, outputs } = await eventsOf(name, call, output !== 'y');
  const result = outputs[output];
  const at = index.reduce((position, i, axis) => position * result.shape[axis] + i, 0);
  const writes = events.flatMap((event, i) =>
    event.does !== 'get' && event.tensor.data === result.data && flatPosition(event) === at ? [i] : [],
  );
  const target = `${output}[${index.join(', ')}]`;
  const written = writes.flatMap((write) => contribution(events, write, naming(call)));
  const lines = written.length > 0 ? [...new Set(written)] : atTheSamePlace(call, result, at);
  const shown = lines.length > MOST ? [...lines.slice(0, MOST), `… and ${lines.length - MOST} lines more`] : lines;
  return [
    ...formulaOf(name, output === 'y'),
    '',
    target,
    ...shown.map((line) => `    ${line}`),
    `    = ${number(result.data[at])}`,
  ].join('\n');
}

const flatPosition = ({ tensor: { shape }, index }: Event) =>
  index.reduce((position, i, axis) => position * shape[axis] + i, 0);
const number = (value: number) => (Object.is(value, -0) ? '-0' : `${value}`);

/** What an elementwise layer reads, which does without indices: the number at the same place of every argument. */
const atTheSamePlace = (call: Call | Case, { data }: Tensor, at: number) =>
  Object.entries(argumentsOf(call))
    .filter(([, argument]) => argument.data.length === data.length)
    .map(([name, argument]) => `from ${name} = ${number(argument.data[at])}`);

const argumentsOf = (call: Call | Case): Readonly<Record<string, Tensor>> => ({
  ...{ ...call.inputs, ...call.constants },
  ...('dy' in call && { dy: call.dy }),
});

/** Arguments by their names; what a definition makes on its way has none. */
function naming(call: Call | Case) {
  const known = new Map(Object.entries(argumentsOf(call)).map(([name, { data }]) => [data, name]));
  return ({ tensor }: Event) => known.get(tensor.data);
}

/** What one write adds up: products of two numbers, a maximum, a mean, or the numbers that it comes from. */
function contribution(events: readonly Event[], write: number, nameOf: (event: Event) => string | undefined): string[] {
  const { does, tensor, value } = events[write];
  const before = events.slice(0, write).findLastIndex((event) => event.does !== 'get');
  const isArgument = (event: Event) => nameOf(event) !== undefined;
  const reads = events.slice(before + 1, write).filter(isArgument);
  const text = (event: Event) => {
    const name = `${nameOf(event)}[${event.index.join(', ')}]`;
    const outside = event.index.some((i, axis) => i < 0 || i >= event.tensor.shape[axis]);
    return `${name} = ${number(event.value)}${outside ? ' (outside the image)' : ''}`;
  };
  const product = ([a, b]: readonly Event[]) =>
    `${nameOf(a)}[${a.index.join(', ')}] · ${nameOf(b)}[${b.index.join(', ')}] = ${number(a.value)} · ${number(b.value)}` +
    `${a.index.some((i, axis) => i < 0 || i >= a.tensor.shape[axis]) ? ' (outside the image)' : ''}`;
  if (does === 'accumulate') {
    const slope = events.slice(0, write).findLast((event) => nameOf(event) === 'dy');
    const factors = [...reads.filter((event) => event !== slope), ...(slope ? [slope] : [])];
    const times = factors.reduce((all, event) => all * event.value, 1);
    if (factors.length === 2 && same(times, value)) return [`+ ${product(factors)}`];
    if (slope && same(slope.value, value)) return [`+ ${text(slope)}`];
    if (slope) return [`+ ${number(value)} of ${text(slope)}`];
    return [`+ ${number(value)}`];
  }
  const since = events
    .slice(0, write)
    .findLastIndex((event) => event.does === 'set' && event.tensor.data === tensor.data);
  const all = events.slice(since + 1, write).filter(isArgument);
  const pairs = (list: readonly Event[]) => list.flatMap((_, i) => (i % 2 ? [[list[i - 1], list[i]]] : []));
  const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);
  if (all.length % 2 === 1) {
    const [first, ...others] = all;
    const products = pairs(others);
    const total = products.reduce((subtotal, [a, b]) => subtotal + a.value * b.value, first.value);
    if (products.length > 0 && same(total, value))
      return [text(first), ...products.map((factors) => `+ ${product(factors)}`)];
  }
  const values = all.map((event) => event.value);
  if (all.length > 1 && same(Math.max(...values), value)) return all.map((event) => `largest of ${text(event)}`);
  if (all.length > 1 && same(sum(values) / Math.round(sum(values) / value), value) && value !== 0)
    return [...all.map((event) => `+ ${text(event)}`), `÷ ${Math.round(sum(values) / value)}`];
  return all.map((event) => `from ${text(event)}`);
}

const same = (a: number, b: number) => a === b || (Number.isNaN(a) && Number.isNaN(b));

/** The formula in the doc comment of a definition: its first indented lines, of a backward its first sentence. */
export function formulaOf(name: LayerName, forward: boolean): string[] {
  const source = readFileSync(new URL(`../src/naive/${name}${extname(import.meta.url)}`, import.meta.url), 'utf8');
  const before = source.slice(0, source.indexOf(`export function ${forward ? name : `${name}Backward`}(`));
  const comment = before.slice(before.lastIndexOf('/**') + 3, before.lastIndexOf('*/'));
  const lines = comment.split('\n').map((line) => line.replace(/^ \* ?/, '').trimEnd());
  if (!forward) return [lines.join(' ').trim().replace(/ {2,}/g, ' ')];
  const first = lines.findIndex((line) => line.startsWith('    '));
  const end = lines.findIndex((line, i) => i > first && line === '');
  return lines.slice(first, end).map((line) => line.slice(4));
}
