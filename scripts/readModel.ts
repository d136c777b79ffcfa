import { fileURLToPath } from 'node:url';
import { folder } from '../spec/golden.ts';
import { digitModels } from '../src/models/digitModels.ts';
import { initialStatistics, parameterShapes, type Model, type Parameters } from '../src/network.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { readWhole } from './script.ts';

/** The network that comes with the project: golden/trained/README.md says how it was trained. */
export const trained = fileURLToPath(new URL('trained/lenet5.safetensors', folder));

/**
 * A network for digits as `train-mnist.ts --save` stored it; the file says which model it is.
 * @throws RangeError if it does not, is damaged, or its tensors are not those of the model
 */
export function readModel(path: string): { readonly model: Model; readonly parameters: Parameters } {
  const { tensors, metadata } = readSafetensors(
    path,
    readWhole(path, 'a .safetensors file: see train-mnist.ts --save'),
  );
  const name: unknown = metadata?.model;
  if (typeof name !== 'string' || !Object.hasOwn(digitModels, name)) {
    const says = name === undefined ? 'does not say which model it is' : `says that it is a ${JSON.stringify(name)}`;
    throw new RangeError(`${path} ${says}, expected one of ${Object.keys(digitModels).join(', ')} in its metadata`);
  }
  const model = digitModels[name];
  const shapes = {
    ...parameterShapes(model),
    ...Object.fromEntries(Object.entries(initialStatistics(model)).map(([key, { shape }]) => [key, shape])),
  };
  const listed = (shape: readonly number[]) => `(${shape.join(', ')})`;
  for (const [key, shape] of Object.entries(shapes)) {
    if (!Object.hasOwn(tensors, key))
      throw new RangeError(`${path} has no ${key}, expected one of shape ${listed(shape)} for ${name}`);
    const found = tensors[key];
    if (`${found.shape}` !== `${shape}`)
      throw new RangeError(`${path} has ${key} of shape ${listed(found.shape)}, expected ${listed(shape)} for ${name}`);
    const wrong = found.data.find((value) => !Number.isFinite(value));
    if (wrong !== undefined) throw new RangeError(`${path} has ${wrong} in ${key}, expected finite numbers`);
  }
  const unknown = Object.keys(tensors).find((key) => !Object.hasOwn(shapes, key));
  if (unknown !== undefined) throw new RangeError(`${path} has ${unknown}, expected none for ${name}`);
  return { model, parameters: tensors };
}
