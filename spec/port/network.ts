import { implementations, type LayerName, type Layers } from '../../src/layers.ts';
import { initialize } from '../../src/initialize.ts';
import { lenet5, resnet18 } from '../../src/models/index.ts';
import { backward, forward, layersOf, type Model, type Node, type Nodes } from '../../src/network.ts';
import { map } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import { expectTensor } from '../close.ts';
import { answer, diagnose, sentenceOf, type Answer } from '../diagnose.ts';
import { layerOf, type Call, type Case } from '../law.ts';
import { specifications } from '../specify.ts';
import { check, type Judgeable } from './check.ts';
import { directions, layerNames, PortError, roundings, type Direction } from './protocol.ts';

/**
 * The networks that a port is asked, layer by layer. Of resnet18 the sides and widths are small and different, and no batch
 * norm sees fewer than 8 numbers of a channel: of 2 it would make ±1, whatever they are, and the gradients would end there.
 */
export const networks: readonly Model[] = [
  lenet5(),
  resnet18({ input: [3, 40, 56], widths: [4, 6, 8, 10], classes: 5, dropout: 0.25 }),
];
const IMAGES = 2;

/** `unclaimed`, `skipped` and `not asked`: the definition computed it. */
export type Outcome = 'right' | 'wrong' | 'unanswered' | 'skipped' | 'unclaimed' | 'not asked';

/** What became of one layer of a network, given what the definition made of all others. */
export interface LayerVerdict {
  /** 'layer1.0.conv1' */
  readonly name: string;
  readonly layer: LayerName;
  readonly outcomes: Readonly<Record<Direction, Outcome>>;
}

export interface NetworkVerdict {
  readonly model: string;
  /** In the order in which x goes through them. */
  readonly layers: readonly LayerVerdict[];
  /** 'the first wrong layer of lenet5 is …', or undefined if none is. */
  readonly firstWrong?: string;
  /** The same mistake at its smallest, and the known bug by its name. */
  readonly report?: string;
  /** Why layers were skipped, each reason once. */
  readonly skips: readonly string[];
  /** How far the network is from the definition's where each layer is given what the port made of the one before. */
  readonly endToEnd: string;
  /** How many calls were answered, rightly or not. */
  readonly asked: number;
  readonly right: boolean;
  /** Whether something that was said is no answer at all. */
  readonly broken: boolean;
}

export interface NetworkOptions {
  readonly seed: number;
  readonly models?: readonly Model[];
  /** Told of every layer, before it is asked. */
  readonly progress: (model: string, share: number, layer: string) => void;
}

/** After so many layers without an answer the rest of a network is not asked. */
const PATIENCE = 3;

/** One call of one layer, on the way through a network. */
interface Question {
  readonly node: Node;
  readonly layer: LayerName;
  readonly direction: Direction;
  readonly call: Call | Case;
}

type Outputs = Readonly<Record<string, Tensor>>;

/** The verdicts on a port, one network after the other. */
export async function* checkNetworks(port: Judgeable, options: NetworkOptions): AsyncGenerator<NetworkVerdict> {
  const explained = new Map<string, string>();
  for (const model of options.models ?? networks) yield await judge(port, model, options, explained);
}

async function judge(
  port: Judgeable,
  model: Model,
  { seed, progress }: NetworkOptions,
  explained: Map<string, string>,
): Promise<NetworkVerdict> {
  const round = port.u === roundings.float32.u ? Math.fround : (value: number) => value;
  const nodes = withOwnOptions(model.nodes);
  const nodeOf = new Map(layersOf({ nodes }).map((node) => [node.options!, node]));
  const { x, parameters, dlogits } = drawn(model, seed, round);
  /** A whole network, forward and backward, whose every call is answered by `ask`. */
  const run = (ask: (question: Question) => Outputs) => {
    const layers = asking(ask, nodeOf);
    const { y, tape } = forward(layers, { nodes }, parameters, x, { training: random(seed, 3) });
    return { y, dx: backward(layers, tape, dlogits(y)).dx };
  };
  const defined = ({ layer, direction, call }: Question) => {
    const { outputs } = answer(layerOf(implementations.naive, layer), direction, call);
    if (outputs instanceof Error) throw outputs; // the networks are ours: this is a defect
    return outputs;
  };
  let count = 0;
  const show = ({ node, direction }: Question) =>
    progress(model.name, count++ / (4 * nodeOf.size), `${node.name} ${direction}`);

  const found: (Question & { outcome: Outcome; given?: Answer; message?: string; tolerance: number })[] = [];
  const skips = new Set<string>();
  const layerByLayer = (question: Question): Outputs => {
    const { node, layer, direction } = question;
    const call = mapCall(question.call, (tensor) => map(tensor, round));
    const right = defined({ ...question, call });
    const is = (outcome: Outcome, more: { given?: Answer; message?: string; tolerance?: number } = {}) => {
      found.push({ ...question, call, outcome, tolerance: 0, ...more });
      return right;
    };
    show(question);
    if (!port.has(layer, direction)) return is('unclaimed');
    if (found.filter(({ outcome }) => outcome === 'unanswered').length >= PATIENCE) return is('not asked');
    const given = answer(port.layer(layer), direction, call);
    if (given.outputs instanceof PortError && given.outputs.failure === 'skip') {
      skips.add(`${layer}: ${given.outputs.message}`);
      return is('skipped');
    }
    if (given.outputs instanceof Error) {
      const refused = !(given.outputs instanceof PortError) || given.outputs.failure === 'refused';
      return is(refused ? 'wrong' : 'unanswered', { given, message: `${port.name} ${given.outputs.message}` });
    }
    const tolerances = tolerancesOf(question.layer, direction, call, right, port.u);
    const tolerance = Math.max(...Object.values(tolerances));
    try {
      for (const [k, want] of Object.entries(right))
        expectTensor(`${node.name} ${k}`, given.outputs[k], want, tolerances[k]);
      return is('right');
    } catch (error) {
      return is('wrong', { given, message: (error as Error).message, tolerance });
    }
  };
  run(layerByLayer);

  const isRed = ({ outcome }: { outcome: Outcome }) => outcome === 'wrong' || outcome === 'unanswered';
  const first = found.find(isRed);
  const patient = !found.some(({ outcome }) => outcome === 'not asked');
  const whole = patient ? endToEnd() : { sentence: 'it was not asked end to end', right: false };
  const outcomeOf = (node: Node, direction: Direction) =>
    found.find((each) => each.node === node && each.direction === direction)!.outcome;
  return {
    model: model.name,
    layers: [...nodeOf.values()].map((node) => ({
      ...{ name: node.name, layer: node.layer },
      outcomes: { forward: outcomeOf(node, 'forward'), backward: outcomeOf(node, 'backward') },
    })),
    ...(first && {
      firstWrong: `the first wrong layer of ${model.name} is ${first.node.name} (${first.layer}), ${first.direction}: ${first.message}`,
      report: await reportOf(first),
    }),
    ...{ skips: [...skips], endToEnd: whole.sentence },
    asked: found.filter(({ outcome }) => outcome === 'right' || outcome === 'wrong' || outcome === 'unanswered').length,
    right: !first && whole.right,
    broken: found.some(({ given }) => given?.outputs instanceof PortError && given.outputs.failure === 'broken'),
  };

  /** The network of the port's own numbers. */
  function endToEnd(): { sentence: string; right: boolean } {
    let asked: Question | undefined;
    const portAnswers = (question: Question): Outputs => {
      show(question);
      const { node, layer, direction, call } = (asked = question);
      const usual = found.find((each) => each.node === node && each.direction === direction)!;
      if (usual.outcome === 'unclaimed' || usual.outcome === 'skipped') return defined(question);
      const { outputs } = answer(port.layer(layer), direction, call);
      if (outputs instanceof Error) throw outputs;
      return outputs;
    };
    const right = run(defined);
    try {
      const given = run(portAnswers);
      const [y, dx] = (['y', 'dx'] as const).map((k) => distance(given[k], right[k]));
      return {
        sentence: `end to end its last y is within ${y.toExponential(1)}, its first dx within ${dx.toExponential(1)} of the definition's, in parts of the largest number`,
        right: y <= Math.sqrt(port.u) && dx <= AT_KINKS,
      };
    } catch (error) {
      if (!asked) throw error;
      const { node, layer, direction } = asked;
      const sentence = `end to end it does not come beyond ${node.name} (${layer}), ${direction}: ${(error as Error).message}`;
      return { sentence, right: false };
    }
  }

  /** Nothing of the size of a network is made smaller: the layer's own cases, small from the start, are asked instead. */
  async function reportOf({ layer, direction, given, tolerance, node }: (typeof found)[number]): Promise<string> {
    const [key, here] = [`${layer} ${direction}`, `${node.name} of ${model.name}`];
    const before = explained.get(key);
    if (before !== undefined) return `${key}: as at ${before}`;
    explained.set(key, here);
    const one: Judgeable = {
      ...{ name: port.name, u: port.u },
      has: (_, each) => each === direction,
      layer: (each) => port.layer(each),
    };
    const own = { layers: [layer], kinds: ['fixtures', 'random'] as const, cases: 100, seed, asked: () => true };
    for await (const { report } of check(one, { ...own, progress: (name, share, id) => progress(name, share, id) }))
      if (report !== undefined) return report;
    const { cases } = specifications.get(layer)!;
    const compare = { mode: 'relative', rtol: 0, atol: tolerance, reason: 'that of this layer' } as const;
    const judged = { name: layer, implementation: port.name, layer: port.layer(layer), compare, cases };
    const known = given && !(given.outputs instanceof Error) ? await diagnose([given], judged, compare) : undefined;
    const small = `Its fixtures and ${own.cases} random cases of ${layer} pass: it goes wrong at this size, or on such numbers, alone.`;
    return known ? `${small}\n${sentenceOf(known)}` : small;
  }
}

/** Where rounding takes a number to the other side of a kink, its gradient goes another way: dx is compared roughly. */
const AT_KINKS = 0.1;

/** A model whose every layer has an options object of its own: a call is known by it. */
const withOwnOptions = (nodes: Nodes): Nodes =>
  nodes.map((node) =>
    'layer' in node
      ? { ...node, options: { ...node.options } }
      : { ...node, body: withOwnOptions(node.body), shortcut: withOwnOptions(node.shortcut) },
  );

/** All layers as functions that hand what they are called with to `ask`. */
function asking(ask: (question: Question) => Outputs, nodeOf: ReadonlyMap<object, Node>): Layers {
  const functions = layerNames.flatMap((layer) =>
    directions.map((direction) => {
      const call = (...args: unknown[]) => {
        const node = nodeOf.get(args.at(-1) as object)!;
        const given = args.slice(direction === 'backward' ? 1 : 0, -1) as Tensor[];
        const names = ['x', ...Object.keys(node.parameters ?? {}), ...Object.keys(node.zero ?? {})];
        const inputs = Object.fromEntries(names.map((k, i) => [k, given[i]]));
        const [mask] = given.slice(names.length);
        const outputs = ask({
          ...{ node, layer, direction },
          call: {
            ...{ inputs, ...(mask && { constants: { mask } }), options: node.options! },
            ...(direction === 'backward' && { dy: args[0] as Tensor }),
          },
        });
        return direction === 'backward' ? outputs : outputs.y;
      };
      return [direction === 'backward' ? `${layer}Backward` : layer, call] as const;
    }),
  );
  return Object.fromEntries(functions) as unknown as Layers;
}

/** Images, parameters and a gradient of the logits. Biases, gamma and beta are no 0 and 1: those would hide mistakes. */
function drawn(model: Model, seed: number, round: (value: number) => number) {
  const [images, weights] = [0, 1].map((stream) => random(seed, stream));
  const normal = (shape: readonly number[], { normal }: typeof images): Tensor => ({
    ...{ shape, data: Float64Array.from({ length: size(shape) }, () => round(normal())) },
  });
  const parameters = Object.entries(initialize(model, weights)).map(([name, tensor]) => {
    const vector = tensor.shape.length === 1;
    return [name, map(tensor, (value) => round(vector ? value + (weights.uniform() - 0.5) / 2 : value))] as const;
  });
  return {
    x: normal([IMAGES, ...model.input], images),
    parameters: Object.fromEntries(parameters),
    dlogits: ({ shape }: Tensor) => normal(shape, random(seed, 2)),
  };
}

const mapCall = (call: Call | Case, change: (tensor: Tensor, k: string) => Tensor): Call | Case => {
  const all = (tensors: Call['inputs']) =>
    Object.fromEntries(Object.entries(tensors).map(([k, tensor]) => [k, change(tensor, k)]));
  return {
    ...call,
    inputs: all(call.inputs),
    ...(call.constants && { constants: all(call.constants) }),
    ...('dy' in call && { dy: change(call.dy, 'dy') }),
  };
};

/** How often the inputs are moved, and how many times as far as then an output may lie. */
const [MOVES, TIMES] = [4, 64];

/** Here x decides which numbers pass, which is no matter of rounding. */
const piecewise: readonly LayerName[] = ['relu', 'leakyRelu', 'maxPool2d'];

/**
 * How far from the definition's an honest answer may lie. A good algorithm gives nearly the answer to inputs that are a few
 * roundings off, and more of them the longer its sums are: about √n where n numbers are added up one after the other. So
 * every input is moved by 2u of itself, up or down, and 64 times the largest change of an output is allowed: n = 4,096. (The
 * longest sums here have 1,120 numbers, and need 6 in float32, measured.) A mistake is some 10⁻³ of the numbers that are
 * added up, or more; this is some 10⁻⁵.
 */
function tolerancesOf(layer: LayerName, direction: Direction, call: Call | Case, right: Outputs, u: number) {
  const { uniform } = random(0);
  const moved = (tensor: Tensor) => map(tensor, (value) => value * (1 + (uniform() < 0.5 ? -2 : 2) * u));
  const moves = (k: string) => k !== 'mask' && !(k === 'x' && direction === 'backward' && piecewise.includes(layer));
  const most: Record<string, number> = Object.fromEntries(Object.keys(right).map((k) => [k, 0]));
  for (let i = 0; i < MOVES; i++) {
    const near = mapCall(call, (tensor, k) => (moves(k) ? moved(tensor) : tensor));
    const { outputs } = answer(layerOf(implementations.vectorized, layer), direction, near); // naive takes 3 times as long
    if (outputs instanceof Error) throw outputs;
    for (const [k, { data }] of Object.entries(outputs))
      most[k] = data.reduce((so, value, at) => Math.max(so, TIMES * Math.abs(value - right[k].data[at])), most[k]);
  }
  return most;
}

/** The largest difference, as a part of the largest number that is expected. */
function distance(given: Tensor, expected: Tensor): number {
  const differences = given.data.map((value, i) => Math.abs(value - expected.data[i]));
  const largest = (data: Float64Array) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(differences) / largest(expected.data);
}

const marks: Readonly<Record<Outcome, string>> = {
  ...{ right: '✓', wrong: '✗', unanswered: '✗ unanswered', skipped: 'skipped' },
  ...{ unclaimed: 'not claimed', 'not asked': 'not asked' },
};

/** A line for each layer, and what there is to say below. */
export function networkTable({ model, layers, skips, endToEnd, ...verdict }: NetworkVerdict): string {
  const rows = [
    [model, 'layer', ...directions],
    ...layers.map(({ name, layer, outcomes }) => [name, layer, ...directions.map((each) => marks[outcomes[each]])]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row
      .map((text, i) => text.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  );
  const has = (outcome: Outcome) =>
    layers.some(({ outcomes }) => directions.some((each) => outcomes[each] === outcome));
  const notes = [
    ...(has('unclaimed') ? ['not claimed: computed by the reference'] : []),
    ...skips.map((why) => `skipped: computed by the reference: ${why}`),
    ...(has('not asked') ? [`not asked: ${PATIENCE} layers before had no answer`] : []),
    endToEnd,
    ...(verdict.firstWrong === undefined ? [] : [verdict.firstWrong, '', verdict.report!]),
  ];
  return `${lines.join('\n')}\n\n${notes.join('\n')}\n`;
}
