import prettier from 'prettier';
import {
  chain,
  exact,
  formulas,
  runningStatistics,
  type ExactBatches,
  type ExactCall,
  type ExactResult,
  type ExactStep,
} from './exact.ts';
import { exactTrace, type ExactSteps } from './exactOptimizer.ts';

interface Json {
  readonly id: string;
  readonly resolved?: object;
}
/** A case as JSON has it; see golden/README.md. */
interface JsonCase extends Json, ExactCall, ExactResult {}
/** Steps of an optimizer. */
interface JsonTrace extends Json, ExactSteps {}
/** Batches, and the running statistics after each. */
interface JsonBatches extends Json, ExactBatches {}
/** What arithmetic has no part in: worked by hand, or by a second program, or a call that is an error. */
type JsonGiven = Json &
  (
    | { readonly worked: string }
    | { readonly losses: unknown }
    | { readonly error: string }
    | { readonly function: string }
    | { readonly steps: unknown }
  );
interface JsonFile {
  readonly layer?: string;
  readonly network?: readonly ExactStep[];
  readonly cases: readonly (JsonCase | JsonTrace | JsonBatches | JsonGiven)[];
}

/**
 * The text of a fixture file with y and the gradients of every case computed from its inputs, in exact arithmetic.
 * What is worked by hand stays as it is, and so do calls that are errors.
 * @throws Error that names the case whose inputs do not fit together
 */
export async function expectedText(text: string): Promise<string> {
  const file: JsonFile = JSON.parse(text);
  if (file.layer && !(file.layer in formulas))
    throw new RangeError(`there is no layer ${file.layer}, expected one of ${Object.keys(formulas).join(', ')}`);
  const cases = file.cases.map((given) => {
    try {
      return { ...given, ...expectedOf(given, file) };
    } catch (cause) {
      throw new Error(`${given.id}: ${cause instanceof Error ? cause.message : cause}`, { cause });
    }
  });
  const config = await prettier.resolveConfig(import.meta.filename);
  return prettier.format(JSON.stringify({ ...file, cases }), { ...config, parser: 'json' });
}

/** The fields of a case that arithmetic fills in. */
function expectedOf(given: JsonFile['cases'][number], { layer, network = [] }: JsonFile): object {
  if ('worked' in given || 'losses' in given || 'error' in given || 'function' in given || 'steps' in given) return {};
  if ('optimizer' in given) return exactTrace({ ...given, options: given.resolved ?? given.options });
  if ('running' in given) {
    const options = (given.resolved ?? given.options) as ExactBatches['options'];
    return { after: runningStatistics({ ...given, options }) };
  }
  const { inputs, constants = {}, options, resolved, dy, y, gradients } = given;
  const formula = layer ? formulas[layer] : chain(network, [...Object.keys(inputs), ...Object.keys(constants)]);
  return exact(formula, { inputs, constants, options: resolved ?? options, dy }, { y, gradients });
}

/**
 * Where the cases of a fixture file are not the expected ones, a line for each output of each case:
 * 'conv2d/hostile: dw[0, 1, 2, 0] is 3, expected 4; 5 of its 54 numbers differ'.
 */
export function differences(stored: string, expected: string): readonly string[] {
  if (stored === expected) return [];
  const [found, wanted] = [stored, expected].map((text) => (JSON.parse(text) as JsonFile).cases);
  const lines = wanted.flatMap((golden, i) =>
    tensorsThatDiffer(found[i], golden).map((line) => `${golden.id}: ${line}`),
  );
  return lines.length > 0 ? lines : ['no number differs, but the form of the file: `npm run golden` gives it its form'];
}

type Part = Readonly<Record<string, unknown>>;
function tensorsThatDiffer(found: unknown, wanted: unknown, path = ''): readonly string[] {
  if (typeof wanted !== 'object' || wanted === null) return [];
  if ('data' in wanted && 'shape' in wanted) return tensorDifference(found as Part | undefined, wanted as Part, path);
  return Object.entries(wanted).flatMap(([key, part]) => {
    const name = key === 'gradients' && path === '' ? '' : `${path}${path && '.'}${key}`; // dw, not gradients.dw
    return tensorsThatDiffer((found as Part | undefined)?.[key], part, name);
  });
}

function tensorDifference(found: Part | undefined, wanted: Part, path: string): readonly string[] {
  if (found === undefined) return [`${path} is missing`];
  const [shape, other] = [wanted.shape, found.shape] as (readonly number[])[];
  if (`${other}` !== `${shape}`) return [`${path} has shape (${other.join(', ')}), expected (${shape.join(', ')})`];
  const [values, others] = [wanted.data, found.data] as (readonly unknown[])[];
  const differ = values.flatMap((value, i) => (value === others[i] ? [] : [i]));
  if (differ.length === 0) return [];
  const [first] = differ;
  const index = shape.map((size, axis) => Math.floor(first / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
  const count = differ.length > 1 ? `; ${differ.length} of its ${values.length} numbers differ` : '';
  return [`${path}[${index.join(', ')}] is ${others[first]}, expected ${values[first]}${count}`];
}
