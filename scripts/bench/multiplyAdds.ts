import { implementations, type Layers } from '../../src/layers.ts';
import { forward, initialStatistics, parameterShapes, type Model } from '../../src/network.ts';
import { size, zeros } from '../../src/tensor.ts';
import { conv2dShape } from '../../src/naive/conv2d.ts';
import { groupedConv2dShape } from '../../src/naive/groupedConv2d.ts';
import { linearShape } from '../../src/naive/linear.ts';

/**
 * Multiply-adds of convolutions and linear layers, forward, of one image. The network runs, on layers that only count: each
 * number of y takes as many as a kernel has numbers, those under the padding included.
 */
export function multiplyAdds(model: Model): number {
  let count = 0;
  const counted = (shape: readonly number[], w: { readonly shape: readonly number[] }) => {
    count += size(shape) * size(w.shape.slice(1));
    return zeros(shape);
  };
  const counting: Layers = {
    ...implementations.simd,
    conv2d(x, w, b, options = {}) {
      const { N, O, OH, OW } = conv2dShape(x, w, b, options);
      return counted([N, O, OH, OW], w);
    },
    groupedConv2d(x, w, b, options = {}) {
      const { N, O, OH, OW } = groupedConv2dShape(x, w, b, options);
      return counted([N, O, OH, OW], w);
    },
    linear(x, w, b, options = {}) {
      const { N, O } = linearShape(x, w, b, options);
      return counted([N, O], w);
    },
  };
  const learned = Object.entries(parameterShapes(model)).map(([name, shape]) => [name, zeros(shape)]);
  const parameters = { ...Object.fromEntries(learned), ...initialStatistics(model) };
  forward(counting, model, parameters, zeros([1, ...model.input]), 'evaluation');
  return count;
}
