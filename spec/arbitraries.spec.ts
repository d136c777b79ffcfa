import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { get, type Tensor } from '../src/tensor.ts';
import { geometry, type Border, type PoolOptions } from '../src/window.ts';
import * as arbitraries from './arbitraries.ts';
import type { Case } from './law.ts';

/** No size 1, nothing square, other numbers on the other axis: what hides nothing. */
function hostile({ inputs, options, dy }: Case): boolean {
  const { padding }: { padding?: Border } = options;
  const shapes = [...Object.values(inputs), dy].map(({ shape }) => shape);
  const pairs = [...shapes, ...shapes.map((shape) => shape.slice(2)), ...Object.values(options).filter(Array.isArray)];
  return (
    shapes.flat().every((size) => size > 1) &&
    pairs.every(([a, b]) => a === undefined || a !== b) &&
    (!padding || padding.top !== padding.left || padding.bottom !== padding.right)
  );
}

it.each<[string, fc.Arbitrary<Case>]>([
  ['conv2d', arbitraries.conv2dCase()],
  ['maxPool2d', arbitraries.maxPool2dCase()],
  ['groupedConv2d', arbitraries.groupedConv2dCase()],
  ['avgPool2d', arbitraries.avgPool2dCase()],
  ['globalAvgPool2d', arbitraries.globalAvgPool2dCase()],
  ['batchNorm', arbitraries.batchNormCase()],
  ['batchNormInference', arbitraries.batchNormInferenceCase()],
  ['dropout', arbitraries.dropoutCase()],
  ['relu', arbitraries.reluCase()],
  ['leakyRelu', arbitraries.leakyReluCase()],
  ['tanh', arbitraries.tanhCase()],
  ['sigmoid', arbitraries.sigmoidCase()],
  ['flatten', arbitraries.flattenCase()],
  ['linear', arbitraries.linearCase()],
  ['softmax', arbitraries.softmaxCase()],
  ['logSoftmax', arbitraries.logSoftmaxCase()],
  ['softmaxCrossEntropy', arbitraries.softmaxCrossEntropyCase()],
  ['meanSquaredError', arbitraries.meanSquaredErrorCase()],
])('at least half of the cases of %s are hostile', (_, cases) => {
  const sample = fc.sample(cases, { seed: 1, numRuns: 400 });
  expect(sample.filter(hostile).length).toBeGreaterThanOrEqual(200);
});

/** Rare cases of a generator, where bugs hide: [the layer, what is rare, its share]. */
const rare = <T>(layer: string, cases: fc.Arbitrary<T>, regions: Record<string, (value: T) => boolean>) => {
  let sample: T[] | undefined;
  const share = (region: (value: T) => boolean) => {
    sample ??= fc.sample(cases, { seed: 1, numRuns: 500 });
    return sample.filter(region).length / sample.length;
  };
  return Object.entries(regions).map(([what, region]) => [layer, what, () => share(region)] as const);
};

type Window = Required<PoolOptions> & { padding: Border; stride: readonly number[]; dilation: readonly number[] };
const windowOf = ({ options }: Case) => options as Window;
const range = (count: number) => [...Array(count).keys()];

/** What a window sees at each of its places: pixels of the image, and how many taps on its padding and beyond that. */
function views({ inputs: { x, w }, options }: Case) {
  const [H, W] = x.shape.slice(2);
  const [KH, KW] = w ? w.shape.slice(2) : (options as { kernel: readonly number[] }).kernel;
  const { OH, OW, row, column, inside, padded } = geometry('views', [H, W], [KH, KW], options);
  const pairs = (rows: number, columns: number) =>
    range(rows).flatMap((i) => range(columns).map((j) => [i, j] as const));
  return pairs(OH, OW).map(([oh, ow]) => {
    const taps = pairs(KH, KW).map(([kh, kw]) => [row(oh, kh), column(ow, kw)] as const);
    const pixels = taps.filter(([ih, iw]) => inside(ih, iw));
    const beyond = taps.filter(([ih, iw]) => !padded(ih, iw)).length;
    return { pixels, beyond, padding: taps.length - pixels.length - beyond };
  });
}
type View = ReturnType<typeof views>[number];

/** Some window of the call is like that. */
const someView = (like: (view: View) => boolean) => (call: Case) => views(call).some(like);
/** Some window is like that in some channel: the pixels it sees, and how many taps are on padding. */
const someWindow = (like: (pixels: readonly number[], padding: number) => boolean) => (call: Case) => {
  const { x } = call.inputs;
  const [N, C] = x.shape;
  const under = ({ pixels }: View, n: number, c: number) => pixels.map(([ih, iw]) => get(x, n, c, ih, iw));
  return views(call).some((view) =>
    range(N * C).some((at) => like(under(view, Math.floor(at / C), at % C), view.padding)),
  );
};
const pixelsSeen = (call: Case) => views(call).flatMap(({ pixels }) => pixels.map(String));

const windows = {
  'padding that differs from side to side': (call: Case) => {
    const { top, bottom, left, right } = windowOf(call).padding;
    return top !== bottom || left !== right;
  },
  'a stride above 1': (call: Case) => windowOf(call).stride.some((step) => step > 1),
  'the last window partly under padding': (call: Case) => views(call).at(-1)!.padding > 0,
  'windows that overlap': (call: Case) => new Set(pixelsSeen(call)).size < pixelsSeen(call).length,
  'pixels that no window sees': (call: Case) => {
    const [H, W] = call.inputs.x.shape.slice(2);
    return new Set(pixelsSeen(call)).size < H * W;
  },
};
const dilated = {
  'a dilation above 1': (call: Case) => windowOf(call).dilation.some((gap) => gap > 1),
  'a window that misses the image': someView(({ pixels }) => pixels.length === 0),
};
const ceiled = {
  'ceil mode, and a last window beyond the padding': someView(({ beyond }) => beyond > 0),
  'ceil mode, and no place for a last window that would start beyond the image': ({ inputs: { x }, options }: Case) => {
    const { kernel, stride, padding, dilation = [1, 1], ceilMode } = options as Window & { kernel: readonly number[] };
    const { top, bottom, left, right } = padding;
    const lost = (axis: 0 | 1, before: number, after: number) => {
      const size = x.shape[2 + axis];
      const steps = (before + size + after - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis];
      return !Number.isInteger(steps) && Math.ceil(steps) * stride[axis] >= before + size;
    };
    return ceilMode && (lost(0, top, bottom) || lost(1, left, right));
  },
};

const some = (t: Tensor, like: (value: number) => boolean) => t.data.some(like);
const every = (t: Tensor, like: (value: number) => boolean) => t.data.every(like);
/** Some row of (N, K) is like that. */
const someRow = ({ shape: [N, K], data }: Tensor, like: (row: readonly number[]) => boolean) =>
  range(N).some((n) => like([...data.slice(n * K, (n + 1) * K)]));
/** Whether two numbers of a row are the same. */
const two = (row: readonly number[]) => new Set(row).size < row.length;

describe('a tenth of the cases and more', () => {
  const grouped = arbitraries.groupedConv2dCase();
  const rows = [
    ...rare('conv2d', arbitraries.conv2dCase(), { ...windows, ...dilated }),
    ...rare('groupedConv2d', grouped, { ...windows, ...dilated }),
    ...rare('groupedConv2d', grouped, {
      'several groups': ({ options }) => options.groups > 1,
      depthwise: ({ inputs: { w }, options }) => options.groups > 1 && w.shape[1] === 1,
      'several groups of several channels': ({ inputs: { w }, options }) => options.groups > 1 && w.shape[1] > 1,
      'more kernels than channels, or fewer': ({ inputs: { x, w } }) => x.shape[1] !== w.shape[0],
    }),
    ...rare('maxPool2d', arbitraries.maxPool2dCase(), {
      ...windows,
      ...dilated,
      ...ceiled,
      'a tie for the largest': someWindow((p) => p.filter((value) => value === Math.max(...p)).length > 1),
      'nothing but negative pixels': someWindow((p) => p.length > 0 && Math.max(...p) < 0),
      'nothing but negative pixels, and padding': someWindow(
        (p, padding) => p.length > 0 && Math.max(...p) < 0 && padding > 0,
      ),
    }),
    ...rare('maxPool2d', arbitraries.withPixel(arbitraries.maxPool2dCase()), {
      'NaN under a window, beside other pixels': ({ call, at }) => {
        const { x } = call.inputs;
        const broken = { ...call, inputs: { x: { ...x, data: x.data.with(at, NaN) } } };
        return someWindow((p) => p.length > 1 && p.some(Number.isNaN))(broken);
      },
      'NaN that no window sees': ({ call, at }) => {
        const { x } = call.inputs;
        const broken = { ...call, inputs: { x: { ...x, data: x.data.with(at, NaN) } } };
        return !someWindow((p) => p.some(Number.isNaN))(broken);
      },
    }),
    ...rare('avgPool2d', arbitraries.avgPool2dCase(), { ...windows, ...ceiled }),
    ...rare('avgPool2d', arbitraries.avgPool2dCase(), {
      'padding that does not count': ({ options }) =>
        !options.countIncludePad && Object.values(options.padding).some((width) => width > 0),
    }),
    ...rare('batchNorm', arbitraries.batchNormCase(), {
      features: ({ inputs: { x } }) => x.shape.length === 2,
      images: ({ inputs: { x } }) => x.shape.length === 4,
      'an eps that counts': ({ options }) => options.eps > 0.1,
    }),
    ...rare('batchNorm', arbitraries.constantChannelsCase(), {
      'a variance of 0': ({ constant }) => constant.includes(true),
      'a variance of 0 beside others': ({ constant }) => constant.includes(true) && constant.includes(false),
    }),
    ...rare('batchNormInference', arbitraries.noVarianceCase(), {
      'a variance of 0': ({ constants: { variance } }) => some(variance, (value) => value === 0),
      'a variance of 0 beside others': ({ constants: { variance } }) =>
        some(variance, (value) => value === 0) && some(variance, (value) => value > 0),
    }),
    ...rare('dropout', arbitraries.dropoutCase(), {
      'a mask of zeros': ({ constants: { mask } }) => every(mask, (keep) => keep === 0),
      'a mask of ones': ({ constants: { mask } }) => every(mask, (keep) => keep === 1),
      'a mask of both': ({ constants: { mask } }) =>
        some(mask, (keep) => keep === 0) && some(mask, (keep) => keep === 1),
      'a mask of channels': ({ inputs: { x }, constants: { mask } }) => mask.data.length < x.data.length,
      'p = 0': ({ options }) => options.p === 0,
      'p = 1': ({ options }) => options.p === 1,
      'p = 1, and a mask that keeps': ({ options, constants: { mask } }) =>
        options.p === 1 && some(mask, (keep) => keep === 1),
    }),
    ...rare('relu', arbitraries.reluCase(), { 'a 0': ({ inputs: { x } }) => some(x, (value) => value === 0) }),
    ...rare('relu', arbitraries.reluCase(arbitraries.specials), {
      'a 0': ({ inputs: { x } }) => some(x, (value) => Object.is(value, 0)),
      'a −0': ({ inputs: { x } }) => some(x, (value) => Object.is(value, -0)),
      'a NaN': ({ inputs: { x } }) => some(x, Number.isNaN),
      'a −∞': ({ inputs: { x } }) => some(x, (value) => value === -Infinity),
    }),
    ...rare('leakyRelu', arbitraries.leakyReluCase(), {
      'a 0': ({ inputs: { x } }) => some(x, (value) => value === 0),
      'a slope of 0': ({ options }) => options.negativeSlope === 0,
      'a slope above 1': ({ options }) => options.negativeSlope! > 1,
    }),
    ...rare('leakyRelu', arbitraries.leakyReluCase(arbitraries.specials), {
      'a −0': ({ inputs: { x } }) => some(x, (value) => Object.is(value, -0)),
      'a NaN': ({ inputs: { x } }) => some(x, Number.isNaN),
    }),
    ...rare('softmax', arbitraries.softmaxCase(), {
      'equal logits in a row': ({ inputs: { x } }) => someRow(x, two),
      'two largest logits in a row': ({ inputs: { x } }) =>
        someRow(x, (row) => two(row.filter((value) => value === Math.max(...row)))),
    }),
    ...rare('softmaxCrossEntropy', arbitraries.softmaxCrossEntropyCase(), {
      'equal logits in a row': ({ inputs: { logits } }) => someRow(logits, two),
      classes: ({ constants: { labels } }) => labels.shape.length === 1,
      'a one-hot row': ({ constants: { labels } }) =>
        labels.shape.length === 2 && labels.shape[1] > 1 && someRow(labels, (row) => row.includes(1)),
      'a soft row': ({ constants: { labels } }) =>
        labels.shape.length === 2 && someRow(labels, (row) => !row.includes(1)),
      'a soft row with a 0': ({ constants: { labels } }) =>
        labels.shape.length === 2 && someRow(labels, (row) => !row.includes(1) && row.includes(0)),
    }),
    ...rare('meanSquaredError', arbitraries.meanSquaredErrorCase(), {
      'a number that is right': ({ inputs: { x }, constants: { target } }) =>
        x.data.some((value, i) => value === target.data[i]),
    }),
    ...[2, 3, 4].flatMap((axes) =>
      rare('flatten', arbitraries.flattenCase(), { [`${axes} axes`]: ({ inputs: { x } }) => x.shape.length === axes }),
    ),
  ];
  it.each(rows)('%s: %s', (_layer, _what, share) => {
    expect(share()).toBeGreaterThanOrEqual(0.1);
  });
});
