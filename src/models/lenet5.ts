import type { Model } from '../network.ts';
import { knownOptions, trueOrFalse } from '../tensor.ts';

export interface Lenet5Options {
  /** Average pools and tanh, as in 1998; the drawing has maximum pools, and names no activation. Default false. */
  readonly original?: boolean;
}

/**
 * LeNet-5 as "CNN basics" draws it, on 28×28 pixels with 2 of padding around them: 61,706 parameters.
 * (The net of 1998 had 60,000: a sparse second convolution, a weight per subsampling, distances instead of a last layer.)
 * @see LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, section II.B
 */
export function lenet5(options: Lenet5Options = {}): Model {
  knownOptions('lenet5', options, ['original']);
  const { original = false } = options;
  trueOrFalse('lenet5: original', original);
  const [pooling, activation] = original ? (['avgPool2d', 'tanh'] as const) : (['maxPool2d', 'relu'] as const);
  return {
    name: original ? 'lenet5-1998' : 'lenet5',
    input: [1, 28, 28],
    normalize: { mean: [0.1307], std: [0.3081] },
    initialization: 'fanInUniform',
    nodes: [
      { name: 'conv1', layer: 'conv2d', parameters: { w: [6, 1, 5, 5], b: [6] }, options: { padding: 2 } }, // 6 × 28 × 28
      { name: 'act1', layer: activation },
      { name: 'pool1', layer: pooling, options: { kernel: 2 } }, //                   6 × 14 × 14
      { name: 'conv2', layer: 'conv2d', parameters: { w: [16, 6, 5, 5], b: [16] } }, // 16 × 10 × 10
      { name: 'act2', layer: activation },
      { name: 'pool2', layer: pooling, options: { kernel: 2 } }, //                  16 × 5 × 5
      { name: 'flatten', layer: 'flatten' }, //                                      400
      { name: 'fc1', layer: 'linear', parameters: { w: [120, 400], b: [120] } },
      { name: 'act3', layer: activation },
      { name: 'fc2', layer: 'linear', parameters: { w: [84, 120], b: [84] } },
      { name: 'act4', layer: activation },
      { name: 'fc3', layer: 'linear', parameters: { w: [10, 84], b: [10] } },
    ],
  };
}
