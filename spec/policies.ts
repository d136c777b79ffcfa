import type { LayerName, Layers } from '../src/layers.ts';
import { bugs } from './bugs/index.ts';
import type { BatchNormOptions } from '../src/naive/batchNorm.ts';
import type { Tensor } from '../src/tensor.ts';
import type { Compare } from './close.ts';
import { layerOf, type Call, type Case, type Layer } from './law.ts';
import type { Edit } from './plant.ts';
import { planted } from './planted.ts';

/** Whose choices are known. torch and tfjs were run (scripts/ports/), keras and onnx read from their documentation. */
export const frameworks = ['torch', 'onnx', 'keras', 'tfjs'] as const;
export type Framework = (typeof frameworks)[number];

/** What frameworks do otherwise, and mean to: edits of a definition, as those of bugs. Many are bugs of the catalogue, in others. */
export interface Policy {
  /** That of the bug, if it is one: 'tanh.slope-cancels'. */
  readonly id: string;
  readonly layer: LayerName;
  readonly of: readonly Framework[];
  readonly means: string;
  readonly edits: readonly Edit[];
  /** How far two programs that do so may be apart, where digits cancel: default as the layer's laws say. */
  readonly compare?: (call: Call | Case) => Compare;
}

/** Four roundings of numbers as large as dy. */
const ofSlopes = (call: Call | Case): Compare => ({ mode: 'bound', n: 4, S: 'dy' in call ? largest(call.dy) : 0 });

/** Four roundings of numbers as large as the mean, or x, times gamma / √(variance + eps). */
function ofFolded({ inputs: { x, gamma, beta }, constants, options }: Call): Compare {
  const { mean, variance } = constants!;
  const { eps = 1e-5 } = options as BatchNormOptions;
  const a = largest(gamma) / Math.sqrt(Math.min(...variance.data) + eps);
  return { mode: 'bound', n: 4, S: Math.max(largest(x), largest(mean)) * a + largest(beta) };
}

const largest = ({ data }: Tensor) => data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Bugs that lose digits, and so differ from program to program. */
const compares: Readonly<Record<string, Policy['compare']>> = {
  'tanh.slope-cancels': ofSlopes,
  'sigmoid.slope-cancels': ofSlopes,
};

/** Policies that the catalogue has as bugs. */
const asBugs: Readonly<Record<string, readonly Framework[]>> = {
  'leakyRelu.nan-leaks': ['torch', 'tfjs'],
  'tanh.slope-cancels': ['torch', 'tfjs'],
  'sigmoid.slope-cancels': ['torch', 'tfjs'],
  'dropout.multiplied': ['torch', 'tfjs'],
  'softmaxCrossEntropy.zero-times-infinity': ['torch', 'tfjs'],
  'softmaxCrossEntropy.log-clipped': ['keras'],
  'maxPool2d.ceil-keeps-last': ['tfjs', 'onnx'],
  'maxPool2d.last-tie': ['onnx'],
  'maxPool2d.ties-by-column': ['onnx'],
  'avgPool2d.ceil-keeps-last': ['tfjs', 'onnx'],
  'avgPool2d.padding-never-counts': ['keras', 'onnx'],
  'avgPool2d.backward-divisor': ['tfjs'],
};

const edit = (layer: LayerName, within: string, find: string, put: string): Edit => ({
  ...{ file: `naive/${layer}.ts`, within, find, put },
});

const own: readonly Policy[] = [
  {
    ...{ id: 'relu.negative-zero', layer: 'relu', of: ['torch'], means: 'relu(−0) is −0' },
    edits: [edit('relu', 'relu', 'Math.max(0, value)', '(value === 0 ? value : Math.max(0, value))')],
  },
  {
    ...{ id: 'maxPool2d.last-nan', layer: 'maxPool2d', of: ['torch'], means: 'dy goes to the last NaN, not the first' },
    edits: [
      edit(
        'maxPool2d',
        'maxPool2dBackward',
        'accumulate(dx, get(dy, n, c, oh, ow), n, c, ih, iw);',
        `if (Number.isNaN(largest)) {
                const later = (a: number, b: number) =>
                  (a > kh || (a === kh && b > kw)) && Number.isNaN(getOr(0, x, n, c, row(oh, a), column(ow, b)));
                const taps = Array.from({ length: KH * KW }, (_, i) => [Math.floor(i / KW), i % KW]);
                if (taps.some(([a, b]) => later(a, b))) continue;
              }
              accumulate(dx, get(dy, n, c, oh, ow), n, c, ih, iw);`,
      ),
    ],
  },
  {
    ...{ id: 'maxPool2d.infinite-winner', layer: 'maxPool2d', of: ['torch'] },
    means: 'where the maximum is −∞ dy goes to the first tap in the image, or to a pixel that the window never saw',
    edits: [
      edit(
        'maxPool2d',
        'maxPool2dBackward',
        'if (largest === -Infinity) continue;',
        `if (largest === -Infinity) {
            const { top, bottom, left, right } = maxPool2dShape(x, options);
            const [H, W] = x.shape.slice(2);
            let [ih, iw] = [row(oh, 0), column(ow, 0)];
            if (top === bottom && left === right) {
              while (ih < 0) ih += row(0, 1) - row(0, 0);
              while (iw < 0) iw += column(0, 1) - column(0, 0);
            } else if (ih < 0 || iw < 0 || ih >= H || iw >= W) continue; // in padding of its own
            const pixel = ih * W + iw;
            if (pixel < H * W) dx.data[(n * C + c) * H * W + pixel] += get(dy, n, c, oh, ow);
            continue;
          }`,
      ),
    ],
  },
  {
    ...{ id: 'batchNormInference.folded', layer: 'batchNormInference', of: ['torch'] },
    compare: ofFolded,
    means: 'y = x·a + (beta − mean·a), a = gamma / √(variance + eps): digits are lost where the mean is large',
    edits: [
      edit(
        'batchNormInference',
        'batchNormInference',
        'const normalised = (get(values, n, c, i) - get(mean, c)) / Math.sqrt(get(variance, c) + eps);',
        'const a = get(gamma, c) / Math.sqrt(get(variance, c) + eps);',
      ),
      edit(
        'batchNormInference',
        'batchNormInference',
        'get(gamma, c) * normalised + get(beta, c)',
        'get(values, n, c, i) * a + (get(beta, c) - get(mean, c) * a)',
      ),
    ],
  },
  {
    ...{
      id: 'relu.nan-times-dy',
      layer: 'relu',
      of: ['tfjs'],
      means: 'dx is dy times 0 or 1: NaN where dy is infinite or x is NaN',
    },
    edits: [
      edit(
        'relu',
        'reluBackward',
        '(x.data[i] <= 0 ? 0 : slope)',
        '(Number.isNaN(x.data[i]) ? NaN : (x.data[i] > 0 ? 1 : 0) * slope)',
      ),
    ],
  },
  {
    ...{ id: 'conv2d.border-left-out', layer: 'conv2d', of: ['tfjs'] },
    means: 'products under padding are left out: 0 · ∞ is no NaN there',
    edits: [
      edit(
        'conv2d',
        'conv2d',
        'sum += getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw);',
        'if (getOr(NaN, x, n, c, row(oh, kh), column(ow, kw)) === getOr(0, x, n, c, row(oh, kh), column(ow, kw))) sum += getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw);',
      ),
    ],
  },
];

export const policies: readonly Policy[] = [
  ...bugs.flatMap((bug) =>
    bug.id in asBugs
      ? [
          {
            id: bug.id,
            layer: bug.subject as LayerName,
            of: asBugs[bug.id],
            means: bug.means,
            edits: [bug],
            ...(compares[bug.id] && { compare: compares[bug.id]! }),
          },
        ]
      : [],
  ),
  ...own,
];

/** Calls that must be errors, and that a framework answers: fixtures of tier invalid. */
const accepted: Readonly<Partial<Record<Framework, Readonly<Record<string, string>>>>> = {
  torch: {
    'wrong-rank': 'conv2d groupedConv2d globalAvgPool2d dropout batchNorm batchNormInference',
    'three-axes': 'softmax logSoftmax',
    'empty-batch': 'conv2d',
    'no-pixels': 'globalAvgPool2d batchNorm',
    'no-rows': 'flatten',
    'no-numbers': 'meanSquaredError',
    'no-classes': 'softmax logSoftmax',
    'bias-one': 'linear',
    'mask-shared': 'dropout',
    'mask-size': 'dropout',
    'mask-half': 'dropout',
    'target-rank': 'meanSquaredError',
    'target-column': 'meanSquaredError',
    'beta-rank': 'batchNorm batchNormInference',
    sum: 'softmaxCrossEntropy',
    'probability-negative': 'softmaxCrossEntropy',
    'slope-negative': 'leakyRelu',
    'eps-negative': 'batchNorm batchNormInference',
    'variance-negative': 'batchNormInference',
    'padding-negative': 'conv2d maxPool2d',
    'padding-above-half': 'maxPool2d avgPool2d',
  },
  tfjs: {
    'wrong-rank': 'softmax logSoftmax globalAvgPool2d flatten dropout batchNorm batchNormInference',
    'three-axes': 'softmax logSoftmax',
    'empty-batch': 'conv2d',
    'no-rows': 'flatten',
    'no-columns': 'maxPool2d',
    'no-numbers': 'meanSquaredError',
    'no-pixels': 'batchNorm globalAvgPool2d',
    'no-classes': 'softmax logSoftmax',
    'window-too-large': 'groupedConv2d maxPool2d avgPool2d',
    'kernel-zero': 'maxPool2d avgPool2d',
    'stride-three': 'conv2d',
    'stride-fraction': 'conv2d',
    'padding-negative': 'conv2d maxPool2d',
    'padding-above-half': 'maxPool2d avgPool2d',
    'bias-one': 'conv2d linear',
    'mask-rank': 'dropout',
    'mask-shared': 'dropout',
    'mask-size': 'dropout',
    'mask-half': 'dropout',
    'gamma-size': 'batchNorm batchNormInference',
    'mean-size': 'batchNormInference',
    'variance-size': 'batchNormInference',
    'one-value': 'batchNorm',
    'one-row': 'batchNorm',
    'slope-negative': 'leakyRelu',
    'eps-negative': 'batchNorm batchNormInference',
    'variance-negative': 'batchNormInference',
    'label-too-large': 'softmaxCrossEntropy',
    'label-negative': 'softmaxCrossEntropy',
    sum: 'softmaxCrossEntropy',
    'probability-negative': 'softmaxCrossEntropy',
    'ceil-mode-number': 'maxPool2d',
    'count-include-pad-number': 'avgPool2d',
  },
};

/** The fixtures of tier invalid that a framework answers. */
export const acceptedIds = (framework: Framework): readonly string[] =>
  Object.entries(accepted[framework] ?? {}).flatMap(([name, layers]) =>
    layers.split(' ').map((layer) => `${layer}/${name}`),
  );

/** Who answers a fixture of tier invalid. */
export const acceptedBy = (id: string): readonly Framework[] =>
  frameworks.filter((framework) => acceptedIds(framework).includes(id));

/** A definition as one or all policies of a framework have it. */
export interface OtherDefinition {
  /** The ids of its policies, and whose all of them are. */
  readonly ids: readonly string[];
  readonly of: readonly Framework[];
  readonly layer: Layer;
  readonly compare?: Policy['compare'];
}

const others = new Map<LayerName, Promise<readonly OtherDefinition[]>>();

/** The sets of edits by which a layer is defined otherwise: each policy alone, and all of a framework that has several. */
export function variants(
  name: LayerName,
): readonly { id: string; policies: readonly Policy[]; of: readonly Framework[] }[] {
  const ofLayer = policies.filter(({ layer }) => layer === name);
  const alone = ofLayer.map((policy) => ({ id: policy.id, policies: [policy], of: policy.of }));
  const together = frameworks.flatMap((framework) => {
    const its = ofLayer.filter(({ id, of }) => of.includes(framework) && !(framework === 'onnx' && id.includes('tie')));
    return its.length > 1 ? [{ id: `${name}.${framework}`, policies: its, of: [framework] }] : [];
  });
  return [...alone, ...together];
}

/** A layer as others define it; planted once. */
export function otherDefinitions(name: LayerName): Promise<readonly OtherDefinition[]> {
  if (!others.has(name))
    others.set(
      name,
      Promise.all(
        variants(name).map(async ({ id, policies, of }) => {
          const edits = policies.flatMap((policy) => policy.edits);
          const layers = await planted<Layers>(id, edits, `naive/${name}.ts`);
          const compare = policies.find((policy) => policy.compare)?.compare;
          return {
            ids: policies.map((policy) => policy.id),
            of,
            layer: layerOf(layers, name),
            ...(compare && { compare }),
          };
        }),
      ),
    );
  return others.get(name)!;
}
