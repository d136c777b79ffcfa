import type { Model } from '../network.ts';

/** As PyTorch does: its running variance is that of a sample. */
const running = { unbiased: true };

/** The network with batch norm and dropout of "CNN basics": 804,874 parameters. */
export const cnnWithBn: Model = {
  name: 'cnnWithBn',
  input: [1, 28, 28],
  normalize: { mean: [0.1307], std: [0.3081] },
  initialization: 'fanInUniform',
  nodes: [
    { name: 'conv1', layer: 'conv2d', parameters: { w: [32, 1, 3, 3], b: [32] }, options: { padding: 1 } }, // 32 × 28 × 28
    { name: 'bn1', layer: 'batchNorm', parameters: { gamma: [32], beta: [32] }, running },
    { name: 'relu1', layer: 'relu' },
    { name: 'pool1', layer: 'maxPool2d', options: { kernel: 2 } }, // 32 × 14 × 14
    { name: 'dropout1', layer: 'dropout', options: { p: 0.25 }, wholeChannels: true },
    { name: 'flatten', layer: 'flatten' }, //                         6272
    { name: 'fc1', layer: 'linear', parameters: { w: [128, 6272], b: [128] } },
    { name: 'bn2', layer: 'batchNorm', parameters: { gamma: [128], beta: [128] }, running },
    { name: 'relu2', layer: 'relu' },
    { name: 'fc2', layer: 'linear', parameters: { w: [10, 128], b: [10] } },
  ],
};
