import { all, create, type BigNumber } from 'mathjs';

/**
 * The optimizers in decimals of 64 digits, rounded once at the end. What an optimizer remembers is no recursion here, but
 * the sum over all gradients so far that it stands for. Nothing is shared with src/.
 */

interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Named<T> = Readonly<Record<string, T>>;

/** Steps of an optimizer, every option written out. */
export interface ExactSteps {
  readonly optimizer: string;
  /** Before the first step. */
  readonly parameters: Named<FloatTensor>;
  /** For each parameter one gradient after the other: (steps, …its shape). */
  readonly gradients: Named<FloatTensor>;
  readonly options: object;
}
export interface ExactTrace {
  /** Each parameter after every step: (steps, …its shape). */
  readonly after: Named<FloatTensor>;
  /** What is remembered after the last step: 'conv1.weight.velocity'. */
  readonly state: Named<FloatTensor>;
}

const math = create(all, { precision: 64 });

/** A float64, to 64 digits. */
function decimal(value: number): BigNumber {
  let halvings = 0;
  for (; !Number.isInteger(value); value *= 2) halvings++;
  return math.bignumber(BigInt(value).toString()).div(math.bignumber(2).pow(halvings));
}
const round = (value: BigNumber): number => Number(value.toString()) + 0; // no −0

const ONE = math.bignumber(1);
/** Σ keepᵗ⁻ᵏ · termₖ over k = 1 … t: the last term whole, each before it less. */
const fading = (keep: BigNumber, terms: readonly BigNumber[]): BigNumber =>
  terms.map((term, k) => keep.pow(terms.length - 1 - k).mul(term)).reduce((a, b) => a.add(b));
/** The mean of the terms under those weights: divided by their sum. */
function fadingMean(keep: BigNumber, terms: readonly BigNumber[]): BigNumber {
  const ones = terms.map(() => ONE);
  return fading(keep, terms).div(fading(keep, ones));
}
const squares = (terms: readonly BigNumber[]) => terms.map((term) => term.mul(term));

/** Of these, those that the optimizer has. */
interface Options {
  readonly rate: BigNumber;
  readonly weightDecay: BigNumber;
  readonly momentum: BigNumber;
  readonly nesterov: boolean;
  readonly betas: readonly [BigNumber, BigNumber];
  readonly alpha: BigNumber;
  readonly eps: BigNumber;
}

/** From the gradients so far of one number, the last of them last: θ moves by −rate·step. */
type Formula = (gradients: readonly BigNumber[], options: Options) => { step: BigNumber; moments: Named<BigNumber> };

const adam: Formula = (g, { betas: [beta1, beta2], eps }) => ({
  step: fadingMean(beta1, g).div(fadingMean(beta2, squares(g)).sqrt().add(eps)),
  moments: {
    mean: fading(beta1, g).mul(ONE.sub(beta1)),
    square: fading(beta2, squares(g)).mul(ONE.sub(beta2)),
  },
});

const formulas: Named<Formula> = {
  sgd(g, { momentum, nesterov }) {
    const velocity = fading(momentum, g);
    const ahead = g[g.length - 1].add(momentum.mul(velocity));
    return { step: nesterov ? ahead : velocity, moments: momentum.isZero() ? {} : { velocity } };
  },
  adam,
  adamW: adam,
  rmsProp(g, { alpha, eps, momentum }) {
    const square = (t: number) => fading(alpha, squares(g.slice(0, t))).mul(ONE.sub(alpha));
    const scaled = g.map((gradient, k) => gradient.div(eps.add(square(k + 1).sqrt())));
    const velocity = fading(momentum, scaled);
    return { step: velocity, moments: { square: square(g.length), ...(!momentum.isZero() && { velocity }) } };
  },
};

/** Where one number goes. Weight decay is a gradient of its own, weightDecay·θ; in adamW it pulls at θ directly. */
function follow(optimizer: string, start: BigNumber, gradients: readonly BigNumber[], options: Options) {
  const { rate, weightDecay } = options;
  const seen: BigNumber[] = [];
  const after: BigNumber[] = [];
  let [theta, moments]: [BigNumber, Named<BigNumber>] = [start, {}];
  for (const gradient of gradients) {
    const decay = weightDecay.mul(theta);
    seen.push(optimizer === 'adamW' ? gradient : gradient.add(decay));
    const now = formulas[optimizer](seen, options);
    theta = theta.sub(rate.mul(optimizer === 'adamW' ? decay.add(now.step) : now.step));
    moments = now.moments;
    after.push(theta);
  }
  return { after, moments };
}

/** Every parameter after every step, and what is remembered at the end, right to the last bit. */
export function exactTrace({ optimizer, parameters, gradients, options }: ExactSteps): ExactTrace {
  if (!Object.hasOwn(formulas, optimizer))
    throw new RangeError(`there is no optimizer ${optimizer}, expected one of ${Object.keys(formulas).join(', ')}`);
  const lift = (option: unknown): unknown =>
    typeof option === 'number' ? decimal(option) : Array.isArray(option) ? option.map(lift) : option;
  const lifted = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, lift(option)]));
  const after: Record<string, FloatTensor> = {};
  const state: Record<string, FloatTensor> = {};
  for (const [name, { shape, data }] of Object.entries(parameters)) {
    const [steps] = gradients[name].shape;
    const paths = data.map((start, i) => {
      const own = Array.from({ length: steps }, (_, k) => decimal(gradients[name].data[k * data.length + i]));
      return follow(optimizer, decimal(start), own, lifted as unknown as Options);
    });
    const rows = Array.from({ length: steps }, (_, k) => paths.map((path) => round(path.after[k])));
    after[name] = { shape: [steps, ...shape], data: rows.flat() };
    for (const moment of Object.keys(paths[0].moments))
      state[`${name}.${moment}`] = { shape, data: paths.map(({ moments }) => round(moments[moment])) };
  }
  return { after, state };
}
