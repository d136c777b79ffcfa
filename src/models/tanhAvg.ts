import type { Model } from '../network.ts';

/** The "simple CNN" of "CNN with tanh and average pooling", as it was meant: 111,014 parameters. */
export const tanhAvg: Model = {
  name: 'tanhAvg',
  input: [1, 28, 28],
  initialization: 'fanInUniform',
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [6, 1, 3, 3], b: [6] } }, //  6 × 26 × 26
    { name: 'tanh1', layer: 'tanh' },
    { name: 'pool1', layer: 'avgPool2d', options: { kernel: 3, stride: 1 } }, //     6 × 24 × 24, windows that overlap
    { name: 'flatten', layer: 'flatten' }, //                                        3456
    { name: 'fc1', layer: 'linear', parameters: { w: [32, 3456], b: [32] } },
    { name: 'tanh2', layer: 'tanh' },
    { name: 'fc2', layer: 'linear', parameters: { w: [10, 32], b: [10] } },
  ],
};
