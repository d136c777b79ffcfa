import { AssertionError } from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import type { LayerName, Layers } from '../src/layers.ts';
import { optimizers, type OptimizerName } from '../src/optimizer.ts';
import { expectGolden } from './every-layer.ts';
import { goldenFile, goldenText, type GoldenCase, type GoldenRunning, type GoldenSteps } from './golden.ts';
import { layerOf } from './law.ts';
import { plant, type Edit } from './plant.ts';
import { expectRunning, expectSteps } from './traces.ts';

const edit = (file: string, find: string, put: string): Edit => ({ file, find, put });
const shift = 'let m = -Infinity;';

/** The other choice of each convention in golden/README.md, by the fixture that fails under it. */
const otherChoices: Readonly<Record<string, readonly Edit[]>> = {
  'conv2d/asymmetric': [
    edit('naive/conv2d.ts', 'get(w, o, c, kh, kw)', 'get(w, o, c, KH - 1 - kh, KW - 1 - kw)'),
    edit('naive/conv2d.ts', '* slope, o, c, kh, kw)', '* slope, o, c, KH - 1 - kh, KW - 1 - kw)'),
  ],
  'maxPool2d/floor': [edit('window.ts', 'Math.floor(steps)', 'Math.round(steps)')],
  'conv2d/same-even-kernel': [
    edit('window.ts', '[Math.floor(total / 2), Math.ceil(total / 2)]', '[Math.ceil(total / 2), Math.floor(total / 2)]'),
  ],
  'maxPool2d/ceil-starts-in-padding': [
    edit('window.ts', 'last * stride < before + size ? last + 1 : last', 'last + 1'),
  ],
  'maxPool2d/negative-padded': [edit('naive/maxPool2d.ts', 'getOr(-Infinity', 'getOr(0')],
  'maxPool2d/outside': [edit('naive/maxPool2d.ts', 'set(y, largest,', 'set(y, largest === -Infinity ? 0 : largest,')],
  'maxPool2d/ties': [
    edit('naive/maxPool2d.ts', '[row(oh, kh), column(ow, kw)]', '[row(oh, KH - 1 - kh), column(ow, KW - 1 - kw)]'),
  ],
  'maxPool2d/special': [edit('naive/maxPool2d.ts', 'Math.max(largest, getOr(', 'Math.max(largest, dropNaN(')].concat(
    edit(
      'naive/maxPool2d.ts',
      'export function maxPool2dBackward',
      `
      const dropNaN = (...args: Parameters<typeof getOr>) => (Number.isNaN(getOr(...args)) ? -Infinity : getOr(...args));
      export function maxPool2dBackward`,
    ),
  ),
  'conv2d/infinite-weight': [
    edit(
      'naive/conv2d.ts',
      'getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw)',
      `
      getOr(0, x, n, c, row(oh, kh), column(ow, kw)) && getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw)`,
    ),
  ],
  'relu/zero': [edit('naive/relu.ts', 'x.data[i] <= 0 ? 0 : slope', 'x.data[i] < 0 ? 0 : slope')],
  'relu/special': [edit('naive/relu.ts', 'Math.max(0, value)', '(value < 0 ? 0 : value)')],
  'softmax/overflow': [edit('naive/softmax.ts', shift, 'let m = 0; if (K < 0)')],
  'softmaxCrossEntropy/hundred': [
    edit(
      'naive/softmaxCrossEntropy.ts',
      '(Math.log(sum) + (m - get(logits, n, k)))',
      '-Math.log(Math.exp(get(logits, n, k) - m) / sum + 1e-12)',
    ),
  ],
  'softmaxCrossEntropy/impossible-class': [edit('naive/softmaxCrossEntropy.ts', 'if (target(n, k) > 0)', '')],
  'softmaxCrossEntropy/hostile': [
    edit('naive/softmaxCrossEntropy.ts', 'total / N', 'total'),
    edit('naive/softmaxCrossEntropy.ts', '* get(dy)) / N', '* get(dy))'),
  ],
  'conv2d/multi-channel': [
    edit('naive/conv2d.ts', 'getOr(0, x, n, c, ih, iw) * slope', '(getOr(0, x, n, c, ih, iw) * slope) / N'),
  ],
  'linear/out-in': [
    edit('naive/linear.ts', 'get(w, o, d)', 'get(w, d, o)'),
    edit('naive/linear.ts', '* slope, o, d)', '* slope, d, o)'),
  ],
  'flatten/channel-row-column': [
    edit(
      'naive/flatten.ts',
      'data: x.data.slice()',
      `data: x.data.map((_, i) => {
      const [, C = 1, H = 1, W = 1] = x.shape;
      const pixel = Math.floor(i / C) % (H * W);
      return x.data[Math.floor(i / (C * H * W)) * C * H * W + (i % C) * H * W + pixel];
    })`,
    ),
  ],
  'maxPool2d/defaults': [edit('window.ts', 'stride = kernel', 'stride = 1')],
  'tanh/saturated': [edit('naive/tanh.ts', 'sech(value) * sech(value)', '(1 - Math.tanh(value) * Math.tanh(value))')],
  'sigmoid/overflow': [
    edit('naive/sigmoid.ts', 'value >= 0 ? 1 / (1 + e) : e / (1 + e)', 'Math.exp(value) / (1 + Math.exp(value))'),
  ],
  'sigmoid/slope': [edit('naive/sigmoid.ts', 'e / ((1 + e) * (1 + e))', '(1 / (1 + e)) * (1 - 1 / (1 + e))')],
  'leakyRelu/zero': [edit('naive/leakyRelu.ts', 'x.data[i] <= 0', 'x.data[i] < 0')],
  'leakyRelu/special': [edit('naive/leakyRelu.ts', 'x.data[i] <= 0', '!(x.data[i] > 0)')],
  'logSoftmax/overflow': [
    edit('naive/logSoftmax.ts', 'get(x, n, k) - m - Math.log(sum)', 'Math.log(Math.exp(get(x, n, k) - m) / sum)'),
  ],
  'meanSquaredError/hostile': [
    edit('naive/meanSquaredError.ts', 'total / count', 'total'),
    edit('naive/meanSquaredError.ts', '* get(dy)) / count', '* get(dy))'),
  ],
  'avgPool2d/defaults-padded': [edit('naive/avgPool2d.ts', 'countIncludePad = true', 'countIncludePad = false')],
  'avgPool2d/ceil-overhang': [edit('naive/avgPool2d.ts', 'g.padded', '() => true')],
  'groupedConv2d/contiguous': [
    edit('naive/groupedConv2d.ts', 'slice * Math.floor(o / (O / groups))', 'slice * (o % groups)'),
  ],
  'batchNorm/biased': [edit('naive/batchStatistics.ts', 'get(variance, c) / count', 'get(variance, c) / (count - 1)')],
  'batchNorm/eps-inside': [
    edit('naive/batchNorm.ts', 'Math.sqrt(get(variance, c) + eps)', 'Math.sqrt(get(variance, c)) + eps'),
  ],
  'batchNorm/large-mean': [
    edit(
      'naive/batchStatistics.ts',
      'accumulate(variance, apart * apart, c)',
      'accumulate(variance, get(values, n, c, i) * get(values, n, c, i) - get(mean, c) * get(mean, c), c)',
    ),
  ],
  'batchStatistics/document': [edit('naive/batchStatistics.ts', 'return { C, decay,', 'return { C, decay: 1 - decay,')],
  'batchStatistics/defaults': [edit('naive/batchStatistics.ts', 'unbiased = false', 'unbiased = true')],
  'dropout/document': [edit('naive/dropout.ts', ' / (1 - p)', '')],
  'dropout/everything': [edit('naive/dropout.ts', 'p < 1 && ', '')],
  'dropout/special': [
    edit('naive/dropout.ts', 'if (kept(n, c, i)) set(', 'set('),
    edit('naive/dropout.ts', ' / (1 - p)', ' * (kept(n, c, i) ? 1 / (1 - p) : 0)'),
  ],
  'adam/rate': [edit('optimizer.ts', 'Math.sqrt(square[i] / bias2) + eps)', 'Math.sqrt(square[i] / bias2 + eps))')],
};

/** The rows of the table: rule, other choice, fixture. */
const rows = [...goldenText('README.md').matchAll(/^\| *\d+ *\| (.+?) *\| (.+?) *\| `(.+?)` *\|$/gm)].map(
  ([, rule, other, id]) => ({ rule, other, id }),
);

it('every convention in the table has another choice here, and every choice a convention', () => {
  expect(rows.map(({ id }) => id).sort()).toEqual(Object.keys(otherChoices).sort());
});

/** @throws AssertionError if src/ with the edits does not do what the fixture says */
async function judge(edits: readonly Edit[], id: string): Promise<void> {
  const name = id.split('/')[0];
  const file = name in optimizers ? 'optimizers.json' : `${name}.json`;
  const golden = goldenFile<{ id: string }>(file).cases.find((found) => found.id === id);
  if (!golden) throw new Error(`golden/${file} has no case ${id}`);
  if (name in optimizers) {
    const planted = await plant<typeof import('../src/optimizer.ts')>(edits, 'optimizer.ts');
    return expectSteps(planted.optimizers[name as OptimizerName], golden as GoldenSteps);
  }
  const layer = await plant<Layers>(edits, `naive/${name}.ts`); // of its layers this one: a quarter of the time, measured
  if (name === 'batchStatistics') expectRunning(layer, golden as GoldenRunning);
  else expectGolden(layerOf(layer, name as LayerName), golden as GoldenCase);
}

describe('the fixture of a convention fails under the other choice', () => {
  it.each(rows.map(({ rule, other, id }) => [rule, other, id]))('%s (not: %s)', async (_rule, _other, id) => {
    await expect(judge(otherChoices[id], id)).rejects.toThrow(AssertionError);
  });

  it.each(rows.map(({ id }) => id))('and holds when nothing is changed: %s', (id) => judge([], id));
});
