import type { Model } from '../network.ts';

/** The first network of "CNN basics": 421,642 parameters. */
export const mnistNet: Model = {
  name: 'mnistNet',
  input: [1, 28, 28],
  normalize: { mean: [0.1307], std: [0.3081] },
  initialization: 'fanInUniform',
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [32, 1, 3, 3], b: [32] }, options: { padding: 1 } }, // 32 × 28 × 28
    { name: 'relu1', layer: 'relu' },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: 2 } }, // 32 × 14 × 14
    { name: 'conv2', layer: 'conv2d', parameters: { w: [64, 32, 3, 3], b: [64] }, options: { padding: 1 } },
    { name: 'relu2', layer: 'relu' },
    { name: 'pool2', layer: 'maxPool2d', options: { kernel: 2 } }, // 64 × 7 × 7
    { name: 'flatten', layer: 'flatten' }, //                         3136
    { name: 'fc1', layer: 'linear', parameters: { w: [128, 3136], b: [128] } },
    { name: 'relu3', layer: 'relu' },
    { name: 'fc2', layer: 'linear', parameters: { w: [10, 128], b: [10] } },
  ],
};
