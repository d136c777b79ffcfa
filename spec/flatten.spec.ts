import fc from 'fast-check';
import { map } from '../src/ndarray.ts';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { eighths, flattenCase } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
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
    law('numbers are kept to the last bit', cases, ({ forward, u }, call) => {
      const x = map(call.inputs.x, (value) => value / 3);
      const y = map(forward(call), (value) => value / 3);
      const within = u === 2 ** -53 ? 0 : allowed({ mode: 'ulp', k: 1 }, u); // float32 has no thirds
      expectTensor('y', forward(change(call, { x })), y, within);
    }),
  ],
  rejects: [
    [of([4]), 'flatten: x has shape (4), expected (N, …)'],
    [of([]), 'flatten: x has shape (), expected (N, …)'],
    [of([2, 0, 3]), 'flatten: x has shape (2, 0, 3), expected (N, …)'],
  ],
});
