import { atLeast, between, knownOptions } from './tensor.ts';

/**
 * The learning rate of every step t = 0, 1, 2, … A step is whatever the caller counts: batches or epochs.
 * @throws RangeError if t is not an integer ≥ 0
 */
export type Schedule = (t: number) => number;

/**
 * rate, always.
 * @throws RangeError if the rate is not a number ≥ 0
 */
export function constant(rate: number): Schedule {
  return schedule('constant', rate, () => rate);
}

/**
 * rate · factor^⌊t / every⌋: a stair.
 * @throws RangeError if the rate or an option is out of range
 * @see PyTorch, torch.optim.lr_scheduler.StepLR
 */
export function stepDecay(rate: number, options: StepDecayOptions): Schedule {
  knownOptions('stepDecay', options, ['every', 'factor']);
  const { every, factor } = options;
  atLeast('stepDecay: every', every, 1);
  between('stepDecay: factor', factor, 0);
  return schedule('stepDecay', rate, (t) => rate * factor ** Math.floor(t / every));
}

/**
 * rate · factorᵗ
 * @throws RangeError if the rate or an option is out of range
 * @see PyTorch, torch.optim.lr_scheduler.ExponentialLR
 */
export function exponential(rate: number, options: ExponentialOptions): Schedule {
  knownOptions('exponential', options, ['factor']);
  const { factor } = options;
  between('exponential: factor', factor, 0);
  return schedule('exponential', rate, (t) => rate * factor ** t);
}

/**
 * least + (rate − least) · ½(1 + cos(π·t / steps)): from rate down to least along half a wave, slow at both ends; it stays
 * at least from t = steps on, where PyTorch's would rise again.
 * @throws RangeError if the rate or an option is out of range
 * @see Loshchilov & Hutter, SGDR: stochastic gradient descent with warm restarts, arXiv:1608.03983, equation 5;
 *   PyTorch, torch.optim.lr_scheduler.CosineAnnealingLR
 */
export function cosine(rate: number, options: CosineOptions): Schedule {
  knownOptions('cosine', options, ['steps', 'least']);
  const { steps, least = 0 } = options;
  atLeast('cosine: steps', steps, 1);
  const wave = (t: number) => (1 + Math.cos((Math.PI * Math.min(t, steps)) / steps)) / 2;
  const rule = schedule('cosine', rate, (t) => least + (rate - least) * wave(t));
  between('cosine: least', least, 0, rate);
  return rule;
}

/**
 * Rises in equal parts to the rate with which another schedule starts, and then follows it:
 *
 *     schedule(0) · (t + 1) / steps         for t < steps
 *     schedule(t − steps)                   from then on
 *
 * @throws RangeError if steps is not an integer ≥ 0
 * @see Goyal et al., Accurate, large minibatch SGD: training ImageNet in 1 hour, arXiv:1706.02677, section 2.2
 */
export function warmUp(steps: number, after: Schedule): Schedule {
  atLeast('warmUp: steps', steps, 0);
  const top = after(0);
  return schedule('warmUp', top, (t) => (t < steps ? (top * (t + 1)) / steps : after(t - steps)));
}

export interface StepDecayOptions {
  /** Steps from one stair to the next. Integer ≥ 1. */
  readonly every: number;
  /** What each stair multiplies the rate by, ≥ 0. */
  readonly factor: number;
}

export interface ExponentialOptions {
  /** What each step multiplies the rate by, ≥ 0. */
  readonly factor: number;
}

export interface CosineOptions {
  /** Steps from rate to least. Integer ≥ 1. */
  readonly steps: number;
  /** The last rate, from 0 to the first. Default 0. */
  readonly least?: number;
}

/** The rule of a schedule, for the t that there are. */
function schedule(name: string, rate: number, rule: Schedule): Schedule {
  between(`${name}: rate`, rate, 0);
  return (t) => {
    atLeast(`${name}: t`, t, 0);
    return rule(t);
  };
}
