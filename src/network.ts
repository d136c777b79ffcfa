import { dropoutMask } from './dropoutMask.ts';
import type { Initialization } from './initialize.ts';
import type { LayerName, Layers } from './layers.ts';
import type { UpdateRunningOptions } from './naive/batchStatistics.ts';
import type { DropoutOptions } from './naive/dropout.ts';
import { add, ones } from './ndarray.ts';
import type { Random } from './random.ts';
import { size, tensor, zeros, type Tensor } from './tensor.ts';

// ── A network is data ───────────────────────────────────────────────────────

/** One layer of a network. */
export interface Node {
  /** 'conv1': unique among the layers beside it; the body and the shortcut of a block count as one. */
  readonly name: string;
  readonly layer: LayerName;
  /** The shapes of the layer's arguments after x that learn, in order, by the layer's own names: { w, b }. */
  readonly parameters?: Shapes;
  /** The shapes of further arguments, which stay 0: { b: [64] } for a convolution without bias. */
  readonly zero?: Shapes;
  readonly options?: object;
  /** Of a batchNorm: how its running statistics follow those of the batches. */
  readonly running?: UpdateRunningOptions;
  /** Of a dropout: whether it leaves out whole channels. Default false. */
  readonly wholeChannels?: boolean;
}

/** Two branches from the same x: y = body(x) + shortcut(x), where an empty shortcut is x itself. */
export interface Residual {
  /** 'layer1.0': its layers are called 'layer1.0.conv1', … */
  readonly name: string;
  readonly body: Nodes;
  readonly shortcut: Nodes;
}

export type Nodes = readonly (Node | Residual)[];

/** Layers and residual blocks in sequence. The last y are logits; the loss is not part of the model. */
export interface Model {
  readonly name: string;
  /** The shape (C, H, W) of one image. */
  readonly input: readonly number[];
  /** What happens to pixels in [0, 1] before the first layer: (x − mean) / std, channel by channel. Default nothing. */
  readonly normalize?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** How its weights start. Default 'heNormal'. */
  readonly initialization?: Initialization;
  readonly nodes: Nodes;
}

type Shapes = Readonly<Record<string, readonly number[]>>;

/**
 * What a model knows, by the names PyTorch gives it: the parameters, which learn ('conv1.weight', 'conv1.bias'), and the
 * running statistics of batch norm, which follow the batches ('bn1.running_mean', 'bn1.running_var'). Gradients have the
 * names of the parameters.
 */
export type Parameters = Readonly<Record<string, Tensor>>;

/** What PyTorch calls the argument of a layer. */
const WORDS: Readonly<Record<string, string>> = { w: 'weight', b: 'bias', gamma: 'weight', beta: 'bias' };

/** [argument, name of the parameter] of every parameter of a node, in order: ['w', 'conv1.weight'], … */
export const named = ({ name, parameters = {} }: Node) =>
  Object.keys(parameters).map((argument) => [argument, `${name}.${WORDS[argument] ?? argument}`] as const);

/** The names of the running statistics of a batchNorm. */
export const running = ({ name }: Node) => ({ mean: `${name}.running_mean`, variance: `${name}.running_var` });

/** The node with the name it has in the whole model. */
const within = (path: string, node: Node): Node => ({ ...node, name: `${path}${node.name}` });

/**
 * Every layer of a model, in order, with its full name; of two branches the body first.
 * @throws RangeError if two of them have one name: they would share their parameters, and lose a gradient
 */
export function layersOf({ nodes }: Pick<Model, 'nodes'>): readonly Node[] {
  const all = (part: Nodes, path: string): readonly Node[] =>
    part.flatMap((node) =>
      'layer' in node
        ? [within(path, node)]
        : [...all(node.body, `${path}${node.name}.`), ...all(node.shortcut, `${path}${node.name}.`)],
    );
  const layers = all(nodes, '');
  const names = layers.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new RangeError(`network: two layers are called ${twice}, expected a name of its own for each`);
  return layers;
}

/** The shape of every parameter of a model, by name. */
export function parameterShapes(model: Model): Shapes {
  return Object.fromEntries(
    layersOf(model).flatMap((node) => named(node).map(([argument, name]) => [name, node.parameters![argument]])),
  );
}

/** How many numbers the model learns. */
export function parameterCount(model: Model): number {
  return Object.values(parameterShapes(model)).reduce((total, shape) => total + size(shape), 0);
}

/** The running statistics before the first batch: mean 0 and variance 1. */
export function initialStatistics(model: Model): Parameters {
  return Object.fromEntries(
    layersOf(model)
      .filter(({ layer }) => layer === 'batchNorm')
      .flatMap((node) => {
        const { mean, variance } = running(node);
        const { gamma } = node.parameters!;
        return [
          [mean, zeros(gamma)],
          [variance, ones(gamma)],
        ];
      }),
  );
}

// ── Forward and backward ────────────────────────────────────────────────────

/**
 * In training dropout draws its masks, and batch norm takes the statistics of the batch. In evaluation dropout is left
 * out, and batch norm takes the running statistics. Neither changes anything: see updateStatistics.
 */
export type Mode = 'evaluation' | { readonly training: Random };

/** What one layer was given, and what it made of it: y = layer(...inputs and constants, options). */
export interface LayerStep {
  readonly node: Node;
  readonly layer: LayerName;
  readonly given: readonly Tensor[];
  readonly options: object;
  readonly y: Tensor;
}
/** The same of two branches. */
export interface ResidualStep {
  readonly body: Tape;
  readonly shortcut: Tape;
  readonly y: Tensor;
}
/** All that backward needs to know of a forward pass. It holds the parameters themselves: call backward before they move. */
export type Tape = readonly (LayerStep | ResidualStep)[];

/** Every layer's step, in the order of layersOf, less what was left out. */
export const stepsOf = (tape: Tape): readonly LayerStep[] =>
  tape.flatMap((step) => ('layer' in step ? [step] : [...stepsOf(step.body), ...stepsOf(step.shortcut)]));

type Forward = (...args: readonly unknown[]) => Tensor;
type Backward = (...args: readonly unknown[]) => Readonly<Record<string, Tensor>>;

/**
 * Runs a network: y are its logits, the tape says how it came to them.
 * @throws RangeError if x does not fit the first layer, two branches do not fit each other, or there is no such mode
 */
export function forward(
  layers: Layers,
  { nodes }: Pick<Model, 'nodes'>,
  parameters: Parameters,
  x: Tensor,
  mode: Mode,
  path = '',
): { y: Tensor; tape: Tape } {
  if (mode !== 'evaluation' && !mode?.training)
    throw new RangeError(`network: mode is ${JSON.stringify(mode)}, expected 'evaluation' or { training: Random }`);
  const tape: (LayerStep | ResidualStep)[] = [];
  let y = x;
  for (const node of nodes) {
    if ('layer' in node) {
      const call = callOf(within(path, node), parameters, y, mode);
      if (!call) continue;
      y = (layers[call.layer] as Forward)(...call.given, call.options);
      tape.push({ ...call, y });
      continue;
    }
    const branch = (nodes: Nodes) => forward(layers, { nodes }, parameters, y, mode, `${path}${node.name}.`);
    const [body, shortcut] = [branch(node.body), branch(node.shortcut)];
    if (`${body.y.shape}` !== `${shortcut.y.shape}`)
      throw new RangeError(
        `network: the shortcut of ${path}${node.name} has shape (${shortcut.y.shape.join(', ')}), ` +
          `expected that of its body, (${body.y.shape.join(', ')})`,
      );
    y = add(body.y, shortcut.y);
    tape.push({ body: body.tape, shortcut: shortcut.tape, y });
  }
  return { y, tape };
}

/** What a node calls in a mode; undefined if it is left out. */
function callOf(node: Node, parameters: Parameters, x: Tensor, mode: Mode): Omit<LayerStep, 'y'> | undefined {
  const { layer, options = {} } = node;
  const given = [
    x,
    ...named(node).map(([, name]) => parameters[name]),
    ...Object.values(node.zero ?? {}).map((shape) => zeros(shape)),
  ];
  if (layer === 'dropout') {
    if (mode === 'evaluation') return undefined;
    const { p = 0.5 }: DropoutOptions = options;
    const [N, C, ...pixels] = x.shape;
    const shape = node.wholeChannels ? [N, C, ...pixels.map(() => 1)] : x.shape;
    return { node, layer, given: [...given, dropoutMask(shape, p, mode.training)], options };
  }
  if (layer === 'batchNorm' && mode === 'evaluation') {
    const { mean, variance } = running(node);
    return { node, layer: 'batchNormInference', given: [...given, parameters[mean], parameters[variance]], options };
  }
  return { node, layer, given, options };
}

/**
 * The chain rule: what forward did, in reverse. Every layer turns the gradient of its y into those of its x and of its
 * parameters; at the x of two branches the gradients add up.
 */
export function backward(layers: Layers, tape: Tape, dlogits: Tensor): { dx: Tensor; gradients: Parameters } {
  const gradients: Record<string, Tensor> = {};
  let dy = dlogits;
  for (const step of tape.toReversed()) {
    if ('layer' in step) {
      const results = (layers[`${step.layer}Backward`] as Backward)(dy, ...step.given, step.options);
      for (const [argument, name] of named(step.node)) gradients[name] = results[`d${argument}`];
      dy = results.dx;
      continue;
    }
    const [body, shortcut] = [step.body, step.shortcut].map((branch) => backward(layers, branch, dy));
    Object.assign(gradients, body.gradients, shortcut.gradients);
    dy = add(body.dx, shortcut.dx);
  }
  return { dx: dy, gradients };
}

/** The loss of a batch, and its gradient with respect to every parameter. */
export function lossAndGradients(
  layers: Layers,
  model: Pick<Model, 'nodes'>,
  parameters: Parameters,
  x: Tensor,
  labels: Tensor,
  mode: Mode,
): { loss: number; logits: Tensor; dx: Tensor; gradients: Parameters; tape: Tape } {
  const { y: logits, tape } = forward(layers, model, parameters, x, mode);
  const loss = layers.softmaxCrossEntropy(logits, labels);
  const { dlogits } = layers.softmaxCrossEntropyBackward(tensor(1), logits, labels);
  return { loss: loss.data[0], logits, tape, ...backward(layers, tape, dlogits) };
}

/** The running statistics after a forward pass in training, written in place. */
export function updateStatistics(layers: Layers, tape: Tape, parameters: Parameters): void {
  for (const { node, layer, given } of stepsOf(tape)) {
    if (layer !== 'batchNorm') continue;
    const names = running(node);
    const [mean, variance] = [parameters[names.mean], parameters[names.variance]];
    const next = layers.updateRunning({ mean, variance }, layers.batchStatistics(given[0]), node.running);
    mean.data.set(next.mean.data);
    variance.data.set(next.variance.data);
  }
}

/** The class with the largest logit in each row; of equals, the first; −1 where a logit is NaN. */
export function predictions({ shape: [N, K], data }: Tensor): readonly number[] {
  return Array.from({ length: N }, (_, n) => {
    const row = data.subarray(n * K, (n + 1) * K);
    return row.indexOf(Math.max(...row));
  });
}
