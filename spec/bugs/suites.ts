import { implementations, type LayerName, type Layers } from '../../src/layers.ts';
import { map, ones } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { size, zeros, type Tensor } from '../../src/tensor.ts';
import { expectTensor, expectTensors, type Allowed } from '../close.ts';
import { expectGolden } from '../every-layer.ts';
import { answeredCases, type GoldenCase } from '../golden.ts';
import { slopes } from '../gradcheck.ts';
import { layerOf, type Call, type Case, type Layer } from '../law.ts';
import { plant } from '../plant.ts';
import { bugs } from './index.ts';

/**
 * The cases of a public test suite, as far as its shapes and data are described: where it draws numbers at random so do we,
 * others of the same kind. What it expects is what the definition makes of them.
 */
export interface Suite {
  readonly name: string;
  readonly layer: LayerName;
  /**
   * What it looks at: y; or the gradients, beside those of a right implementation (`gradients`) or beside difference quotients of
   * the forward function under test (`check`).
   */
  readonly looksAt: 'y' | 'gradients' | 'check';
  readonly cases: readonly Case[];
  readonly within: Allowed;
}

export interface Score {
  /** Bugs of the layer that our fixtures see where the suite looks: in y; or in the gradients, when y is right. */
  readonly asked: number;
  readonly survivors: readonly string[];
}

// ── Data ────────────────────────────────────────────────────────────────────

const filled = (shape: readonly number[], f: (i: number) => number): Tensor => ({
  shape,
  data: Float64Array.from({ length: size(shape) }, (_, i) => f(i)),
});
const counting = (from: number, ...shape: number[]) => filled(shape, (i) => from + i);
/** From the first to the last in equal steps. */
const linspace = (first: number, last: number, ...shape: number[]) =>
  filled(shape, (i) => first + ((last - first) * i) / (size(shape) - 1));
const stream = random(2026);
const normal = (...shape: number[]) => filled(shape, () => stream.normal());
/** Uniform in [low, high). */
const uniform = (low: number, high: number, ...shape: number[]) =>
  filled(shape, () => low + (high - low) * stream.uniform());
const classes = (N: number, K: number) => filled([N], () => Math.floor(stream.uniform() * K));

/** The call, and a dy of the shape of its y: ones, or normal numbers. */
function withDy(layer: LayerName, call: Call, dy: 'ones' | 'normal'): Case {
  const { shape } = layerOf(implementations.naive, layer).forward(call);
  return { ...call, dy: dy === 'ones' ? ones(shape) : normal(...shape) };
}
const cases = (layer: LayerName, calls: readonly Call[], dy: 'ones' | 'normal' = 'normal') =>
  calls.map((call) => withDy(layer, call, dy));

const border = (top: number, left: number, bottom = top, right = left) => ({ top, bottom, left, right });

// ── Suites ──────────────────────────────────────────────────────────────────

/** ONNX compares every node test so. */
const onnx: Allowed = (want) => 1e-3 * Math.abs(want) + 1e-7;
/** CS231n prints |a − b| / (|a| + |b|), and a reader who expects 10⁻⁸ accepts this. */
const cs231n: Allowed = (want) => 2e-6 * Math.abs(want) + 1e-8;
/** PyTorch's default for float32. */
const torch: Allowed = (want) => 1.3e-6 * Math.abs(want) + 1e-5;
/** Difference quotients of float64, h = 10⁻⁵. */
const quotients: Allowed = (want) => 1e-5 * Math.abs(want) + 1e-6;

const onnxConv = (x: Tensor, options: object): Call => ({
  inputs: { x, w: ones([1, 1, 3, 3]), b: zeros([1]) },
  options,
});
const image = counting(0, 1, 1, 5, 5);
const tall = counting(0, 1, 1, 7, 5);

const opInfoConv = (x: number[], w: number[], bias: boolean, options: object): Call => {
  const number = (shape: number[]) => uniform(-9, 9, ...shape);
  return { inputs: { x: number(x), w: number(w), b: bias ? number([w[0]]) : zeros([w[0]]) }, options };
};
const opInfoPlain: readonly Call[] = [
  opInfoConv([1, 3, 4, 4], [3, 3, 3, 3], true, { stride: 2, padding: 2 }),
  opInfoConv([1, 4, 5, 5], [1, 4, 2, 3], true, { stride: 2, padding: 1, dilation: [2, 3] }),
  opInfoConv([1, 2, 4, 3], [4, 2, 3, 4], false, { stride: 2, padding: 1 }),
  opInfoConv([1, 4, 5, 5], [1, 4, 2, 3], true, { stride: 2, padding: 'valid' }),
  opInfoConv([1, 4, 5, 5], [1, 4, 2, 3], true, { padding: 'same', dilation: 3 }),
  opInfoConv([1, 4, 5, 5], [3, 4, 3, 3], false, {}),
];
const opInfoGrouped: readonly Call[] = [
  opInfoConv([2, 4, 8, 8], [2, 2, 3, 3], true, { stride: [3, 2], padding: [2, 1], groups: 2, dilation: 4 }),
  opInfoConv([2, 4, 6, 6], [4, 1, 3, 3], true, { groups: 4 }),
  opInfoConv([2, 4, 6, 6], [8, 1, 3, 3], true, { groups: 4 }),
  opInfoConv([2, 4, 6, 6], [8, 1, 3, 3], false, { groups: 4 }),
  opInfoConv([2, 4, 6, 6], [4, 1, 3, 3], true, { groups: 4, stride: [3, 2] }),
  opInfoConv([2, 4, 6, 6], [4, 1, 3, 3], true, { groups: 4, padding: 1 }),
  opInfoConv([2, 4, 5, 5], [4, 1, 2, 2], true, { groups: 4, dilation: 2 }),
  opInfoConv([2, 4, 6, 5], [6, 2, 3, 2], true, { groups: 2 }),
];

const pool = (x: Tensor, options: object): Call => ({ inputs: { x }, options });
/** What the max-pools and the average pools of ONNX have in common; two of each lack, whose padding of 2 exceeds half of 3. */
const onnxPools = (options: object): readonly Call[] => [
  pool(counting(1, 1, 1, 5, 5), { kernel: 5, stride: 1, padding: 2, ...options }),
  pool(counting(1, 1, 1, 5, 5), { kernel: 2, stride: 2, ...options }),
  pool(counting(1, 1, 1, 5, 5), { kernel: 3, stride: 2, padding: 'same', ...options }),
  pool(normal(1, 3, 32, 32), { kernel: 2, stride: 1, ...options }),
  pool(normal(1, 3, 32, 32), { kernel: 2, stride: 1, padding: 'same', ...options }),
  pool(normal(1, 3, 32, 32), { kernel: 2, stride: 1, padding: border(1, 1, 0, 0), ...options }),
  pool(normal(1, 3, 32, 32), { kernel: 5, stride: 3, ...options }),
  pool(counting(1, 1, 1, 4, 4), { kernel: 3, stride: 2, ceilMode: true, ...options }),
];

const triples = { shape: [1, 2, 1, 3], data: Float64Array.of(-1, 0, 1, 2, 3, 4) };
const vector = (...data: number[]): Tensor => ({ shape: [data.length], data: Float64Array.from(data) });

const convCheck: Call = {
  inputs: { x: normal(4, 3, 5, 5), w: normal(2, 3, 3, 3), b: normal(2) },
  options: { padding: 1 },
};
const poolCheck = pool(normal(3, 2, 8, 8), { kernel: 2, stride: 2 });
const normCheck: Call = {
  inputs: { x: map(normal(4, 5), (value) => 5 * value + 12), gamma: normal(5), beta: normal(5) },
  options: {},
};
const lossCheck: Call = {
  inputs: { logits: map(normal(50, 10), (value) => 0.001 * value) },
  constants: { labels: classes(50, 10) },
  options: {},
};

/** CS231n's gradient check of a layer, and the same with a loss that is the sum of y, so that dy is 1 everywhere. */
const checks = (layer: LayerName, call: Call): readonly Suite[] =>
  (['normal', 'ones'] as const).map((dy) => ({
    name: dy === 'normal' ? 'CS231n gradient check, random dy' : 'the same, loss = Σ y',
    layer,
    looksAt: 'check',
    cases: cases(layer, [call], dy),
    within: quotients,
  }));

export const suites: readonly Suite[] = [
  {
    name: 'ONNX Conv node tests',
    layer: 'conv2d',
    looksAt: 'y',
    within: onnx,
    cases: cases('conv2d', [
      onnxConv(image, { padding: 1 }),
      onnxConv(image, {}),
      onnxConv(image, { padding: 'same', stride: 2 }),
      onnxConv(tall, { padding: 1, stride: 2 }),
      onnxConv(tall, { stride: 2 }),
      onnxConv(tall, { padding: [1, 0], stride: 2 }),
    ]),
  },
  {
    name: 'CS231n conv_forward_naive',
    layer: 'conv2d',
    looksAt: 'y',
    within: cs231n,
    cases: cases('conv2d', [
      {
        inputs: {
          x: linspace(-0.1, 0.5, 2, 3, 4, 4),
          w: linspace(-0.2, 0.3, 3, 3, 4, 4),
          b: linspace(-0.1, 0.2, 3),
        },
        options: { stride: 2, padding: 1 },
      },
    ]),
  },
  {
    name: 'PyTorch OpInfo, without groups',
    layer: 'conv2d',
    looksAt: 'y',
    within: torch,
    cases: cases('conv2d', opInfoPlain),
  },
  ...checks('conv2d', convCheck),
  {
    name: 'PyTorch OpInfo',
    layer: 'groupedConv2d',
    looksAt: 'y',
    within: torch,
    cases: cases('groupedConv2d', [...opInfoPlain, ...opInfoGrouped]),
  },
  {
    name: 'ONNX MaxPool node tests',
    layer: 'maxPool2d',
    looksAt: 'y',
    within: onnx,
    cases: cases('maxPool2d', [
      ...onnxPools({}),
      pool(counting(1, 1, 1, 4, 4), { kernel: 2, stride: 1, dilation: 2 }),
      pool(counting(1, 1, 1, 2, 2), { kernel: 1, stride: 2, ceilMode: true }),
    ]),
  },
  {
    name: 'CS231n max_pool_forward_naive',
    layer: 'maxPool2d',
    looksAt: 'y',
    within: cs231n,
    cases: cases('maxPool2d', [pool(linspace(-0.3, 0.4, 2, 3, 4, 4), { kernel: 2, stride: 2 })]),
  },
  ...checks('maxPool2d', poolCheck),
  {
    name: 'ONNX AveragePool node tests',
    layer: 'avgPool2d',
    looksAt: 'y',
    within: onnx,
    cases: cases('avgPool2d', [
      ...onnxPools({ countIncludePad: false }),
      pool(counting(1, 1, 1, 5, 5), { kernel: 5, stride: 1, padding: 2, countIncludePad: true }),
      pool(uniform(0, 1, 1, 3, 2, 2), { kernel: 3, stride: 3, padding: 1, ceilMode: true, countIncludePad: true }),
    ]),
  },
  ...checks('avgPool2d', poolCheck),
  {
    name: 'ONNX BatchNormalization, training',
    layer: 'batchNorm',
    looksAt: 'y',
    within: onnx,
    cases: cases('batchNorm', [
      { inputs: { x: triples, gamma: vector(1, 1.5), beta: vector(0, 1) }, options: {} },
      { inputs: { x: normal(2, 3, 4, 5), gamma: normal(3), beta: normal(3) }, options: { eps: 1e-2 } },
    ]),
  },
  ...checks('batchNorm', normCheck),
  {
    name: 'ONNX SoftmaxCrossEntropyLoss, mean',
    layer: 'softmaxCrossEntropy',
    looksAt: 'y',
    within: onnx,
    cases: cases('softmaxCrossEntropy', [
      { inputs: { logits: uniform(0, 1, 3, 5) }, constants: { labels: classes(3, 5) }, options: {} },
    ]),
  },
  {
    name: 'CS231n softmax_loss',
    layer: 'softmaxCrossEntropy',
    looksAt: 'check',
    within: quotients,
    cases: cases('softmaxCrossEntropy', [lossCheck], 'ones'),
  },
];

// ── Scores ──────────────────────────────────────────────────────────────────

const fails = (hold: () => void): boolean => {
  try {
    hold();
    return false;
  } catch {
    return true;
  }
};

/** Whether a fixture fails in y, or in the gradients. */
const differs = (layer: Layer, golden: GoldenCase, where: 'y' | 'gradients'): boolean => {
  const right = layerOf(implementations.naive, golden.id.split('/')[0] as LayerName);
  const mixed: Layer = where === 'y' ? { ...layer, backward: right.backward } : { ...layer, forward: right.forward };
  return fails(() => expectGolden(mixed, golden));
};

const kills = ({ layer: name, looksAt, cases, within }: Suite, layer: Layer): boolean => {
  const right = layerOf(implementations.naive, name);
  return cases.some((call) =>
    fails(() => {
      if (looksAt === 'y') expectTensor('y', layer.forward(call), right.forward(call), within);
      else {
        const want = looksAt === 'check' ? slopes(layer, call, 1e-5) : right.backward(call);
        expectTensors(layer.backward(call), want, within);
      }
    }),
  );
};

/**
 * How the suites of one layer fare against its known bugs, and for comparison one fixture of ours, and all of them.
 * @param progress called with the id of every bug
 */
export async function scores(
  name: LayerName,
  chosen: readonly Suite[],
  progress?: (id: string) => void,
): Promise<Readonly<Record<string, Score & { readonly cases: number }>>> {
  const fixtures = answeredCases(name);
  const hostile = fixtures.filter(({ id }) => id === `${name}/hostile`);
  const own = (['y', 'gradients'] as const).flatMap((where) =>
    ([`our one hostile fixture`, 'all our fixtures'] as const).map((suite, i) => ({
      ...{ suite: `${suite}, ${where}`, where, count: i === 0 ? hostile.length : fixtures.length },
      dies: (layer: Layer) => (i === 0 ? hostile : fixtures).some((golden) => differs(layer, golden, where)),
    })),
  );
  const all = [
    ...chosen.map((suite) => ({
      ...{ suite: suite.name, where: suite.looksAt === 'y' ? ('y' as const) : ('gradients' as const) },
      ...{ count: suite.cases.length, dies: (layer: Layer) => kills(suite, layer) },
    })),
    ...own,
  ];
  const table = Object.fromEntries(
    all.map(({ suite, count }) => [suite, { cases: count, asked: 0, survivors: [] as string[] }]),
  );
  for (const bug of bugs.filter(({ subject, equivalent }) => subject === name && equivalent === undefined)) {
    progress?.(bug.id);
    const layer = layerOf(await plant<Layers>([bug], `naive/${name}.ts`), name);
    const where = (['y', 'gradients'] as const).find((where) => fixtures.some((one) => differs(layer, one, where)));
    for (const { suite, dies } of all.filter((each) => each.where === where)) {
      table[suite].asked++;
      if (!dies(layer)) table[suite].survivors.push(bug.id);
    }
  }
  return table;
}
