// Every layer in float32, by WebAssembly SIMD. Here tensors are rounded into its memory and taken out again; what is computed
// with them is in assembly/, which knows pointers and sizes alone. Shapes and errors are those of src/naive.

export { avgPool2d, avgPool2dBackward } from './avgPool2d.ts';
export { batchNorm, batchNormBackward } from './batchNorm.ts';
export { batchNormInference, batchNormInferenceBackward } from './batchNormInference.ts';
export { batchStatistics, updateRunning } from './batchStatistics.ts';
export { conv2d, conv2dBackward } from './conv2d.ts';
export { dropout, dropoutBackward } from './dropout.ts';
export { flatten, flattenBackward } from './flatten.ts';
export { globalAvgPool2d, globalAvgPool2dBackward } from './globalAvgPool2d.ts';
export { groupedConv2d, groupedConv2dBackward } from './groupedConv2d.ts';
export { leakyRelu, leakyReluBackward } from './leakyRelu.ts';
export { linear, linearBackward } from './linear.ts';
export { logSoftmax, logSoftmaxBackward } from './logSoftmax.ts';
export { maxPool2d, maxPool2dBackward } from './maxPool2d.ts';
export { meanSquaredError, meanSquaredErrorBackward } from './meanSquaredError.ts';
export { relu, reluBackward } from './relu.ts';
export { sigmoid, sigmoidBackward } from './sigmoid.ts';
export { softmax, softmaxBackward } from './softmax.ts';
export { softmaxCrossEntropy, softmaxCrossEntropyBackward } from './softmaxCrossEntropy.ts';
export { tanh, tanhBackward } from './tanh.ts';
