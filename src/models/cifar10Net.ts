import type { Model, Nodes } from '../network.ts';

/** Convolution, batch norm and relu, called as in PyTorch's nn.Sequential: number `at` and the two after it. */
const block = (at: number, C: number, O: number): Nodes => [
  { name: `features.${at}`, layer: 'conv2d', parameters: { w: [O, C, 3, 3], b: [O] }, options: { padding: 1 } },
  {
    name: `features.${at + 1}`,
    layer: 'batchNorm',
    parameters: { gamma: [O], beta: [O] },
    running: { unbiased: true },
  },
  { name: `features.${at + 2}`, layer: 'relu' },
];

/** The network for 32×32 photographs of "CNN basics": 2,360,906 parameters. */
export const cifar10Net: Model = {
  name: 'cifar10Net',
  input: [3, 32, 32],
  initialization: 'fanInUniform',
  nodes: [
    ...block(0, 3, 64), //                                                    64 × 32 × 32
    ...block(3, 64, 64),
    { name: 'features.6', layer: 'maxPool2d', options: { kernel: 2 } }, //    64 × 16 × 16
    ...block(7, 64, 128), //                                                 128 × 16 × 16
    ...block(10, 128, 128),
    { name: 'features.13', layer: 'maxPool2d', options: { kernel: 2 } }, //  128 × 8 × 8
    { name: 'flatten', layer: 'flatten' }, //                                8192
    { name: 'classifier.0', layer: 'dropout', options: { p: 0.5 } },
    { name: 'classifier.1', layer: 'linear', parameters: { w: [256, 8192], b: [256] } },
    { name: 'classifier.2', layer: 'relu' },
    { name: 'classifier.3', layer: 'dropout', options: { p: 0.5 } },
    { name: 'classifier.4', layer: 'linear', parameters: { w: [10, 256], b: [10] } },
  ],
};
