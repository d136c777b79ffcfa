import { all, create, type BigNumber, type Fraction } from 'mathjs';

/**
 * The layers in exact arithmetic: fractions where sums and products suffice, decimals of 64 digits or more where exp and
 * log appear, rounded once at the end. Gradients are difference quotients of the forward formula: no backward formula is
 * involved, and nothing here is shared with src/.
 */

type Exact = Fraction | BigNumber;
interface ExactTensor {
  readonly shape: readonly number[];
  readonly data: readonly Exact[];
}
interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}
type Named<T> = Readonly<Record<string, T>>;
type Pair = readonly [height: number, width: number];

/** A call of a layer or of a network, every option written out. */
export interface ExactCall {
  readonly inputs: Named<FloatTensor>;
  readonly constants?: Named<FloatTensor>;
  readonly options: object;
  readonly dy: FloatTensor;
}
export interface ExactResult {
  readonly y: FloatTensor;
  readonly gradients: Named<FloatTensor>;
}

// ── Numbers ─────────────────────────────────────────────────────────────────

const math = create(all, {});
// The methods, which fractions and decimals have in common: mathjs' own functions take half the time to choose one.
const add = (a: Exact, b: Exact): Exact => (a as BigNumber).add(b as BigNumber);
const subtract = (a: Exact, b: Exact): Exact => (a as BigNumber).sub(b as BigNumber);
const multiply = (a: Exact, b: Exact): Exact => (a as BigNumber).mul(b as BigNumber);
const divide = (a: Exact, b: Exact): Exact => (a as BigNumber).div(b as BigNumber);
const exp = (a: Exact): Exact => once(`exp ${a}`, () => math.exp(a as BigNumber));
const log = (a: Exact): Exact => once(`log ${a}`, () => math.log(a as BigNumber));
const squareRoot = (a: Exact): Exact => (a as BigNumber).sqrt();
/** What exp and log gave, at the present number of digits: one coordinate moves at a time, and 1024 digits take 0.1 s. */
const known = new Map<string, Exact>();
function once(what: string, compute: () => unknown): Exact {
  if (!known.has(what)) known.set(what, compute() as Exact);
  return known.get(what) as Exact;
}
/** Not math.larger, which takes nearly equal decimals for equal. */
const larger = (a: Exact, b: Exact) => ('n' in a ? a.compare(b as Fraction) > 0 : a.gt(b as BigNumber));

/** A kind of exact number: how it is made of a float64, without any rounding that shows, and rounded to one. */
interface Arithmetic {
  readonly of: (value: number) => Exact;
  /** A step so small that it passes no kink, and 2⁻ⁿ or 10⁻ⁿ so that it is exact. */
  readonly h: Exact;
}

const fractions: Arithmetic = {
  of(value) {
    if (!Number.isFinite(value)) throw new RangeError(`an input is ${value}, expected finite numbers, or \`worked\``);
    let denominator = 1n;
    for (; !Number.isInteger(value); value *= 2) denominator *= 2n;
    return math.fraction(BigInt(value), denominator);
  },
  h: math.fraction(1n, 2n ** 200n),
};

/** Decimals of so many digits. A central difference of step h errs by h² and by 10^−digits / h: h = 10^(−digits / 3). */
function decimals(digits: number): Arithmetic {
  math.config({ precision: digits });
  known.clear();
  return {
    of(value) {
      const { n, d, s } = fractions.of(value) as Fraction;
      return divide(math.bignumber(`${s * n}`), math.bignumber(`${d}`));
    },
    h: math.bignumber(`1e-${Math.floor(digits / 3)}`),
  };
}

/** To the nearest float64, once. */
function round(value: Exact): number {
  const decimal =
    'n' in value ? math.divide(math.bignumber(`${value.s * value.n}`), math.bignumber(`${value.d}`)) : value;
  return Number(decimal.toString()) + 0; // no −0
}

// ── Formulas ────────────────────────────────────────────────────────────────

interface Formula {
  /** The exact y of layer(...inputs, ...constants, options). */
  readonly y: (args: readonly ExactTensor[], options: never, of: Arithmetic['of']) => ExactTensor;
  /** Decimals where fractions do not suffice. */
  readonly needs: 'fractions' | 'decimals';
  /** Element i of an input, moved by less than any difference, off its kink to the side on which the gradient is declared. */
  readonly aside?: (value: Exact, i: number) => Exact;
}

interface Window {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };
  readonly dilation: Pair;
  readonly ceilMode?: boolean;
}

const TINY = math.fraction(1n, 2n ** 100n);

export const formulas: Named<Formula> = {
  conv2d: {
    needs: 'fractions',
    y: ([x, w, b], options: Omit<Window, 'kernel'>, of) => convolution(x, w, b, 1, options, of),
  },

  groupedConv2d: {
    needs: 'fractions',
    y: ([x, w, b], { groups, ...options }: Omit<Window, 'kernel'> & { groups: number }, of) =>
      convolution(x, w, b, groups, options, of),
  },

  maxPool2d: {
    needs: 'fractions',
    aside: (value, i) => subtract(value, multiply(TINY, math.fraction(i))), // of equal pixels, the first is the largest
    y([x], options: Window) {
      const [N, C, H, W] = x.shape;
      const rows = taps(H, options.kernel[0], 0, options);
      const columns = taps(W, options.kernel[1], 1, options);
      return tabulate([N, C, rows.length, columns.length], (n, c, oh, ow) => {
        const pixels = rows[oh]
          .filter((ih) => ih >= 0 && ih < H)
          .flatMap((ih) => columns[ow].filter((iw) => iw >= 0 && iw < W).map((iw) => at(x, n, c, ih, iw)));
        if (pixels.length === 0) throw new Error('a window misses the image: y is −∞, to be worked by hand');
        return pixels.reduce((a, b) => (larger(b, a) ? b : a));
      });
    },
  },

  avgPool2d: {
    needs: 'fractions',
    y([x], options: Omit<Window, 'dilation'> & { countIncludePad: boolean }, of) {
      const [N, C, H, W] = x.shape;
      const window = { ...options, dilation: [1, 1] as const };
      const rows = taps(H, options.kernel[0], 0, window);
      const columns = taps(W, options.kernel[1], 1, window);
      const { top, bottom, left, right } = options.padding;
      const counts = (ih: number, iw: number) =>
        options.countIncludePad
          ? -top <= ih && ih < H + bottom && -left <= iw && iw < W + right
          : 0 <= ih && ih < H && 0 <= iw && iw < W;
      return tabulate([N, C, rows.length, columns.length], (n, c, oh, ow) => {
        const places = rows[oh].flatMap((ih) => columns[ow].map((iw) => [ih, iw]));
        const pixels = places.filter(([ih, iw]) => ih >= 0 && ih < H && iw >= 0 && iw < W);
        const total = pixels.map(([ih, iw]) => at(x, n, c, ih, iw)).reduce(add, of(0));
        return divide(total, of(places.filter(([ih, iw]) => counts(ih, iw)).length));
      });
    },
  },

  globalAvgPool2d: {
    needs: 'fractions',
    y([x], _, of) {
      const [N, C, H, W] = x.shape;
      const channel = (n: number, c: number) => x.data.slice((n * C + c) * H * W, (n * C + c + 1) * H * W);
      return tabulate([N, C], (n, c) => divide(channel(n, c).reduce(add), of(H * W)));
    },
  },

  batchNorm: {
    needs: 'decimals',
    y([x, gamma, beta], { eps }: { eps: number }, of) {
      const statistics = batchStatistics(x, of);
      return normalised(x, gamma, beta, statistics.mean, statistics.variance, eps, of);
    },
  },

  batchNormInference: {
    needs: 'decimals',
    y: ([x, gamma, beta, mean, variance], { eps }: { eps: number }, of) =>
      normalised(x, gamma, beta, mean.data, variance.data, eps, of),
  },

  dropout: {
    needs: 'fractions',
    y([x, mask], { p }: { p: number }, of) {
      const perMask = x.data.length / mask.data.length; // 1, or the pixels of a channel
      const kept = (i: number) => p < 1 && round(mask.data[Math.floor(i / perMask)]) === 1;
      return {
        shape: x.shape,
        data: x.data.map((value, i) => (kept(i) ? divide(value, subtract(of(1), of(p))) : of(0))),
      };
    },
  },

  relu: {
    needs: 'fractions',
    aside: (value) => subtract(value, TINY), // the slope at 0 is that of the left
    y: ([x], _, of) => ({ shape: x.shape, data: x.data.map((value) => (larger(value, of(0)) ? value : of(0))) }),
  },

  leakyRelu: {
    needs: 'fractions',
    aside: (value) => subtract(value, TINY), // the slope at 0 is that of the left
    y: ([x], { negativeSlope }: { negativeSlope: number }, of) => ({
      shape: x.shape,
      data: x.data.map((value) => (larger(value, of(0)) ? value : multiply(of(negativeSlope), value))),
    }),
  },

  tanh: {
    needs: 'decimals',
    y: ([x], _, of) => ({
      shape: x.shape,
      data: x.data.map((value) => {
        const square = exp(add(value, value));
        return divide(subtract(square, of(1)), add(square, of(1)));
      }),
    }),
  },

  sigmoid: {
    needs: 'decimals',
    y: ([x], _, of) => ({
      shape: x.shape,
      data: x.data.map((value) => divide(of(1), add(of(1), exp(subtract(of(0), value))))),
    }),
  },

  flatten: {
    needs: 'fractions',
    y: ([x]) => ({ shape: [x.shape[0], x.data.length / x.shape[0]], data: x.data }),
  },

  linear: {
    needs: 'fractions',
    y([x, w, b]) {
      const [N, D] = x.shape;
      return tabulate([N, w.shape[0]], (n, o) => {
        let sum = at(b, o);
        for (let d = 0; d < D; d++) sum = add(sum, multiply(at(x, n, d), at(w, o, d)));
        return sum;
      });
    },
  },

  softmax: {
    needs: 'decimals',
    y([x]) {
      const powers = tabulate(x.shape, (n, k) => exp(at(x, n, k))); // exact arithmetic does not overflow: no shift
      return tabulate(x.shape, (n, k) => divide(at(powers, n, k), rowSum(powers, n)));
    },
  },

  logSoftmax: {
    needs: 'decimals',
    y([x]) {
      const powers = tabulate(x.shape, (n, k) => exp(at(x, n, k)));
      return tabulate(x.shape, (n, k) => subtract(at(x, n, k), log(rowSum(powers, n))));
    },
  },

  softmaxCrossEntropy: {
    needs: 'decimals',
    y([logits, labels], _, of) {
      const [N, K] = logits.shape;
      const powers = tabulate(logits.shape, (n, k) => exp(at(logits, n, k)));
      let total = of(0);
      for (let n = 0; n < N; n++) {
        const logSum = log(rowSum(powers, n));
        for (let k = 0; k < K; k++) {
          const target = labels.shape.length === 2 ? at(labels, n, k) : of(round(at(labels, n)) === k ? 1 : 0);
          total = add(total, multiply(target, subtract(logSum, at(logits, n, k))));
        }
      }
      return { shape: [], data: [divide(total, of(N))] };
    },
  },

  meanSquaredError: {
    needs: 'fractions',
    y([x, target], _, of) {
      const squares = x.data.map((value, i) => {
        const error = subtract(value, target.data[i]);
        return multiply(error, error);
      });
      return { shape: [], data: [divide(squares.reduce(add), of(squares.length))] };
    },
  },
};

function convolution(
  x: ExactTensor,
  w: ExactTensor,
  b: ExactTensor,
  groups: number,
  options: Omit<Window, 'kernel'>,
  of: Arithmetic['of'],
): ExactTensor {
  const [N, , H, W] = x.shape;
  const [O, slice, KH, KW] = w.shape;
  const rows = taps(H, KH, 0, options);
  const columns = taps(W, KW, 1, options);
  return tabulate([N, O, rows.length, columns.length], (n, o, oh, ow) => {
    const group = Math.floor((o * groups) / O);
    let sum = at(b, o);
    for (let c = 0; c < slice; c++)
      rows[oh].forEach((ih, kh) =>
        columns[ow].forEach((iw, kw) => {
          const pixel = ih >= 0 && ih < H && iw >= 0 && iw < W ? at(x, n, group * slice + c, ih, iw) : of(0);
          sum = add(sum, multiply(pixel, at(w, o, c, kh, kw)));
        }),
      );
    return sum;
  });
}

/** Mean and biased variance of every channel of x (N, C, …), of `count` values each. */
export function batchStatistics(x: ExactTensor, of: Arithmetic['of']) {
  const C = x.shape[1];
  const count = x.data.length / C;
  const channels = Array.from({ length: C }, (_, c) => x.data.filter((_, i) => channelOf(x, i) === c));
  const mean = channels.map((values) => divide(values.reduce(add), of(count)));
  const variance = channels.map((values, c) => {
    const squares = values.map((value) => multiply(subtract(value, mean[c]), subtract(value, mean[c])));
    return divide(squares.reduce(add), of(count));
  });
  return { mean, variance, count };
}

function normalised(
  x: ExactTensor,
  gamma: ExactTensor,
  beta: ExactTensor,
  mean: readonly Exact[],
  variance: readonly Exact[],
  eps: number,
  of: Arithmetic['of'],
): ExactTensor {
  const deviation = variance.map((value) => squareRoot(add(value, of(eps))));
  const y = (value: Exact, c: number) =>
    add(multiply(gamma.data[c], divide(subtract(value, mean[c]), deviation[c])), beta.data[c]);
  return { shape: x.shape, data: x.data.map((value, i) => y(value, channelOf(x, i))) };
}

/** The channel of element i of x (N, C, …). */
const channelOf = ({ shape: [N, C], data }: ExactTensor, i: number) => Math.floor(i / (data.length / (N * C))) % C;

/** places[p][k]: the row or column under tap k where the window stops for the p-th time, counted out along one axis. */
export function taps(
  size: number,
  count: number,
  axis: 0 | 1,
  options: Omit<Window, 'kernel'>,
): readonly (readonly number[])[] {
  const { top, bottom, left, right } = options.padding;
  const [before, after] = axis === 0 ? [top, bottom] : [left, right];
  const [stride, dilation] = [options.stride[axis], options.dilation[axis]];
  const end = (first: number) => first + (count - 1) * dilation;
  const lies = (first: number) => end(first) < size + after;
  const stops = options.ceilMode ? (first: number) => lies(first - stride + 1) && first < size : lies;
  const places: number[][] = [];
  for (let first = -before; stops(first); first += stride)
    places.push(Array.from({ length: count }, (_, k) => first + k * dilation));
  return places;
}

function at({ shape, data }: ExactTensor, ...index: readonly number[]): Exact {
  return data[index.reduce((position, i, axis) => position * shape[axis] + i, 0)];
}

function tabulate(shape: readonly number[], f: (...index: number[]) => Exact): ExactTensor {
  const indices = shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  );
  return { shape, data: indices.map((index) => f(...index)) };
}

function rowSum(x: ExactTensor, n: number): Exact {
  const K = x.shape[1];
  return x.data.slice(n * K, (n + 1) * K).reduce(add);
}

// ── Running statistics ──────────────────────────────────────────────────────

/** Batches one after the other, x (steps, N, C, …), and what was known before the first. */
export interface ExactBatches {
  readonly running: { readonly mean: FloatTensor; readonly variance: FloatTensor };
  readonly x: FloatTensor;
  readonly options: { readonly decay: number; readonly unbiased: boolean };
}

/** The running statistics after each batch, no recursion but the sum: decayᵗ·running + (1 − decay)·Σ decayᵗ⁻ᵏ·batchₖ. */
export function runningStatistics({ running, x, options: { decay, unbiased } }: ExactBatches): Named<FloatTensor> {
  const { of } = fractions;
  const [steps, ...shape] = x.shape;
  const [one, keep] = [of(1), of(decay)];
  const power = (n: number): Exact => Array.from({ length: n }, () => keep).reduce<Exact>(multiply, one);
  const batches = Array.from({ length: steps }, (_, k) => {
    const size = x.data.length / steps;
    const batch = Array.from(x.data).slice(k * size, (k + 1) * size);
    const { mean, variance, count } = batchStatistics({ shape, data: batch.map(of) }, of);
    const sample = unbiased ? divide(of(count), of(count - 1)) : one;
    return { mean, variance: variance.map((value) => multiply(value, sample)) };
  });
  const after = (which: 'mean' | 'variance'): FloatTensor => {
    const C = running[which].data.length;
    const at = (t: number, c: number): Exact =>
      batches
        .slice(0, t)
        .map((batch, k) => multiply(multiply(subtract(one, keep), power(t - 1 - k)), batch[which][c]))
        .reduce(add, multiply(power(t), of(running[which].data[c])));
    const data = Array.from({ length: steps * C }, (_, i) => round(at(Math.floor(i / C) + 1, i % C)));
    return { shape: [steps, C], data };
  };
  return { mean: after('mean'), variance: after('variance') };
}

// ── Networks ────────────────────────────────────────────────────────────────

/** A step of a network: layer(previous y, ...the inputs and constants named, options), or the sum of two branches. */
export type ExactStep = ExactLayer | { readonly name: string; readonly body: Steps; readonly shortcut: Steps };
export interface ExactLayer {
  readonly layer: string;
  readonly arguments: readonly string[];
  readonly options: object;
}
type Steps = readonly ExactStep[];

/** The steps one after the other, from the input x on. */
export function chain(steps: Steps, names: readonly string[]): Formula {
  const layers = (part: Steps): readonly ExactLayer[] =>
    part.flatMap((step) => ('layer' in step ? [step] : [...layers(step.body), ...layers(step.shortcut)]));
  return {
    needs: layers(steps).some(({ layer }) => formulas[layer].needs === 'decimals') ? 'decimals' : 'fractions',
    y(args, _, of) {
      const named = Object.fromEntries(names.map((name, i) => [name, args[i]]));
      const run = (part: Steps, x: ExactTensor): ExactTensor =>
        part.reduce((y, step) => {
          if ('layer' in step)
            return formulas[step.layer].y([y, ...step.arguments.map((k) => named[k])], step.options as never, of);
          const [body, shortcut] = [run(step.body, y), run(step.shortcut, y)];
          return { shape: body.shape, data: body.data.map((value, i) => add(value, shortcut.data[i])) };
        }, x);
      return run(steps, named.x);
    },
  };
}

// ── Results ─────────────────────────────────────────────────────────────────

/**
 * y, and the gradient of ⟨y, dy⟩ along every coordinate of every input, right to the last bit: what two numbers of digits
 * agree on. `stored` is what such a pair gave before; if the first number of digits gives it again, that is enough.
 */
export function exact(formula: Formula, call: ExactCall, stored?: ExactResult): ExactResult {
  if (formula.needs === 'fractions') return evaluate(formula, call, fractions);
  // exp(−500) is lost beside 1 unless there are 217 digits more; what is beyond exp(−745) is 0 in float64.
  const largest = Math.max(...Object.values(call.inputs).flatMap(({ data }) => Array.from(data, Math.abs)));
  const first = 64 + Math.min(600, Math.ceil(largest));
  let result = evaluate(formula, call, decimals(first));
  if (JSON.stringify(result) === JSON.stringify(stored)) return result;
  // Too few digits all the same? Take more until the answers agree.
  for (let digits = first + 64; digits <= 4096; digits *= 2) {
    const again = evaluate(formula, call, decimals(digits));
    if (JSON.stringify(again) === JSON.stringify(result)) return again;
    result = again;
  }
  throw new Error('4096 digits do not settle the last bit');
}

function evaluate(
  formula: Formula,
  { inputs, constants = {}, options, dy }: ExactCall,
  { of, h }: Arithmetic,
): ExactResult {
  const lift = ({ shape, data }: FloatTensor): ExactTensor => ({ shape, data: Array.from(data, of) });
  const drop = ({ shape, data }: ExactTensor): FloatTensor => ({ shape, data: data.map(round) });
  const given = Object.values(inputs).map(lift);
  const fixed = Object.values(constants).map(lift);
  const slope = lift(dy);

  const y = formula.y([...given, ...fixed], options as never, of);
  if (`${y.shape}` !== `${dy.shape}`) throw new Error(`dy has shape (${dy.shape}), expected (${y.shape})`);
  const { aside } = formula;
  const settled = aside ? given.map(({ shape, data }) => ({ shape, data: data.map(aside) })) : given;
  const loss = (input: number, i: number, step: Exact): Exact => {
    const moved = settled.map(({ shape, data }, k) =>
      k === input ? { shape, data: data.map((value, j) => (j === i ? add(value, step) : value)) } : { shape, data },
    );
    const { data } = formula.y([...moved, ...fixed], options as never, of);
    return data.map((value, p) => multiply(value, slope.data[p])).reduce(add);
  };
  const quotient = (input: number, i: number): Exact =>
    divide(subtract(loss(input, i, h), loss(input, i, subtract(of(0), h))), add(h, h));
  const gradients = Object.keys(inputs).map((name, input) => [
    `d${name}`,
    drop({ shape: given[input].shape, data: given[input].data.map((_, i) => quotient(input, i)) }),
  ]);
  return { y: drop(y), gradients: Object.fromEntries(gradients) };
}

/** What y does on both sides of a point, along coordinate i of an input: one slope for each of its numbers. */
export interface SidesOf {
  readonly input: string;
  readonly i: number;
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** The slope on the side of a kink where the gradient is declared to be. */
  readonly declared: readonly number[];
}

/** The slopes of every number of y along every coordinate of every input, on both sides: for layers of fractions. */
export function sides(
  formula: Formula,
  { inputs, constants = {}, options }: Omit<ExactCall, 'dy'>,
): readonly SidesOf[] {
  const { of, h } = fractions;
  const { aside = (value) => value } = formula;
  const lift = ({ shape, data }: FloatTensor): ExactTensor => ({ shape, data: Array.from(data, of) });
  const fixed = Object.values(constants).map(lift);
  const given = Object.entries(inputs).map(([name, x]) => ({ name, ...lift(x) }));
  const settled = given.map(({ name, shape, data }) => ({ name, shape, data: data.map(aside) }));
  const y = (point: readonly (ExactTensor & { name: string })[], input?: string, i?: number, step: Exact = of(0)) => {
    const moved = point.map(({ name, shape, data }) => ({
      ...{ shape, data: data.map((value, j) => (name === input && i === j ? add(value, step) : value)) },
    }));
    return formula.y([...moved, ...fixed], options as never, of).data;
  };
  const slopes = (up: readonly Exact[], down: readonly Exact[], run: Exact) =>
    up.map((value, p) => round(divide(subtract(value, down[p]), run)));
  const [here, back] = [y(given), subtract(of(0), h)];
  return given.flatMap(({ name, data }) =>
    data.map((_, i) => ({
      ...{ input: name, i },
      left: slopes(here, y(given, name, i, back), h),
      right: slopes(y(given, name, i, h), here, h),
      declared: slopes(y(settled, name, i, h), y(settled, name, i, back), add(h, h)),
    })),
  );
}
