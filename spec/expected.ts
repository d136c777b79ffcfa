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

/** A case as JSON has it; see golden/README.md. */
interface JsonCase extends ExactCall, ExactResult {
  readonly resolved?: object;
  readonly worked?: string;
  readonly tier: string;
}
/** Steps of an optimizer. */
interface JsonTrace extends ExactSteps {
  readonly resolved?: object;
}
/** Batches, and the running statistics after each. */
interface JsonBatches extends ExactBatches {
  readonly resolved?: object;
}
/** What a second program has worked out. */
type JsonWitnessed = { readonly losses: unknown } | { readonly function: string } | { readonly steps: unknown };
interface JsonFile {
  readonly layer?: string;
  readonly network?: readonly ExactStep[];
  readonly cases: readonly (JsonCase | JsonTrace | JsonBatches | JsonWitnessed)[];
}

/**
 * The text of a fixture file with y and the gradients of every case computed from its inputs, in exact arithmetic.
 * What is worked by hand stays as it is.
 */
export async function expectedText(text: string): Promise<string> {
  const file: JsonFile = JSON.parse(text);
  if (file.layer && !(file.layer in formulas))
    throw new RangeError(`there is no layer ${file.layer}, expected one of ${Object.keys(formulas).join(', ')}`);
  const cases = file.cases.map((given) => {
    if ('optimizer' in given)
      return { ...given, ...exactTrace({ ...given, options: given.resolved ?? given.options }) };
    if ('running' in given)
      return {
        ...given,
        after: runningStatistics({ ...given, options: given.resolved ?? given.options } as ExactBatches),
      };
    if ('worked' in given || 'losses' in given || 'function' in given || 'steps' in given) return given; // by hand, or by a second program
    const { inputs, constants = {}, options, resolved, dy } = given;
    const formula = file.layer
      ? formulas[file.layer]
      : chain(file.network ?? [], [...Object.keys(inputs), ...Object.keys(constants)]);
    const stored = { y: given.y, gradients: given.gradients };
    const expected = exact(formula, { inputs, constants, options: resolved ?? options, dy }, stored);
    return { ...given, ...expected };
  });
  const config = await prettier.resolveConfig(import.meta.filename);
  return prettier.format(JSON.stringify({ ...file, cases }), { ...config, parser: 'json' });
}
