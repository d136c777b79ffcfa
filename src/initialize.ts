import { ones } from './ndarray.ts';
import { initialStatistics, layersOf, named, type Model, type Parameters } from './network.ts';
import type { Random } from './random.ts';
import { size, zeros, type Tensor } from './tensor.ts';

/*
 * First weights, drawn at random. Their shape is (out, in) for a linear layer, (O, C, KH, KW) for a convolution and
 * (O, C / groups, KH, KW) for a grouped one; how far they spread depends on
 *
 *     fan-in      how many inputs an output sums up:             in,  C·KH·KW
 *     fan-out     how many outputs an input takes part in:       out, O·KH·KW
 *
 * In all of them: @throws RangeError if the shape is of another rank, or a size is not an integer ≥ 1
 */

/**
 * Normal numbers of variance 2 / fan-in: relu, which lets half of what flows through, leaves its size as it is.
 * @see He et al., Delving deep into rectifiers, arXiv:1502.01852, section 2.2
 */
export function heNormal(shape: readonly number[], random: Random): Tensor {
  return normal(shape, 2 / fans('heNormal', shape).in, random);
}

/**
 * U(−b, b) with b = √(6 / fan-in), of the same variance: 2 / fan-in = b² / 3.
 * @see He et al., as above; PyTorch, torch.nn.init.kaiming_uniform_ with its defaults
 */
export function heUniform(shape: readonly number[], random: Random): Tensor {
  return uniform(shape, Math.sqrt(6 / fans('heUniform', shape).in), random);
}

/**
 * Normal numbers of variance 2 / (fan-in + fan-out): a compromise between what flows forward and the gradients that flow
 * back, where the activation is nearly the identity around 0 (tanh).
 * @see Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010, equation 12
 */
export function glorotNormal(shape: readonly number[], random: Random): Tensor {
  const fan = fans('glorotNormal', shape);
  return normal(shape, 2 / (fan.in + fan.out), random);
}

/**
 * U(−b, b) with b = √(6 / (fan-in + fan-out)), of the same variance.
 * @see Glorot & Bengio, as above, equation 16
 */
export function glorotUniform(shape: readonly number[], random: Random): Tensor {
  const fan = fans('glorotUniform', shape);
  return uniform(shape, Math.sqrt(6 / (fan.in + fan.out)), random);
}

/**
 * U(−b, b) with b = 1 / √fan-in, of variance 1 / (3·fan-in). `initialize` draws biases so, too, with the fan-in of their
 * weights.
 * @see LeCun et al., Efficient backprop, 1998, section 4.6; PyTorch's default for convolution and linear layers, weights and
 *   biases alike (written there as kaiming_uniform_ with a = √5)
 */
export function fanInUniform(shape: readonly number[], random: Random): Tensor {
  return uniform(shape, fanInBound(shape), random);
}

/** How weights can start. */
export const initializations = { heNormal, heUniform, glorotNormal, glorotUniform, fanInUniform } as const;

export type Initialization = keyof typeof initializations;

/**
 * New parameters for a model, in the order of its layers: weights by the scheme, which is the model's own if none is given;
 * biases 0, or by the scheme fanInUniform as far spread as their weights; gamma 1 and beta 0. After them the running
 * statistics of batch norm, mean 0 and variance 1.
 *
 * @throws RangeError if there is no such scheme, or a layer has a parameter of another kind
 */
export function initialize(
  model: Model,
  random: Random,
  scheme: Initialization = model.initialization ?? 'heNormal',
): Parameters {
  if (!Object.hasOwn(initializations, scheme))
    throw new RangeError(`initialize: scheme is ${scheme}, expected one of ${Object.keys(initializations).join(', ')}`);
  const first = (argument: string, shape: readonly number[], weights: readonly number[]): Tensor => {
    switch (argument) {
      case 'w':
        return initializations[scheme](shape, random);
      case 'b':
        return scheme === 'fanInUniform' ? uniform(shape, fanInBound(weights), random) : zeros(shape);
      case 'gamma':
        return ones(shape);
      case 'beta':
        return zeros(shape);
      default:
        throw new RangeError(`initialize: a layer has the parameter ${argument}, expected w, b, gamma or beta`);
    }
  };
  const parameters = layersOf(model).flatMap((node) =>
    named(node).map(([argument, name]) => [name, first(argument, node.parameters![argument], node.parameters!.w)]),
  );
  return { ...Object.fromEntries(parameters), ...initialStatistics(model) };
}

function fans(scheme: Initialization, shape: readonly number[]): { readonly in: number; readonly out: number } {
  if (![2, 4].includes(shape.length) || !shape.every((count) => Number.isInteger(count) && count >= 1))
    throw new RangeError(`${scheme}: shape is (${shape.join(', ')}), expected (out, in) or (O, C, KH, KW)`);
  return { in: size(shape.slice(1)), out: shape[0] * size(shape.slice(2)) };
}

const fanInBound = (shape: readonly number[]): number => 1 / Math.sqrt(fans('fanInUniform', shape).in);

function normal(shape: readonly number[], variance: number, random: Random): Tensor {
  const deviation = Math.sqrt(variance);
  return { shape, data: Float64Array.from({ length: size(shape) }, () => deviation * random.normal()) };
}

/** Numbers in [−bound, bound), of variance bound² / 3. */
function uniform(shape: readonly number[], bound: number, random: Random): Tensor {
  return { shape, data: Float64Array.from({ length: size(shape) }, () => bound * (2 * random.uniform() - 1)) };
}
