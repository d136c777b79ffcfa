import type { Bug } from './bug.ts';
import { avgPool2d } from './avgPool2d.ts';
import { batchNorm } from './batchNorm.ts';
import { batchNormInference } from './batchNormInference.ts';
import { batchStatistics } from './batchStatistics.ts';
import { conv2d } from './conv2d.ts';
import { dropout } from './dropout.ts';
import { flatten } from './flatten.ts';
import { globalAvgPool2d } from './globalAvgPool2d.ts';
import { groupedConv2d } from './groupedConv2d.ts';
import { leakyRelu } from './leakyRelu.ts';
import { linear } from './linear.ts';
import { logSoftmax } from './logSoftmax.ts';
import { maxPool2d } from './maxPool2d.ts';
import { meanSquaredError } from './meanSquaredError.ts';
import { network } from './network.ts';
import { optimizers } from './optimizers.ts';
import { relu } from './relu.ts';
import { sigmoid } from './sigmoid.ts';
import { softmax } from './softmax.ts';
import { softmaxCrossEntropy } from './softmaxCrossEntropy.ts';
import { tanh } from './tanh.ts';

/** The catalogue of known bugs. */
export const bugs: readonly Bug[] = [
  ...avgPool2d,
  ...batchNorm,
  ...batchNormInference,
  ...batchStatistics,
  ...conv2d,
  ...dropout,
  ...flatten,
  ...globalAvgPool2d,
  ...groupedConv2d,
  ...leakyRelu,
  ...linear,
  ...logSoftmax,
  ...maxPool2d,
  ...meanSquaredError,
  ...network,
  ...optimizers,
  ...relu,
  ...sigmoid,
  ...softmax,
  ...softmaxCrossEntropy,
  ...tanh,
];
