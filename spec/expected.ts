import prettier from 'prettier';
import { chain, exact, formulas, type ExactCall, type ExactStep } from './exact.ts';

/** A case as JSON has it; see golden/README.md. */
interface JsonCase extends ExactCall {
  readonly resolved?: object;
  readonly worked?: string;
  readonly tier: string;
}
interface JsonFile {
  readonly layer?: string;
  readonly network?: readonly ExactStep[];
  readonly cases: readonly JsonCase[];
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
    if (given.worked) return given;
    const { inputs, constants = {}, options, resolved, dy } = given;
    const formula = file.layer
      ? formulas[file.layer]
      : chain(file.network ?? [], [...Object.keys(inputs), ...Object.keys(constants)]);
    const expected = exact(formula, { inputs, constants, options: resolved ?? options, dy });
    return { ...given, ...expected };
  });
  const config = await prettier.resolveConfig(import.meta.filename);
  return prettier.format(JSON.stringify({ ...file, cases }), { ...config, parser: 'json' });
}
