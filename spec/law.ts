import fc from 'fast-check';
import { implementations, unitRoundoff, type LayerName, type Layers } from '../src/layers.ts';
import type { Tensor } from '../src/tensor.ts';

/** The arguments of a layer, layer(...inputs, ...constants, options) → y. Only inputs have gradients. */
export interface Call {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly constants?: Readonly<Record<string, Tensor>>;
  readonly options: object;
}

/** A call, and a gradient dy of y's shape: layerBackward(dy, ...inputs, ...constants, options) → { d<input> }. */
export interface Case extends Call {
  readonly dy: Tensor;
}

/** One layer under test, whoever computes it: our own functions, or a foreign program behind a synchronous bridge. */
export interface Layer {
  readonly forward: (call: Call) => Tensor;
  readonly backward: (call: Case) => Readonly<Record<string, Tensor>>;
  /** The unit roundoff of its arithmetic: 2⁻⁵³ in float64, 2⁻²⁴ in float32. */
  readonly u: number;
}

/** A sentence, and a property that holds of every layer the sentence is true of. */
export interface Law {
  readonly sentence: string;
  readonly property: (layer: Layer) => fc.IProperty<unknown>;
  readonly numRuns: number;
  /** What it leans on beside the layer itself: its twin, its slopes, or the fixtures. Default nothing. */
  readonly leansOn?: 'twin' | 'slopes' | 'golden';
  /** Asked of the definition alone: gradients that are compared with its own need not be differenced again. */
  readonly definitionOnly?: true;
  /** Why it is a law of float64 alone: a layer of coarser arithmetic is not asked, and whoever asks says so. */
  readonly float64?: string;
}

/** `check` throws if the layer breaks the law on one of the cases. */
export function law<T>(
  sentence: string,
  cases: fc.Arbitrary<T>,
  check: (layer: Layer, value: T) => void,
  numRuns = 100,
): Law {
  return { sentence, numRuns, property: (layer) => fc.property(cases, (value) => check(layer, value)) };
}

/** Those of our implementations that compute in float64: no other is asked what only its exactness can answer. */
export const float64Implementations = Object.entries(implementations).filter(
  ([name]) => unitRoundoff[name as keyof typeof unitRoundoff] === 2 ** -53,
);

/** The layer `name` of one of our implementations. */
export function layerOf(layers: Layers, name: LayerName, u = 2 ** -53): Layer {
  const forward = layers[name] as (...args: unknown[]) => Tensor;
  const backward = layers[`${name}Backward`] as (...args: unknown[]) => Record<string, Tensor>;
  const args = ({ inputs, constants = {}, options }: Call) => [
    ...Object.values(inputs),
    ...Object.values(constants),
    options,
  ];
  return {
    u,
    forward: (call) => forward(...args(call)),
    backward: (call) => backward(call.dy, ...args(call)),
  };
}

/** The same call with other inputs and options. */
export function change<C extends Call>(call: C, inputs: Partial<C['inputs']>, options: object = {}): C {
  return { ...call, inputs: { ...call.inputs, ...inputs }, options: { ...call.options, ...options } };
}
