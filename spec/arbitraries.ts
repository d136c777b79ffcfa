import fc from 'fast-check';
import type { AvgPool2dOptions } from '../src/naive/avgPool2d.ts';
import type { Conv2dOptions } from '../src/naive/conv2d.ts';
import type { GroupedConv2dOptions } from '../src/naive/groupedConv2d.ts';
import type { LeakyReluOptions } from '../src/naive/leakyRelu.ts';
import { map } from '../src/ndarray.ts';
import { size, type Tensor } from '../src/tensor.ts';
import { geometry, type Border, type PoolOptions } from '../src/window.ts';
import type { Call } from './law.ts';

type Tensors = (shape: readonly number[]) => fc.Arbitrary<Tensor>;

/** Eighths in [−4, 4]: sums of their products are exact in float64, so results can be compared bit by bit. */
export const eighths: Tensors = (shape) =>
  fc
    .array(fc.integer({ min: -32, max: 32 }), { minLength: size(shape), maxLength: size(shape), size: 'max' })
    .map((values) => ({ shape, data: Float64Array.from(values, (k) => k / 8 + 0) })); // + 0: no −0

/** Multiples of `step` around `middle`, all different: no tie within step / 2. */
export const distinct =
  (step: number, middle = 0): Tensors =>
  (shape) => {
    const order = Array.from({ length: size(shape) }, (_, i) => i);
    return fc.shuffledSubarray(order, { minLength: order.length }).map((ranks) => ({
      shape,
      data: Float64Array.from(ranks, (rank) => middle + (rank - (order.length >> 1)) * step),
    }));
  };

/** What is not a number like others: NaN, infinities and zeros of both signs; and ±1. */
export const specials: Tensors = (shape) =>
  fc
    .array(fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 1, -1), {
      ...{ minLength: size(shape), maxLength: size(shape), size: 'max' },
    })
    .map((values) => ({ shape, data: Float64Array.from(values) }));

/** A case, and one of the numbers of its x. */
export const withPixel = <C extends Call & { inputs: { x: Tensor } }>(cases: fc.Arbitrary<C>) =>
  cases.chain((call) => fc.record({ call: fc.constant(call), at: fc.nat(call.inputs.x.data.length - 1) }));

/** Different numbers out of `choices`, in any order: one for each of `count` axes. */
const different = (count: number, ...choices: number[]) =>
  fc.shuffledSubarray(choices, { minLength: count, maxLength: count });
/** The same, equal or not. */
const free = (count: number, ...choices: number[]) =>
  fc.array(fc.constantFrom(...choices), { minLength: count, maxLength: count });

/** Three hostile cases (no size 1, other numbers on the other axis) to one small case (1s and squares welcome). */
const hostileOrSmall = <T>(draw: (axes: typeof different, least: number) => fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: draw(different, 2) }, { weight: 1, arbitrary: draw(free, 1) });

interface Window {
  readonly KH: number;
  readonly KW: number;
  readonly H: number;
  readonly W: number;
  readonly options: {
    readonly stride: readonly [number, number];
    readonly padding: Border;
    readonly dilation: readonly [number, number];
  };
}

/** A window, first, and then an image it fits: about OH×OW places, and some pixels beyond the last. */
const windowAndImage = (
  axes: typeof different,
  least: number,
  most: (taps: number) => number,
  strides: readonly number[] = [1, 2],
) =>
  fc
    .record({
      kernel: axes(2, least, 3),
      places: axes(2, least, 3),
      stride: axes(2, ...strides),
      dilation: axes(2, 1, 2),
      sides: axes(2, 0, most(3)).chain(([a, b]) => fc.constantFrom([a, b, b, a], [b, a, b, b], [a, a, b, a])),
      beyond: free(2, 0, 1),
    })
    .map(({ kernel: [KH, KW], places: [OH, OW], stride, dilation, sides, beyond }): Window => {
      const [top, bottom, left, right] = sides.map((s, side) => Math.min(s, most(side < 2 ? KH : KW)));
      const border: Border = { top, bottom, left, right };
      const high = (OH - 1) * stride[0] + dilation[0] * (KH - 1) + 1 - top - bottom + beyond[0];
      const wide = (OW - 1) * stride[1] + dilation[1] * (KW - 1) + 1 - left - right + beyond[1];
      const options = {
        stride: [stride[0], stride[1]],
        padding: border,
        dilation: [dilation[0], dilation[1]],
      } as const;
      const [H, W] = [Math.max(high, least), Math.max(wide, least)];
      return { KH, KW, H, W: H === W && least > 1 ? W + stride[1] : W, options };
    });

/** A valid call of conv2d, every option written out, and a dy of y's shape. */
export const conv2dCase = () =>
  hostileOrSmall((axes, least) =>
    fc.record({ sizes: axes(3, least, 3, 4), window: windowAndImage(axes, least, () => 2) }),
  ).chain(({ sizes: [N, C, O], window: { KH, KW, H, W, options } }) => {
    const { OH, OW } = geometry('conv2dCase', [H, W], [KH, KW], options);
    return fc.record({
      inputs: fc.record({ x: eighths([N, C, H, W]), w: eighths([O, C, KH, KW]), b: eighths([O]) }),
      options: fc.constant(options satisfies Conv2dOptions),
      dy: eighths([N, O, OH, OW]),
    });
  });

/** A valid call of groupedConv2d: how many channels a group has on either side first; most small cases are depthwise. */
export const groupedConv2dCase = () =>
  hostileOrSmall((axes, least) =>
    fc.record({
      N: fc.constantFrom(least, 2),
      perGroup: least === 1 ? fc.tuple(fc.constantFrom(1, 1, 1, 2), fc.constantFrom(1, 2, 3)) : axes(2, 2, 3),
      groups: fc.constantFrom(least, 2, 2, 2),
      window: windowAndImage(axes, least, () => 2),
    }),
  ).chain(({ N, perGroup: [slice, kernels], groups, window: { KH, KW, H, W, options } }) => {
    const { OH, OW } = geometry('groupedConv2dCase', [H, W], [KH, KW], options);
    const [C, O] = [groups * slice, groups * kernels];
    return fc.record({
      inputs: fc.record({ x: eighths([N, C, H, W]), w: eighths([O, slice, KH, KW]), b: eighths([O]) }),
      options: fc.constant({ groups, ...options } satisfies GroupedConv2dOptions),
      dy: eighths([N, O, OH, OW]),
    });
  });

/** The axis along which a window misses the image. */
type Misses = 'rows' | 'columns';

/** A batch of channels, a window, whether a max-pool is to miss the image, and whether it may reach beyond the padding. */
const poolWindow = fc.tuple(
  hostileOrSmall((axes, least) =>
    fc.record({
      sizes: axes(2, least, 3),
      window: windowAndImage(axes, least, (taps) => taps >> 1, [1, 2, 3]),
      missed:
        least === 1 ? fc.constantFrom<(Misses | undefined)[]>(undefined, 'rows', 'columns') : fc.constant(undefined),
    }),
  ),
  fc.constantFrom(true, true, false),
);

/** The window with two taps along an axis, one on either side of the image: it has one place there, and sees no pixel. */
function around(axis: Misses, { H, W, KH, KW, options }: Window): Window {
  const { stride, padding, dilation } = options;
  return axis === 'rows'
    ? {
        H,
        W,
        KH: 2,
        KW,
        options: { stride, padding: { ...padding, top: 1, bottom: 1 }, dilation: [H + 1, dilation[1]] },
      }
    : {
        H,
        W,
        KH,
        KW: 2,
        options: { stride, padding: { ...padding, left: 1, right: 1 }, dilation: [dilation[0], W + 1] },
      };
}

/** A valid call of maxPool2d; pixels from `pixels`. Some windows miss the image, or all if `misses` says along which axis. */
export const maxPool2dCase = (pixels = eighths, misses: fc.Arbitrary<Misses | undefined> = fc.constant(undefined)) =>
  fc.tuple(poolWindow, misses).chain(([[{ sizes, window, missed }, ceilMode], axis = missed]) => {
    const [N, C] = sizes;
    const { KH, KW, H, W, ...rest } = axis === undefined ? window : around(axis, window);
    const options = { kernel: [KH, KW] as const, ...rest.options, ceilMode };
    const { OH, OW } = geometry('maxPool2dCase', [H, W], [KH, KW], options);
    return fc.record({
      inputs: fc.record({ x: pixels([N, C, H, W]) }),
      options: fc.constant(options satisfies PoolOptions),
      dy: eighths([N, C, OH, OW]),
    });
  });

/** A valid call of avgPool2d: what fits with dilation fits without. */
export const avgPool2dCase = () =>
  fc.tuple(poolWindow, fc.boolean()).chain(([[{ sizes, window }, ceilMode], countIncludePad]) => {
    const [N, C] = sizes;
    const { KH, KW, H, W } = window;
    const { stride, padding } = window.options;
    const options = { kernel: [KH, KW] as const, stride, padding, ceilMode };
    const { OH, OW } = geometry('avgPool2dCase', [H, W], [KH, KW], options);
    return fc.record({
      inputs: fc.record({ x: eighths([N, C, H, W]) }),
      options: fc.constant({ ...options, countIncludePad } satisfies AvgPool2dOptions),
      dy: eighths([N, C, OH, OW]),
    });
  });

/** A valid call of globalAvgPool2d. */
export const globalAvgPool2dCase = () =>
  hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)).chain((shape) =>
    fc.record({
      inputs: fc.record({ x: eighths(shape) }),
      options: fc.constant({}),
      dy: eighths(shape.slice(0, 2)),
    }),
  );

/** (N, C) or (N, C, H, W), with two values per channel or more. */
const batchOfChannels = fc
  .tuple(
    hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)),
    fc.boolean(),
  )
  .map(([[N, C, H, W], images]) => {
    const pixels = images ? [H, W] : [];
    return [size([N, ...pixels]) === 1 ? 2 : N, C, ...pixels];
  });

/** A valid call of batchNorm: integers, all different, so that no variance is below 1/4. */
export const batchNormCase = () =>
  fc.tuple(batchOfChannels, fc.constantFrom(1e-5, 0.5)).chain(([shape, eps]) =>
    fc.record({
      inputs: fc.record({ x: distinct(1)(shape), gamma: eighths([shape[1]]), beta: eighths([shape[1]]) }),
      options: fc.constant({ eps }),
      dy: eighths(shape),
    }),
  );

/** Which of C channels: none to all. */
const someChannels = (C: number) => fc.array(fc.boolean(), { minLength: C, maxLength: C });

/** A valid call of batchNorm, and the channels that are constant: their variance is 0, that of the others as there. */
export const constantChannelsCase = () =>
  batchNormCase().chain((call) => {
    const { x } = call.inputs;
    const [, C, ...pixels] = x.shape;
    return someChannels(C).map((constant) => {
      const data = x.data.map((value, i) => (constant[Math.floor(i / size(pixels)) % C] ? 3 : value));
      return { call: { ...call, inputs: { ...call.inputs, x: { ...x, data } } }, constant };
    });
  });

/** A valid call of batchNormInference: variances from 1/4 to 8. */
export const batchNormInferenceCase = () =>
  fc.tuple(batchOfChannels, fc.constantFrom(1e-5, 0.5)).chain(([shape, eps]) => {
    const perChannel = eighths([shape[1]]);
    return fc.record({
      inputs: fc.record({ x: eighths(shape), gamma: perChannel, beta: perChannel }),
      constants: fc.record({
        mean: perChannel,
        variance: perChannel.map((v) => map(v, (value) => Math.abs(value) + 1 / 4)),
      }),
      options: fc.constant({ eps }),
      dy: eighths(shape),
    });
  });

/** A valid call of batchNormInference; some channels have variance 0, and eps alone is left under the root. */
export const noVarianceCase = () =>
  batchNormInferenceCase().chain((call) => {
    const { mean, variance } = call.constants;
    return someChannels(variance.data.length).map((constant) => {
      const data = variance.data.map((value, c) => (constant[c] ? 0 : value));
      return { ...call, constants: { mean, variance: { ...variance, data } } };
    });
  });

/** 0 or 1, each as often; one tensor in six is all 0, one all 1. */
const zerosAndOnes: Tensors = (shape) => {
  const drawn = (bit: fc.Arbitrary<number>) =>
    fc.array(bit, { minLength: size(shape), maxLength: size(shape), size: 'max' });
  return fc
    .oneof({ weight: 4, arbitrary: drawn(fc.nat(1)) }, drawn(fc.constant(0)), drawn(fc.constant(1)))
    .map((values) => ({ shape, data: Float64Array.from(values) }));
};

/** A valid call of dropout: a mask for every number, or for every channel of an image. 1 − p is a power of two. */
export const dropoutCase = () =>
  fc
    .record({
      sizes: hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)),
      kind: fc.constantFrom('features', 'pixels', 'channels'),
      p: fc.constantFrom(0, 0.5, 0.75, 1),
    })
    .chain(({ sizes: [N, C, H, W], kind, p }) => {
      const shape = kind === 'features' ? [N, C] : [N, C, H, W];
      return fc.record({
        inputs: fc.record({ x: eighths(shape) }),
        constants: fc.record({ mask: zerosAndOnes(kind === 'channels' ? [N, C, 1, 1] : shape) }),
        options: fc.constant({ p }),
        dy: eighths(shape),
      });
    });

/** A valid call of relu; values from `values`. */
export const reluCase = (values = eighths) =>
  hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)).chain((shape) =>
    fc.record({
      inputs: fc.record({ x: values(shape) }),
      options: fc.constant({}),
      dy: eighths(shape),
    }),
  );

/** 1 to 4 axes. */
const anyShape = fc
  .tuple(
    hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)),
    fc.integer({ min: 1, max: 4 }),
  )
  .map(([sizes, rank]) => sizes.slice(0, rank));

/** A valid call of leakyRelu; values from `values`. A slope that is a power of two keeps eighths exact. */
export const leakyReluCase = (values = eighths) =>
  anyShape.chain((shape) =>
    fc.record({
      inputs: fc.record({ x: values(shape) }),
      options: fc
        .constantFrom(1 / 8, 1 / 4, 1 / 2, 0, 1, 2)
        .map((negativeSlope): LeakyReluOptions => ({ negativeSlope })),
      dy: eighths(shape),
    }),
  );

/** A valid call of tanh. */
export const tanhCase = () =>
  anyShape.chain((shape) =>
    fc.record({
      inputs: fc.record({ x: eighths(shape) }),
      options: fc.constant({}),
      dy: eighths(shape),
    }),
  );

/** A valid call of sigmoid. */
export const sigmoidCase = tanhCase;

/** A valid call of flatten: 2 to 4 axes. */
export const flattenCase = () =>
  fc
    .tuple(
      hostileOrSmall((axes, least) => axes(4, least, 3, 4, 5)),
      fc.integer({ min: 2, max: 4 }),
    )
    .chain(([sizes, rank]) => {
      const [N, ...others] = sizes.slice(0, rank);
      return fc.record({
        inputs: fc.record({ x: eighths([N, ...others]) }),
        options: fc.constant({}),
        dy: eighths([N, size(others)]),
      });
    });

/** A valid call of linear. */
export const linearCase = () =>
  hostileOrSmall((axes, least) => axes(3, least, 3, 4)).chain(([N, D, O]) =>
    fc.record({
      inputs: fc.record({ x: eighths([N, D]), w: eighths([O, D]), b: eighths([O]) }),
      options: fc.constant({}),
      dy: eighths([N, O]),
    }),
  );

/** A batch and a number of classes. */
const batchAndClasses = hostileOrSmall((axes, least) => axes(2, least, 3, 4));

/** Eighths in [−4, 4], one tensor in four from three numbers: rows with equal logits. */
const logits: Tensors = (shape) => {
  const three = fc.array(fc.constantFrom(-4, 1 / 8, 4), {
    minLength: size(shape),
    maxLength: size(shape),
    size: 'max',
  });
  return fc.oneof(
    { weight: 3, arbitrary: eighths(shape) },
    three.map((values) => ({ shape, data: Float64Array.from(values) })),
  );
};

/** A valid call of softmax. */
export const softmaxCase = () =>
  batchAndClasses.chain(([N, K]) =>
    fc.record({
      inputs: fc.record({ x: logits([N, K]) }),
      options: fc.constant({}),
      dy: eighths([N, K]),
    }),
  );

/** A valid call of logSoftmax. */
export const logSoftmaxCase = softmaxCase;

/** The right class of each of N rows. */
const classes = (N: number, K: number): fc.Arbitrary<Tensor> =>
  fc
    .array(fc.nat(K - 1), { minLength: N, maxLength: N })
    .map((labels) => ({ shape: [N], data: Float64Array.from(labels) }));

/** N rows of probabilities, exact in sixteenths: sixteen votes for K classes, for two of them, or all for one. */
const probabilities = (N: number, K: number): fc.Arbitrary<Tensor> => {
  const votes = (candidates: fc.Arbitrary<number>) => fc.array(candidates, { minLength: 16, maxLength: 16 });
  const any = fc.nat(K - 1);
  const row = fc.oneof(
    votes(any),
    fc.tuple(any, any).chain((pair) => votes(fc.constantFrom(...pair))),
    any.map((k) => Array<number>(16).fill(k)),
  );
  return fc.array(row, { minLength: N, maxLength: N }).map((rows) => {
    const data = new Float64Array(N * K);
    rows.forEach((votes, n) => votes.forEach((k) => (data[n * K + k] += 1 / 16)));
    return { shape: [N, K], data };
  });
};

/** A valid call of softmaxCrossEntropy, with labels of either form. */
export const softmaxCrossEntropyCase = () =>
  batchAndClasses.chain(([N, K]) =>
    fc.record({
      inputs: fc.record({ logits: logits([N, K]) }),
      constants: fc.record({ labels: fc.oneof(classes(N, K), probabilities(N, K)) }),
      options: fc.constant({}),
      dy: eighths([]),
    }),
  );

/** A valid call of meanSquaredError. */
export const meanSquaredErrorCase = () =>
  anyShape.chain((shape) =>
    fc.record({
      inputs: fc.record({ x: eighths(shape) }),
      constants: fc.record({ target: eighths(shape) }),
      options: fc.constant({}),
      dy: eighths([]),
    }),
  );
