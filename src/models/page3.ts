import type { Model } from '../network.ts';

/** The net that "CNN from scratch with NumPy" trains: one convolution, 87,322 parameters. */
export const page3: Model = {
  name: 'page3',
  input: [1, 28, 28],
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [8, 1, 3, 3], b: [8] } }, //   8 × 26 × 26
    { name: 'relu1', layer: 'relu' },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: 2 } }, //                 8 × 13 × 13
    { name: 'flatten', layer: 'flatten' }, //                                         1352
    { name: 'fc1', layer: 'linear', parameters: { w: [64, 1352], b: [64] } },
    { name: 'relu2', layer: 'relu' },
    { name: 'fc2', layer: 'linear', parameters: { w: [10, 64], b: [10] } },
  ],
};
