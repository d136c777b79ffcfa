import type { LayerName } from '../../src/layers.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { Call, Case, Layer } from '../law.ts';
import type { Arithmetic } from './arithmetic.ts';

type Numbers = readonly number[];
type Tensors = Readonly<Record<string, Tensor>>;
/** A layer in float32: the inputs and constants are float32 numbers, and so are the results. */
type Float32Layer = (a: Arithmetic) => Pick<Layer, 'forward' | 'backward'>;

const { fround } = Math;
const of = (shape: Numbers, data: Numbers): Tensor => ({ shape, data: Float64Array.from(data) });
const size = (shape: Numbers) => shape.reduce((a, b) => a * b, 1);
const lists = (count: number): [number[], number[]][] => Array.from({ length: count }, () => [[], []]);

// ── Windows ─────────────────────────────────────────────────────────────────

type Two = readonly [number, number];
const two = (value: unknown, otherwise: Two): Two =>
  value === undefined ? otherwise : typeof value === 'number' ? [value, value] : (value as Two);

/** Along one axis: for every place, which position lies under each tap (outside [0, n): none), and what counts as padded. */
function axis(n: number, taps: number, options: Record<string, unknown>, which: 0 | 1, pool: boolean) {
  const stride = two(options.stride, pool ? two(options.kernel, [1, 1]) : [1, 1])[which];
  const dilation = two(options.dilation, [1, 1])[which];
  const reach = dilation * (taps - 1) + 1;
  let [before, after] = [0, 0];
  const { padding = 0 } = options;
  if (padding === 'same') {
    const total = Math.max(0, (Math.ceil(n / stride) - 1) * stride + reach - n);
    [before, after] = [total >> 1, total - (total >> 1)];
  } else if (typeof padding === 'object' && padding !== null && 'top' in padding) {
    const border = padding as Record<string, number>;
    [before, after] = which === 0 ? [border.top, border.bottom] : [border.left, border.right];
  } else if (padding !== 'valid') before = after = two(padding, [0, 0])[which];
  let places = Math.floor((before + n + after - reach) / stride) + 1;
  if (options.ceilMode && places * stride + reach < before + n + after + stride && places * stride < before + n)
    places++;
  const under = Array.from({ length: places }, (_, place) =>
    Array.from({ length: taps }, (_, tap) => place * stride + tap * dilation - before),
  );
  return {
    places,
    under,
    inside: (i: number) => i >= 0 && i < n,
    padded: (i: number) => i >= -before && i < n + after,
  };
}

/** Every window of every channel, as pairs of where y and x lie; x is −1 under padding. And how many taps count. */
function pools({ inputs: { x }, options }: Call) {
  const [N, C, H, W] = x.shape;
  const given = options as Record<string, unknown>;
  const [KH, KW] = two(given.kernel, [1, 1]);
  const [rows, columns] = [axis(H, KH, given, 0, true), axis(W, KW, given, 1, true)];
  const shape = [N, C, rows.places, columns.places];
  const windows: { taps: number[]; count: number }[] = [];
  const every = given.countIncludePad !== false;
  for (let image = 0; image < N * C; image++)
    for (const under of rows.under)
      for (const across of columns.under) {
        const taps: number[] = [];
        let count = 0;
        for (const h of under)
          for (const w of across) {
            const inside = rows.inside(h) && columns.inside(w);
            taps.push(inside ? (image * H + h) * W + w : -1);
            if (every ? rows.padded(h) && columns.padded(w) : inside) count++;
          }
        windows.push({ taps, count });
      }
  return { shape, windows };
}

// ── Sums of products ────────────────────────────────────────────────────────

/** A layer y = b + Σ x·w is known by its triples: which y, which x (−1: a 0), which w. */
interface Products {
  readonly shape: Numbers;
  readonly triples: readonly (readonly [y: number, x: number, w: number])[];
  readonly bias: (y: number) => number;
}

const sumOfProducts =
  (products: (call: Call) => Products): Float32Layer =>
  ({ sum }) => ({
    forward(call) {
      const { x, w, b } = call.inputs;
      const { shape, triples, bias } = products(call);
      const terms = lists(size(shape));
      for (const [iy, ix, iw] of triples) {
        terms[iy][0].push(ix < 0 ? 0 : x.data[ix]);
        terms[iy][1].push(w.data[iw]);
      }
      return of(
        shape,
        terms.map(([left, right], iy) => sum(b.data[bias(iy)], left, right)),
      );
    },
    backward(call) {
      const { dy } = call;
      const { x, w, b } = call.inputs;
      const { triples, bias } = products(call);
      const [dx, dw, db] = [lists(x.data.length), lists(w.data.length), lists(b.data.length)];
      for (const [iy, ix, iw] of triples) {
        dw[iw][0].push(ix < 0 ? 0 : x.data[ix]);
        dw[iw][1].push(dy.data[iy]);
        if (ix < 0) continue;
        dx[ix][0].push(w.data[iw]);
        dx[ix][1].push(dy.data[iy]);
      }
      dy.data.forEach((slope, iy) => db[bias(iy)][0].push(slope));
      const added = (shape: Numbers, all: [number[], number[]][]) =>
        of(
          shape,
          all.map(([left, right]) => sum(0, left, right)),
        );
      return {
        dx: added(x.shape, dx),
        dw: added(w.shape, dw),
        db: of(
          b.shape,
          db.map(([slopes]) => sum(0, slopes)),
        ),
      };
    },
  });

const linear = sumOfProducts(({ inputs: { x, w } }) => {
  const [[N, D], [O]] = [x.shape, w.shape];
  const triples: [number, number, number][] = [];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++) for (let d = 0; d < D; d++) triples.push([n * O + o, n * D + d, o * D + d]);
  return { shape: [N, O], triples, bias: (y) => y % O };
});

const groupedConv2d = sumOfProducts(({ inputs: { x, w }, options }) => {
  const [[N, C, H, W], [O, slice, KH, KW]] = [x.shape, w.shape];
  const given = options as Record<string, unknown>;
  const [rows, columns] = [axis(H, KH, given, 0, false), axis(W, KW, given, 1, false)];
  const [OH, OW] = [rows.places, columns.places];
  const perGroup = (O * slice) / C; // kernels of a group
  const triples: [number, number, number][] = [];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++)
          for (let c = 0; c < slice; c++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++) {
                const [h, v] = [rows.under[oh][kh], columns.under[ow][kw]];
                const channel = Math.floor(o / perGroup) * slice + c;
                const pixel = rows.inside(h) && columns.inside(v) ? ((n * C + channel) * H + h) * W + v : -1;
                triples.push([((n * O + o) * OH + oh) * OW + ow, pixel, ((o * slice + c) * KH + kh) * KW + kw]);
              }
  return { shape: [N, O, OH, OW], triples, bias: (y) => Math.floor(y / (OH * OW)) % O };
});

// ── Pools ───────────────────────────────────────────────────────────────────

const maxPool2d: Float32Layer = ({ sum }) => {
  const winner = (x: Tensor, taps: Numbers) => {
    let [largest, at] = [-Infinity, -1];
    for (const i of taps)
      if (i >= 0 && !Number.isNaN(largest) && (x.data[i] > largest || Number.isNaN(x.data[i])))
        [largest, at] = [x.data[i], i];
      else if (i >= 0 && x.data[i] === 0 && largest === 0 && Object.is(largest, -0)) largest = x.data[i]; // 0 is above −0
    return [largest, at];
  };
  return {
    forward(call) {
      const { shape, windows } = pools(call);
      return of(
        shape,
        windows.map(({ taps }) => winner(call.inputs.x, taps)[0]),
      );
    },
    backward(call) {
      const { x } = call.inputs;
      const dx = lists(x.data.length);
      pools(call).windows.forEach(({ taps }, iy) => {
        const [, at] = winner(x, taps);
        if (at >= 0) dx[at][0].push(call.dy.data[iy]);
      });
      return {
        dx: of(
          x.shape,
          dx.map(([slopes]) => sum(0, slopes)),
        ),
      };
    },
  };
};

const avgPool2d: Float32Layer = ({ sum, div }) => ({
  forward(call) {
    const { shape, windows } = pools(call);
    const pixel = (i: number) => (i < 0 ? 0 : call.inputs.x.data[i]);
    return of(
      shape,
      windows.map(({ taps, count }) => div(sum(0, taps.map(pixel)), count)),
    );
  },
  backward(call) {
    const { x } = call.inputs;
    const dx = lists(x.data.length);
    pools(call).windows.forEach(({ taps, count }, iy) => {
      const share = div(call.dy.data[iy], count);
      for (const i of taps) if (i >= 0) dx[i][0].push(share);
    });
    return {
      dx: of(
        x.shape,
        dx.map(([shares]) => sum(0, shares)),
      ),
    };
  },
});

const globalAvgPool2d: Float32Layer = ({ sum, div }) => ({
  forward({ inputs: { x } }) {
    const [N, C, H, W] = x.shape;
    return of(
      [N, C],
      Array.from({ length: N * C }, (_, i) => div(sum(0, [...x.data.slice(i * H * W, (i + 1) * H * W)]), H * W)),
    );
  },
  backward({ inputs: { x }, dy }) {
    const pixels = x.shape[2] * x.shape[3];
    return {
      dx: of(
        x.shape,
        Array.from(x.data, (_, i) => div(dy.data[Math.floor(i / pixels)], pixels)),
      ),
    };
  },
});

// ── Number by number ────────────────────────────────────────────────────────

/** y[i] = f(x[i]) and dx[i] = g(dy[i], x[i]) */
const elementwise =
  (
    make: (
      a: Arithmetic,
      options: Record<string, unknown>,
    ) => [(x: number) => number, (dy: number, x: number) => number],
  ): Float32Layer =>
  (a) => ({
    forward: ({ inputs: { x }, options }) => {
      const [f] = make(a, options as never);
      return of(x.shape, Array.from(x.data, f));
    },
    backward: ({ inputs: { x }, options, dy }) => {
      const [, g] = make(a, options as never);
      return {
        dx: of(
          x.shape,
          Array.from(x.data, (value, i) => g(dy.data[i], value)),
        ),
      };
    },
  });

const relu = elementwise(() => [(x) => (x > 0 || Number.isNaN(x) ? x : 0), (dy, x) => (x <= 0 ? 0 : dy)]);

const leakyRelu = elementwise(({ mul }, { negativeSlope = 0.01 }) => {
  const slope = fround(negativeSlope as number);
  return [(x) => (x > 0 ? x : mul(slope, x)), (dy, x) => (x <= 0 ? mul(slope, dy) : dy)];
});

const sigmoid = elementwise(({ exp, add, mul, div }) => [
  (x) => {
    const e = exp(-Math.abs(x));
    return x >= 0 ? div(1, add(1, e)) : div(e, add(1, e));
  },
  (dy, x) => {
    const e = exp(-Math.abs(x));
    return mul(dy, div(e, mul(add(1, e), add(1, e))));
  },
]);

const tanh = elementwise(({ exp, tanh, add, mul, div }) => [
  tanh,
  (dy, x) => {
    const e = exp(-2 * Math.abs(x)); // 1 / cosh² = 4e / (1 + e)²
    return mul(dy, div(4 * e, mul(add(1, e), add(1, e))));
  },
]);

const flatten: Float32Layer = () => ({
  forward: ({ inputs: { x } }) => of([x.shape[0], size(x.shape.slice(1))], [...x.data]),
  backward: ({ inputs: { x }, dy }) => ({ dx: of(x.shape, [...dy.data]) }),
});

const dropout: Float32Layer = ({ div, sub }) => {
  const thinned = (t: Tensor, { inputs: { x }, constants, options }: Call) => {
    const { p = 0.5 } = options as { p?: number };
    const { mask } = constants!;
    const kept = sub(1, fround(p));
    const each = x.data.length / mask.data.length; // numbers for one of the mask
    return of(
      x.shape,
      Array.from(t.data, (value, i) => (p < 1 && mask.data[Math.floor(i / each)] === 1 ? div(value, kept) : 0)),
    );
  };
  return { forward: (call) => thinned(call.inputs.x, call), backward: (call) => ({ dx: thinned(call.dy, call) }) };
};

// ── Batch norm ──────────────────────────────────────────────────────────────

/** The positions of every channel of (N, C) or (N, C, H, W). */
function channels({ shape: [N, C, ...pixels] }: Tensor): Numbers[] {
  const P = size(pixels);
  return Array.from({ length: C }, (_, c) =>
    Array.from({ length: N * P }, (_, k) => (Math.floor(k / P) * C + c) * P + (k % P)),
  );
}

const epsOf = ({ options }: Call) => fround((options as { eps?: number }).eps ?? 1e-5);

const batchNorm: Float32Layer = (a) => {
  const { add, sub, mul, div, sqrt, mulAdd, sum } = a;
  const normalised = (call: Call, positions: Numbers) => {
    const x = positions.map((i) => call.inputs.x.data[i]);
    const mean = div(sum(0, x), x.length);
    const apart = x.map((value) => sub(value, mean));
    const variance = div(sum(0, apart, apart), x.length);
    const deviation = sqrt(add(variance, epsOf(call)));
    return { deviation, hat: apart.map((value) => div(value, deviation)) };
  };
  return {
    forward(call) {
      const { x, gamma, beta } = call.inputs;
      const y = new Array<number>(x.data.length);
      channels(x).forEach((positions, c) => {
        const { hat } = normalised(call, positions);
        positions.forEach((at, k) => (y[at] = mulAdd(gamma.data[c], hat[k], beta.data[c])));
      });
      return of(x.shape, y);
    },
    backward(call) {
      const { x, gamma, beta } = call.inputs;
      const dx = new Array<number>(x.data.length);
      const [dgamma, dbeta]: number[][] = [[], []];
      channels(x).forEach((positions, c) => {
        const { deviation, hat } = normalised(call, positions);
        const slopes = positions.map((at) => call.dy.data[at]);
        dgamma.push(sum(0, slopes, hat));
        dbeta.push(sum(0, slopes));
        const factor = div(gamma.data[c], deviation);
        positions.forEach((at, k) => {
          const along = div(mulAdd(hat[k], dgamma[c], dbeta[c]), positions.length);
          dx[at] = mul(factor, sub(slopes[k], along));
        });
      });
      return { dx: of(x.shape, dx), dgamma: of(gamma.shape, dgamma), dbeta: of(beta.shape, dbeta) };
    },
  };
};

const batchNormInference: Float32Layer = ({ add, sub, mul, div, sqrt, mulAdd, sum, reciprocal }) => ({
  forward(call) {
    const { x, gamma, beta } = call.inputs;
    const { mean, variance } = call.constants!;
    const y = new Array<number>(x.data.length);
    channels(x).forEach((positions, c) => {
      const deviation = sqrt(add(variance.data[c], epsOf(call)));
      // folded into one scale and one shift, as programs for inference do, or not
      const scale = div(gamma.data[c], deviation);
      const shift = sub(beta.data[c], mul(mean.data[c], scale));
      for (const at of positions)
        y[at] = reciprocal
          ? mulAdd(x.data[at], scale, shift)
          : mulAdd(gamma.data[c], div(sub(x.data[at], mean.data[c]), deviation), beta.data[c]);
    });
    return of(x.shape, y);
  },
  backward(call) {
    const { x, gamma, beta } = call.inputs;
    const { mean, variance } = call.constants!;
    const dx = new Array<number>(x.data.length);
    const [dgamma, dbeta]: number[][] = [[], []];
    channels(x).forEach((positions, c) => {
      const deviation = sqrt(add(variance.data[c], epsOf(call)));
      const slopes = positions.map((at) => call.dy.data[at]);
      const hat = positions.map((at) => div(sub(x.data[at], mean.data[c]), deviation));
      positions.forEach((at, k) => (dx[at] = mul(div(gamma.data[c], deviation), slopes[k])));
      dgamma.push(sum(0, slopes, hat));
      dbeta.push(sum(0, slopes));
    });
    return { dx: of(x.shape, dx), dgamma: of(gamma.shape, dgamma), dbeta: of(beta.shape, dbeta) };
  },
});

// ── Losses, and what goes before them ───────────────────────────────────────

/** Of one row: x − max x, its exps, and their sum. */
const powers = ({ sub, exp, sum }: Arithmetic, row: Numbers) => {
  const most = Math.max(...row);
  const apart = row.map((value) => sub(value, most));
  const e = apart.map(exp);
  return { apart, e, total: sum(0, e) };
};
const shares = (a: Arithmetic, row: Numbers) => {
  const { e, total } = powers(a, row);
  return e.map((value) => a.div(value, total));
};
const rowsOf = ({ shape: [N, K], data }: Tensor): number[][] =>
  Array.from({ length: N }, (_, n) => [...data.slice(n * K, (n + 1) * K)]);
const rowwise = (t: Tensor, f: (row: Numbers, n: number) => Numbers): Tensor => of(t.shape, rowsOf(t).flatMap(f));

const softmax: Float32Layer = (a) => ({
  forward: ({ inputs: { x } }) => rowwise(x, (row) => shares(a, row)),
  backward: ({ inputs: { x }, dy }) => {
    const slopes = rowsOf(dy);
    return {
      dx: rowwise(x, (row, n) => {
        const y = shares(a, row);
        const mean = a.sum(0, slopes[n], y);
        return y.map((value, k) => a.mul(value, a.sub(slopes[n][k], mean)));
      }),
    };
  },
});

const logSoftmax: Float32Layer = (a) => ({
  forward: ({ inputs: { x } }) =>
    rowwise(x, (row) => {
      const { apart, total } = powers(a, row);
      return apart.map((value) => a.sub(value, a.log(total)));
    }),
  backward: ({ inputs: { x }, dy }) => {
    const slopes = rowsOf(dy);
    return {
      dx: rowwise(x, (row, n) => {
        const all = a.sum(0, slopes[n]);
        return shares(a, row).map((value, k) => a.mulAdd(-value, all, slopes[n][k]));
      }),
    };
  },
});

const targets = ({ inputs: { logits }, constants }: Call) => {
  const { labels } = constants!;
  const K = logits.shape[1];
  return labels.shape.length === 2
    ? rowsOf(labels)
    : Array.from(labels.data, (label) => Array.from({ length: K }, (_, k) => (k === label ? 1 : 0)));
};

const softmaxCrossEntropy: Float32Layer = (a) => ({
  forward(call) {
    const right = targets(call);
    const [weights, costs]: number[][] = [[], []];
    rowsOf(call.inputs.logits).forEach((row, n) => {
      const { apart, total } = powers(a, row);
      right[n].forEach((target, k) => {
        if (target === 0) return;
        weights.push(target);
        costs.push(a.sub(a.log(total), apart[k]));
      });
    });
    return of([], [a.div(a.sum(0, weights, costs), right.length)]);
  },
  backward(call) {
    const right = targets(call);
    const { logits } = call.inputs;
    return {
      dlogits: rowwise(logits, (row, n) =>
        shares(a, row).map((value, k) => a.div(a.mul(a.sub(value, right[n][k]), call.dy.data[0]), right.length)),
      ),
    };
  },
});

const meanSquaredError: Float32Layer = ({ sub, mul, div, sum }) => {
  const errors = ({ inputs: { x }, constants }: Call) =>
    Array.from(x.data, (value, i) => sub(value, constants!.target.data[i]));
  return {
    forward(call) {
      const e = errors(call);
      return of([], [div(sum(0, e, e), e.length)]);
    },
    backward(call) {
      const e = errors(call);
      return {
        dx: of(
          call.inputs.x.shape,
          e.map((value) => div(mul(2 * value, call.dy.data[0]), e.length)),
        ),
      };
    },
  };
};

const layers: Readonly<Record<LayerName, Float32Layer>> = {
  avgPool2d,
  batchNorm,
  batchNormInference,
  conv2d: groupedConv2d,
  dropout,
  flatten,
  globalAvgPool2d,
  groupedConv2d,
  leakyRelu,
  linear,
  logSoftmax,
  maxPool2d,
  meanSquaredError,
  relu,
  sigmoid,
  softmax,
  softmaxCrossEntropy,
  tanh,
};

/**
 * A layer as an honest program computes it in float32: what it is given is rounded first, then every operation. It shares
 * nothing with src/ but the form of a tensor. Calls that are errors are not its business: see `refusing`.
 */
export function honest(name: LayerName, a: Arithmetic): Layer {
  const layer = layers[name](a);
  const round = (t: Tensor): Tensor => ({ shape: t.shape, data: t.data.map(fround) });
  const all = (tensors: Tensors = {}) => Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, round(t)]));
  const rounded = (call: Call) => ({ ...call, inputs: all(call.inputs), constants: all(call.constants) });
  return {
    u: 2 ** -24,
    forward: (call) => layer.forward(rounded(call)),
    backward: (call: Case) => layer.backward({ ...rounded(call), dy: round(call.dy) }),
  };
}

/** The layer, but a call that is an error for `definition` is one: rejections have nothing to do with arithmetic. */
export function refusing(definition: Layer, layer: Layer): Layer {
  return {
    u: layer.u,
    forward(call) {
      definition.forward(call);
      return layer.forward(call);
    },
    backward(call) {
      definition.backward(call);
      return layer.backward(call);
    },
  };
}
