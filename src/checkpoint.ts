import type { Parameters } from './network.ts';
import type { OptimizerState } from './optimizer.ts';
import { randomFrom } from './random.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import { beginOf, type Position } from './train.ts';

/** A run between two steps: with the same model, images and options, all that its rest depends on. */
export interface Checkpoint {
  readonly parameters: Parameters;
  readonly state: OptimizerState;
  readonly position: Position;
  /** What else is known of the run: text by name. Two names are the checkpoint's own: position and steps. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Before the names of what the optimizer remembers: they stand in one file with the parameters, whose names are PyTorch's. */
const OPTIMIZER = 'optimizer.';

/**
 * A checkpoint as one .safetensors file. Numbers are written as float64, or, of a run that computes in float32, as 'F32'.
 */
export function writeCheckpoint(
  { parameters, state: { steps, moments }, position, facts }: Checkpoint,
  options: { readonly dtype?: 'F32' | 'F64' } = {},
): Uint8Array {
  const remembered = Object.entries(moments).map(([name, moment]) => [`${OPTIMIZER}${name}`, moment]);
  const metadata = { ...facts, position: JSON.stringify(position), steps: `${steps}` };
  return writeSafetensors({ tensors: { ...parameters, ...Object.fromEntries(remembered) }, metadata }, options);
}

/**
 * Reads a checkpoint. `name` is what errors call the file.
 * @throws RangeError if the file is damaged, or no checkpoint
 */
export function readCheckpoint(name: string, bytes: Uint8Array): Checkpoint {
  const { tensors, metadata } = readSafetensors(name, bytes);
  const { position: text, steps: count, ...facts } = metadata;
  const position = positionIn(text);
  const steps = Number(count);
  if (!position || count === undefined || !Number.isInteger(steps) || steps < 0)
    throw new RangeError(`checkpoint: ${name} does not say where its run stands, expected a checkpoint of a training`);
  const { parameters, moments } = apart(tensors);
  return { parameters, state: { steps, moments }, position, facts };
}

/** The tensors of a file, and what an optimizer remembers of them. */
export function apart(tensors: Parameters): Pick<Checkpoint, 'parameters'> & Pick<OptimizerState, 'moments'> {
  const entries = Object.entries(tensors);
  const remembered = entries.filter(([name]) => name.startsWith(OPTIMIZER));
  return {
    parameters: Object.fromEntries(entries.filter(([name]) => !name.startsWith(OPTIMIZER))),
    moments: Object.fromEntries(remembered.map(([name, moment]) => [name.slice(OPTIMIZER.length), moment])),
  };
}

function positionIn(text: string | undefined): Position | undefined {
  try {
    const { epoch, seen, random } = JSON.parse(text ?? '') as Position;
    const { images, totalLoss, right } = seen;
    const counts = [images, right].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!Number.isInteger(epoch) || epoch < 1 || !counts || !Number.isFinite(totalLoss)) return undefined;
    if (images === 0) return beginOf(epoch);
    randomFrom(random);
    return { epoch, seen: { images, totalLoss, right }, random };
  } catch {
    return undefined;
  }
}
