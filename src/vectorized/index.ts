export { conv2d, conv2dBackward } from './conv2d.ts';
export { flatten, flattenBackward } from './flatten.ts';
export { linear, linearBackward } from './linear.ts';
export { maxPool2d, maxPool2dBackward } from './maxPool2d.ts';
export { relu, reluBackward } from './relu.ts';
export { softmax, softmaxBackward } from './softmax.ts';
export { softmaxCrossEntropy, softmaxCrossEntropyBackward } from './softmaxCrossEntropy.ts';
