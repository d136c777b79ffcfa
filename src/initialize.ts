import { parameterShapes, type Model, type Parameters } from './network.ts';
import type { Random } from './random.ts';
import { size, zeros, type Tensor } from './tensor.ts';

/**
 * Weights of mean 0 and variance 2 / fan-in, so that relu layers keep the size of what flows through them.
 * fan-in: how many inputs one output sums up, all sizes of the shape but the first.
 * @see He et al., Delving deep into rectifiers, arXiv:1502.01852, section 2.2
 */
export function heNormal(shape: readonly number[], random: Random): Tensor {
  const deviation = Math.sqrt(2 / size(shape.slice(1)));
  return { shape, data: Float64Array.from({ length: size(shape) }, () => deviation * random.normal()) };
}

/** New parameters for a model, in the order of its layers: He-normal weights, biases of 0. */
export function initialize(model: Model, random: Random): Parameters {
  return Object.fromEntries(
    Object.entries(parameterShapes(model)).map(([name, shape]) => [
      name,
      shape.length === 1 ? zeros(shape) : heNormal(shape, random),
    ]),
  );
}
