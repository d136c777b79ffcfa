import { rules, type AdamOptions, type OptimizerName, type RmsPropOptions, type SgdOptions } from '../optimizer.ts';

// The kernels are in assembly/optimizers.ts. Defaults, errors and what is remembered are those of src/optimizer.ts.

/** The options of any optimizer, and what it remembers with them. */
type Rule = Required<Pick<SgdOptions, 'rate' | 'weightDecay'>> &
  (SgdOptions & AdamOptions & RmsPropOptions) & { readonly remembered: readonly string[] };

/**
 * What is remembered of every parameter, by name: the same in every step.
 * @throws RangeError if an option is out of range
 */
export const optimizerMoments = (name: OptimizerName, options: object): readonly string[] =>
  rules[name](options).remembered;

/**
 * The numbers of Settings in assembly/optimizers.ts for step t = 1, 2, …
 * @throws RangeError if an option is out of range
 */
export function optimizerSettings(name: OptimizerName, options: object, t: number): readonly number[] {
  const rule: Rule = rules[name](options);
  const { rate, weightDecay, momentum = 0, nesterov = false, alpha = 0, betas = [0, alpha], eps = 0 } = rule;
  const [beta1, beta2] = betas.map(Math.fround); // the kernels subtract these from 1: so do the corrections
  const corrections = [1 - beta1 ** t, 1 - beta2 ** t];
  return [rate, weightDecay, momentum, Number(nesterov), beta1, beta2, ...corrections, eps];
}

/** How many moments the kernel of each optimizer takes. */
const slots = { sgd: 1, adam: 2, adamW: 2, rmsProp: 2 } as const;

/** The arguments of a kernel: addresses, those of the moments in the order of optimizerMoments, and how many numbers move. */
export function optimizerArguments(
  name: OptimizerName,
  theta: number,
  gradient: number,
  moments: readonly number[],
  count: number,
  settings: number,
): readonly number[] {
  const all = Array.from({ length: slots[name] }, (_, i) => moments[i] ?? 0); // without momentum there is no velocity
  return [theta, gradient, ...all, count, settings];
}
