import type { Parameters } from './network.ts';
import { between, dims, knownOptions, trueOrFalse, zeros, type Tensor } from './tensor.ts';

/*
 * In the equations below θ is one number of a parameter, g its gradient (of the mean loss of the batch), t = 1, 2, … the
 * step; what an optimizer remembers is 0 before the first step. Everything is PyTorch's formulation.
 *
 *     optimizer(parameters, gradients, state, options)
 *
 * moves every parameter in place, by the gradient of the same name, and remembers in `state`, in place too. Gradients are
 * only read: nothing adds up from one step to the next but what the equations say. A gradient without a parameter of its
 * name is ignored, so a parameter that is not given is frozen.
 */

/** What an optimizer remembers from step to step: plain data, to be stored beside the parameters. */
export interface OptimizerState {
  /** How many steps have been taken. */
  steps: number;
  /** One tensor of the parameter's shape for each thing remembered: 'conv1.weight.velocity', 'conv1.weight.mean', … */
  readonly moments: Record<string, Tensor>;
}

/** The state before the first step. */
export const optimizerState = (): OptimizerState => ({ steps: 0, moments: {} });

/** The learning rates of options that give none: PyTorch's. */
export const defaultRates = { sgd: 0.01, adam: 0.001, adamW: 0.001, rmsProp: 0.01 } as const;

/** The weight decay of options that give none, likewise. */
const defaultDecays = { adam: 0, adamW: 0.01 } as const;

/**
 * Stochastic gradient descent, with momentum:
 *
 *     g ← g + weightDecay·θ
 *     v ← momentum·v + g
 *     θ ← θ − rate·v                        with nesterov: θ ← θ − rate·(g + momentum·v)
 *
 * Remembers `velocity` v (only with momentum).
 *
 * @throws RangeError if an option is out of range, or a gradient or what was remembered does not fit its parameter; then
 *   nothing has moved
 * @see Sutskever et al., On the importance of initialization and momentum in deep learning, ICML 2013, section 2: there the
 *   rate is part of v, here it is not, so that it may change
 */
export function sgd(
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  options: SgdOptions = {},
): void {
  const { rate, momentum, nesterov, weightDecay, remembered } = sgdRule(options);
  for (const { theta, gradient, moments } of begin('sgd', parameters, gradients, state, remembered)) {
    const [velocity] = moments;
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i] + weightDecay * theta[i];
      const v = momentum === 0 ? g : (velocity[i] = momentum * velocity[i] + g);
      theta[i] -= rate * (nesterov ? g + momentum * v : v);
    }
  }
}

/**
 * Adam: every number moves by about the rate, however large its gradients are.
 *
 *     g ← g + weightDecay·θ
 *     m ← β₁·m + (1 − β₁)·g                 m̂ = m / (1 − β₁ᵗ)
 *     s ← β₂·s + (1 − β₂)·g²                ŝ = s / (1 − β₂ᵗ)
 *     θ ← θ − rate·m̂ / (√ŝ + eps)
 *
 * Remembers `mean` m and `square` s.
 *
 * @throws RangeError if an option is out of range, or a gradient or what was remembered does not fit its parameter; then
 *   nothing has moved
 * @see Kingma & Ba, Adam: a method for stochastic optimization, arXiv:1412.6980, algorithm 1 (there s is called v)
 */
export function adam(
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  options: AdamOptions = {},
): void {
  const { rate, direction, weightDecay, remembered } = adamRule('adam', options);
  for (const { theta, gradient, moments } of begin('adam', parameters, gradients, state, remembered)) {
    const step = direction(state.steps);
    for (let i = 0; i < theta.length; i++) theta[i] -= rate * step(moments, i, gradient[i] + weightDecay * theta[i]);
  }
}

/**
 * Adam with decoupled weight decay: every step shrinks the parameter itself, and the decay does not enter the moments.
 *
 *     θ ← θ − rate·weightDecay·θ
 *     θ ← θ − rate·m̂ / (√ŝ + eps)           m̂ and ŝ as in adam, without weight decay
 *
 * Remembers `mean` m and `square` s.
 *
 * @throws RangeError if an option is out of range, or a gradient or what was remembered does not fit its parameter; then
 *   nothing has moved
 * @see Loshchilov & Hutter, Decoupled weight decay regularization, arXiv:1711.05101, algorithm 2: there only the schedule
 *   multiplies the decay, here the whole rate does
 */
export function adamW(
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  options: AdamOptions = {},
): void {
  const { rate, direction, weightDecay, remembered } = adamRule('adamW', options);
  for (const { theta, gradient, moments } of begin('adamW', parameters, gradients, state, remembered)) {
    const step = direction(state.steps);
    for (let i = 0; i < theta.length; i++) {
      theta[i] -= rate * weightDecay * theta[i];
      theta[i] -= rate * step(moments, i, gradient[i]);
    }
  }
}

/**
 * RMSProp: every number moves by its gradient over the root of the mean square of its recent gradients.
 *
 *     g ← g + weightDecay·θ
 *     s ← alpha·s + (1 − alpha)·g²
 *     v ← momentum·v + g / (√s + eps)
 *     θ ← θ − rate·v
 *
 * s starts from 0 and is not corrected for it: the first step is rate / √(1 − alpha) long, ten times the rate by default.
 * Remembers `square` s and (only with momentum) `velocity` v.
 *
 * @throws RangeError if an option is out of range, or a gradient or what was remembered does not fit its parameter; then
 *   nothing has moved
 * @see Tieleman & Hinton, Neural networks for machine learning (Coursera 2012), lecture 6e
 */
export function rmsProp(
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  options: RmsPropOptions = {},
): void {
  const { rate, alpha, eps, momentum, weightDecay, remembered } = rmsPropRule(options);
  for (const { theta, gradient, moments } of begin('rmsProp', parameters, gradients, state, remembered)) {
    const [square, velocity] = moments;
    for (let i = 0; i < theta.length; i++) {
      const g = gradient[i] + weightDecay * theta[i];
      square[i] = alpha * square[i] + (1 - alpha) * (g * g);
      const step = g / (Math.sqrt(square[i]) + eps);
      theta[i] -= rate * (momentum === 0 ? step : (velocity[i] = momentum * velocity[i] + step));
    }
  }
}

/** The optimizers by name. */
export const optimizers = { sgd, adam, adamW, rmsProp } as const;

export type OptimizerName = keyof typeof optimizers;

/** What every optimizer is, with the options that all of them have. */
export type Optimizer = (
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  options?: CommonOptions,
) => void;

interface CommonOptions {
  /** The learning rate, ≥ 0. Default: that of defaultRates. */
  readonly rate?: number;
  /** How strongly parameters are drawn to 0, ≥ 0. Default 0, in adamW 0.01. */
  readonly weightDecay?: number;
}

export interface SgdOptions extends CommonOptions {
  /** The share of the last velocity that is kept, in [0, 1). Default 0. */
  readonly momentum?: number;
  /** To take the gradient as if the velocity had already been followed. Needs momentum. Default false. */
  readonly nesterov?: boolean;
}

/** The options of adam and of adamW. */
export interface AdamOptions extends CommonOptions {
  /** The shares [β₁, β₂] of the last mean and of the last mean square that are kept, in [0, 1). Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root, not under it, ≥ 0. With 0, a gradient that has always been 0 makes NaN. Default 1e−8. */
  readonly eps?: number;
}

export interface RmsPropOptions extends CommonOptions {
  /** The share of the last mean square that is kept, in [0, 1). Default 0.99. */
  readonly alpha?: number;
  /** Added to the root, not under it, ≥ 0. With 0, a gradient that has always been 0 makes NaN. Default 1e−8. */
  readonly eps?: number;
  /** The share of the last velocity that is kept, in [0, 1). Default 0. */
  readonly momentum?: number;
}

/** The options of each optimizer, those left out filled in, and what it remembers with them. */
export const rules = {
  sgd: sgdRule,
  adam: (options: AdamOptions) => adamRule('adam', options),
  adamW: (options: AdamOptions) => adamRule('adamW', options),
  rmsProp: rmsPropRule,
} as const;

function sgdRule(options: SgdOptions) {
  knownOptions('sgd', options, ['rate', 'momentum', 'nesterov', 'weightDecay']);
  const { rate = defaultRates.sgd, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  between('sgd: rate', rate, 0);
  belowOne('sgd: momentum', momentum);
  trueOrFalse('sgd: nesterov', nesterov);
  if (nesterov && momentum === 0)
    throw new RangeError('sgd: momentum is 0, expected a number above 0 where nesterov is true');
  between('sgd: weightDecay', weightDecay, 0);
  return { rate, momentum, nesterov, weightDecay, remembered: momentum === 0 ? [] : ['velocity'] };
}

/** What adam and adamW share. `direction(t)` takes g into the moments of number i, and gives m̂ / (√ŝ + eps). */
function adamRule(name: 'adam' | 'adamW', options: AdamOptions) {
  knownOptions(name, options, ['rate', 'betas', 'eps', 'weightDecay']);
  const { rate = defaultRates[name], betas = [0.9, 0.999], eps = 1e-8, weightDecay = defaultDecays[name] } = options;
  between(`${name}: rate`, rate, 0);
  if (!Array.isArray(betas) || betas.length !== 2)
    throw new RangeError(`${name}: betas is ${JSON.stringify(betas)}, expected two numbers from 0 to below 1`);
  belowOne(`${name}: betas[0]`, betas[0]);
  belowOne(`${name}: betas[1]`, betas[1]);
  between(`${name}: eps`, eps, 0);
  between(`${name}: weightDecay`, weightDecay, 0);
  const [beta1, beta2] = betas;
  const direction = (t: number) => {
    const [bias1, bias2] = [1 - beta1 ** t, 1 - beta2 ** t];
    return ([mean, square]: readonly Float64Array[], i: number, g: number) => {
      mean[i] = beta1 * mean[i] + (1 - beta1) * g;
      square[i] = beta2 * square[i] + (1 - beta2) * (g * g);
      return mean[i] / bias1 / (Math.sqrt(square[i] / bias2) + eps);
    };
  };
  return { rate, betas, eps, weightDecay, direction, remembered: ['mean', 'square'] };
}

function rmsPropRule(options: RmsPropOptions) {
  knownOptions('rmsProp', options, ['rate', 'alpha', 'eps', 'momentum', 'weightDecay']);
  const { rate = defaultRates.rmsProp, alpha = 0.99, eps = 1e-8, momentum = 0, weightDecay = 0 } = options;
  between('rmsProp: rate', rate, 0);
  belowOne('rmsProp: alpha', alpha);
  between('rmsProp: eps', eps, 0);
  belowOne('rmsProp: momentum', momentum);
  between('rmsProp: weightDecay', weightDecay, 0);
  const remembered = momentum === 0 ? ['square'] : ['square', 'velocity'];
  return { rate, alpha, eps, momentum, weightDecay, remembered };
}

/** @throws RangeError 'sgd: momentum is 1, expected a number from 0 to below 1' */
function belowOne(what: string, value: number): void {
  if (!(typeof value === 'number' && value >= 0 && value < 1))
    throw new RangeError(`${what} is ${value}, expected a number from 0 to below 1`);
}

/**
 * Begins a step: everything fits, or nothing is changed. Counts the step, and gives the numbers of every parameter, of its
 * gradient and of what is remembered of it, in the order of `remembered`.
 */
function begin(
  name: OptimizerName,
  parameters: Parameters,
  gradients: Parameters,
  state: OptimizerState,
  remembered: readonly string[],
) {
  const moments: Record<string, Tensor> = {};
  const all = Object.entries(parameters).map(([parameter, theta]) => {
    const gradient = gradients[parameter];
    if (gradient === undefined)
      throw new RangeError(`${name}: there is no gradient of ${parameter}, expected one for every parameter`);
    dims(`${name}: the gradient of ${parameter}`, gradient, theta.shape);
    const own = remembered.map((moment) => {
      const key = `${parameter}.${moment}`;
      if (state.steps > 0 && !(key in state.moments))
        throw new RangeError(
          `${name}: the state of step ${state.steps} has no ${key}, expected one for every parameter`,
        );
      moments[key] = state.moments[key] ?? zeros(theta.shape);
      dims(`${name}: ${key}`, moments[key], theta.shape);
      return moments[key].data;
    });
    return { theta: theta.data, gradient: gradient.data, moments: own };
  });
  state.steps++;
  Object.assign(state.moments, moments);
  return all;
}
