import type { LayerName, Layers } from './layers.ts';
import { size, tensor, type Tensor } from './tensor.ts';

/** One layer of a network. */
export interface Node {
  /** 'conv1': unique in its model. */
  readonly name: string;
  readonly layer: LayerName;
  /** The shapes of the layer's arguments after x, in order, by the layer's own names: { w, b }. */
  readonly parameters?: Readonly<Record<string, readonly number[]>>;
  readonly options?: object;
}

/** A network is data: layers in sequence. The last y are logits; the loss is not part of the model. */
export interface Model {
  readonly name: string;
  /** The shape (C, H, W) of one image. */
  readonly input: readonly number[];
  readonly nodes: readonly Node[];
}

/** The parameters of a model, or their gradients, by the names PyTorch gives them: 'conv1.weight', 'conv1.bias'. */
export type Parameters = Readonly<Record<string, Tensor>>;

/** What PyTorch calls the argument of a layer. */
const WORDS: Readonly<Record<string, string>> = { w: 'weight', b: 'bias' };

/** [argument, name of the parameter] of every parameter of a node, in order: ['w', 'conv1.weight'], … */
const named = ({ name, parameters = {} }: Node) =>
  Object.keys(parameters).map((argument) => [argument, `${name}.${WORDS[argument] ?? argument}`] as const);

/** The shape of every parameter of a model, by name. */
export function parameterShapes({ nodes }: Model): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    nodes.flatMap((node) => named(node).map(([argument, name]) => [name, node.parameters![argument]])),
  );
}

/** How many numbers the model learns. */
export function parameterCount(model: Model): number {
  return Object.values(parameterShapes(model)).reduce((total, shape) => total + size(shape), 0);
}

type Forward = (...args: readonly unknown[]) => Tensor;
type Backward = (...args: readonly unknown[]) => Readonly<Record<string, Tensor>>;

/**
 * What flows through a network, from the images to the logits: [x, y of the first layer, …, logits].
 * @throws RangeError if x does not fit the first layer
 */
export function forward(layers: Layers, { nodes }: Model, parameters: Parameters, x: Tensor): readonly Tensor[] {
  const flow = [x];
  for (const node of nodes) {
    const layer = layers[node.layer] as Forward;
    flow.push(layer(flow.at(-1), ...named(node).map(([, name]) => parameters[name]), node.options ?? {}));
  }
  return flow;
}

/**
 * The chain rule: what forward computed, in reverse. Every layer turns the gradient of its y into those of its x and of
 * its parameters.
 */
export function backward(
  layers: Layers,
  { nodes }: Model,
  parameters: Parameters,
  flow: readonly Tensor[],
  dlogits: Tensor,
): { dx: Tensor; gradients: Parameters } {
  const gradients: Record<string, Tensor> = {};
  let dy = dlogits;
  for (const [i, node] of [...nodes.entries()].reverse()) {
    const layerBackward = layers[`${node.layer}Backward`] as Backward;
    const given = named(node).map(([, name]) => parameters[name]);
    const result = layerBackward(dy, flow[i], ...given, node.options ?? {});
    for (const [argument, name] of named(node)) gradients[name] = result[`d${argument}`];
    dy = result.dx;
  }
  return { dx: dy, gradients };
}

/** The loss of a batch, and its gradient with respect to every parameter. */
export function lossAndGradients(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  x: Tensor,
  labels: Tensor,
): { loss: number; logits: Tensor; gradients: Parameters } {
  const flow = forward(layers, model, parameters, x);
  const logits = flow[flow.length - 1];
  const loss = layers.softmaxCrossEntropy(logits, labels);
  const { dlogits } = layers.softmaxCrossEntropyBackward(tensor(1), logits, labels);
  const { gradients } = backward(layers, model, parameters, flow, dlogits);
  return { loss: loss.data[0], logits, gradients };
}

/** The class with the largest logit in each row; of equals, the first; −1 where a logit is NaN. */
export function predictions({ shape: [N, K], data }: Tensor): readonly number[] {
  return Array.from({ length: N }, (_, n) => {
    const row = data.subarray(n * K, (n + 1) * K);
    return row.indexOf(Math.max(...row));
  });
}
