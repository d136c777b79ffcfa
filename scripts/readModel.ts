import { fileURLToPath } from 'node:url';
import { folder } from '../spec/golden.ts';
import { apart } from '../src/checkpoint.ts';
import { digitModels } from '../src/models/digitModels.ts';
import { initialStatistics, parameterShapes, type Model, type Parameters } from '../src/network.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { oneOf, readWhole } from './script.ts';

/** The network that comes with the project: golden/trained/README.md says how it was trained. */
export const trained = fileURLToPath(new URL('trained/lenet5.safetensors', folder));

/** The bytes of a file: that of the largest of these networks has a tenth, in float64. */
const MOST = 64_000_000;

/** The largest float32. Where all weights are at most this, none of these networks overflows in float64. */
const LARGEST = 3.4028234663852886e38;

/**
 * A network for digits as `train-mnist.ts --save` stored it or as a checkpoint of its run has it, or a state dict of PyTorch. The
 * file says which model it is; if it says nothing, it is the one that its tensors fit.
 * @throws RangeError if it is damaged, or its tensors are those of no model, or of more than one
 */
export function readModel(path: string): { readonly model: Model; readonly parameters: Parameters } {
  const { tensors, metadata } = readSafetensors(
    path,
    readWhole(path, 'a .safetensors file: see train-mnist.ts --save', MOST),
  );
  const parameters = Object.fromEntries(
    Object.entries(apart(tensors).parameters).filter(([key]) => !key.endsWith('.num_batches_tracked')), // PyTorch counts, and never reads it
  );
  const model = modelOf(path, metadata.model, parameters);
  checkTensors(path, model, parameters);
  return { model, parameters };
}

/** @throws RangeError if what was read from the file `path` are not all parameters and running statistics of a model, and no others */
export function checkTensors(path: string, model: Model, parameters: Parameters): void {
  const shapes = shapesOf(model);
  for (const [key, shape] of Object.entries(shapes)) {
    if (!Object.hasOwn(parameters, key))
      throw new RangeError(`${path} has no ${key}, expected one of shape ${listed(shape)} for ${model.name}`);
    const { shape: found, data } = parameters[key];
    if (`${found}` !== `${shape}`)
      throw new RangeError(`${path} has ${key} of shape ${listed(found)}, expected ${listed(shape)} for ${model.name}`);
    const wrong = data.find((value) => !(Math.abs(value) <= LARGEST));
    if (wrong !== undefined) throw new RangeError(`${path} has ${wrong} in ${key}, expected numbers that float32 has`);
    const negative = key.endsWith('.running_var') ? data.find((value) => value < 0) : undefined;
    if (negative !== undefined) throw new RangeError(`${path} has ${negative} in ${key}, expected numbers ≥ 0`);
  }
  const unknown = Object.keys(parameters).find((key) => !Object.hasOwn(shapes, key));
  if (unknown !== undefined) throw new RangeError(`${path} has ${unknown}, expected none for ${model.name}`);
}

function modelOf(path: string, name: string | undefined, parameters: Parameters): Model {
  const names = Object.keys(digitModels);
  if (name !== undefined) {
    if (Object.hasOwn(digitModels, name)) return digitModels[name];
    throw new RangeError(`${path} says that it is a ${JSON.stringify(name)}, ${oneOf(names, name)} in its metadata`);
  }
  const fitting = Object.values(digitModels).filter((model) => fits(shapesOf(model), parameters));
  if (fitting.length === 1) return fitting[0];
  const found =
    fitting.length === 0 ? 'tensors of none' : `the tensors of ${fitting.map((each) => each.name).join(' and of ')}`;
  throw new RangeError(
    `${path} does not say which model it is and has ${found}, expected those of one of ${names.join(', ')}, or model in its metadata`,
  );
}

type Shapes = Readonly<Record<string, readonly number[]>>;

/** The shapes of all that a model's file holds. */
const shapesOf = (model: Model): Shapes => ({
  ...parameterShapes(model),
  ...Object.fromEntries(Object.entries(initialStatistics(model)).map(([key, { shape }]) => [key, shape])),
});

/** Whether all names and shapes are there, and no other. */
const fits = (shapes: Shapes, parameters: Parameters) =>
  Object.keys(shapes).length === Object.keys(parameters).length &&
  Object.entries(shapes).every(
    ([key, shape]) => Object.hasOwn(parameters, key) && `${parameters[key].shape}` === `${shape}`,
  );

const listed = (shape: readonly number[]) => `(${shape.join(', ')})`;
