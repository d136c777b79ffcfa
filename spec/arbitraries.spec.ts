import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Border } from '../src/window.ts';
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
