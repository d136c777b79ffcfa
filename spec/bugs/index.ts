import type { Bug } from './bug.ts';
import { avgPool2d } from './avgPool2d.ts';
import { batchNorm } from './batchNorm.ts';
import { batchNormInference } from './batchNormInference.ts';
import { batchStatistics } from './batchStatistics.ts';
import { cifar10 } from './cifar10.ts';
import { conv2d } from './conv2d.ts';
import { csv } from './csv.ts';
import { dropout } from './dropout.ts';
import { dropoutMask } from './dropoutMask.ts';
import { flatten } from './flatten.ts';
import { frameAsMnist } from './frameAsMnist.ts';
import { globalAvgPool2d } from './globalAvgPool2d.ts';
import { groupedConv2d } from './groupedConv2d.ts';
import { image } from './image.ts';
import { images } from './images.ts';
import { initialize } from './initialize.ts';
import { layout } from './layout.ts';
import { leakyRelu } from './leakyRelu.ts';
import { linear } from './linear.ts';
import { logSoftmax } from './logSoftmax.ts';
import { maxPool2d } from './maxPool2d.ts';
import { meanSquaredError } from './meanSquaredError.ts';
import { mnist } from './mnist.ts';
import { models } from './models.ts';
import { network } from './network.ts';
import { optimizers } from './optimizers.ts';
import { predict } from './predict.ts';
import { random } from './random.ts';
import { relu } from './relu.ts';
import { sigmoid } from './sigmoid.ts';
import { softmax } from './softmax.ts';
import { softmaxCrossEntropy } from './softmaxCrossEntropy.ts';
import { tanh } from './tanh.ts';
import { train } from './train.ts';
import { window } from './window.ts';

/** The catalogue of known bugs. */
export const bugs: readonly Bug[] = [
  ...avgPool2d,
  ...batchNorm,
  ...batchNormInference,
  ...batchStatistics,
  ...cifar10,
  ...conv2d,
  ...csv,
  ...dropout,
  ...dropoutMask,
  ...flatten,
  ...frameAsMnist,
  ...globalAvgPool2d,
  ...groupedConv2d,
  ...image,
  ...images,
  ...initialize,
  ...layout,
  ...leakyRelu,
  ...linear,
  ...logSoftmax,
  ...maxPool2d,
  ...meanSquaredError,
  ...mnist,
  ...models,
  ...network,
  ...optimizers,
  ...predict,
  ...random,
  ...relu,
  ...sigmoid,
  ...softmax,
  ...softmaxCrossEntropy,
  ...tanh,
  ...train,
  ...window,
];
