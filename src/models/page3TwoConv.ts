import type { Model } from '../network.ts';

/** The net that "CNN from scratch with NumPy" draws, and does not build: two convolutions, 27,562 parameters. */
export const page3TwoConv: Model = {
  name: 'page3TwoConv',
  input: [1, 28, 28],
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [8, 1, 3, 3], b: [8] } }, //     8 × 26 × 26
    { name: 'relu1', layer: 'relu' },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: 2 } }, //                   8 × 13 × 13
    { name: 'conv2', layer: 'conv2d', parameters: { w: [16, 8, 3, 3], b: [16] } }, //  16 × 11 × 11
    { name: 'relu2', layer: 'relu' },
    { name: 'pool2', layer: 'maxPool2d', options: { kernel: 2 } }, //                  16 × 5 × 5
    { name: 'flatten', layer: 'flatten' }, //                                          400
    { name: 'fc1', layer: 'linear', parameters: { w: [64, 400], b: [64] } },
    { name: 'relu3', layer: 'relu' },
    { name: 'fc2', layer: 'linear', parameters: { w: [10, 64], b: [10] } },
  ],
};
