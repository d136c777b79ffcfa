import type { Model } from '../network.ts';

/** The network without convolutions that "CNN from scratch with NumPy" compares with: 784-128-64-10, 109,386 parameters. */
export const dense: Model = {
  name: 'dense',
  input: [1, 28, 28],
  nodes: [
    { name: 'flatten', layer: 'flatten' }, // 784
    { name: 'fc1', layer: 'linear', parameters: { w: [128, 784], b: [128] } },
    { name: 'relu1', layer: 'relu' },
    { name: 'fc2', layer: 'linear', parameters: { w: [64, 128], b: [64] } },
    { name: 'relu2', layer: 'relu' },
    { name: 'fc3', layer: 'linear', parameters: { w: [10, 64], b: [10] } },
  ],
};
