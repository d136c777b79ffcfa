import fc from 'fast-check';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { eighths, flattenCase } from './arbitraries.ts';
import { expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { tabulate } from './images.ts';
import { law } from './law.ts';
import { specify } from './specify.ts';

const cases = flattenCase();
const images = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(2)).chain((sizes) => eighths(sizes.map((s) => s + 1)));
const of = (shape: number[]) => ({ inputs: { x: zeros(shape) }, options: {} });

export const laws = specify('flatten', {
  cases,
  precision: exactOnEighths,
  laws: [
    law('x[n, c, h, w] is y[n, (c·H + h)·W + w]', images, ({ forward }, x: Tensor) => {
      const [, , H, W] = x.shape;
      const y = forward({ inputs: { x }, options: {} });
      const back = tabulate(x.shape, (n, c, h, w) => get(y, n, (c * H + h) * W + w));
      expectTensor('x', back, x);
    }),
    law('backward(y) = x: it undoes forward', cases, ({ forward, backward }, call) => {
      expectTensor('dx', backward({ ...call, dy: forward(call) }).dx, call.inputs.x);
    }),
  ],
  rejects: [
    [of([4]), 'flatten: x has shape (4), expected (N, …)'],
    [of([]), 'flatten: x has shape (), expected (N, …)'],
    [of([2, 0, 3]), 'flatten: x has shape (2, 0, 3), expected (N, …)'],
  ],
});
