import fc from 'fast-check';
import { map } from '../src/ndarray.ts';
import { get, set, zeros } from '../src/tensor.ts';
import { eighths, linearCase } from './arbitraries.ts';
import { bilinear } from './bilinear.ts';
import { allowed, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { entry, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = linearCase();
const withoutBias = cases.map((call) => change(call, { b: zeros(call.inputs.b.shape) }));
const loneOne = fc.record({ x: eighths([2, 3]), o: fc.nat(3), d: fc.nat(2) });
const of = ({ x = [2, 3], w = [4, 3], b = [4] }) => ({
  inputs: { x: zeros(x), w: zeros(w), b: zeros(b) },
  options: {},
});

export const laws = specify('linear', {
  cases,
  precision: exactOnEighths,
  laws: [
    ...bilinear(cases),
    law('a lone 1 at w[o, d]: y[o] is x[d]', loneOne, ({ forward }, { x, o, d }) => {
      const w = zeros([4, 3]);
      set(w, 1, o, d);
      const y = tabulate([2, 4], (n, at) => (at === o ? get(x, n, d) : 0));
      expectTensor('y', forward({ inputs: { x, w, b: zeros([4]) }, options: {} }), y);
    }),
    law('y = b where x = 0', cases, ({ forward }, call) => {
      const y = forward(change(call, { x: zeros(call.inputs.x.shape) }));
      const b = tabulate(y.shape, (_, o) => get(call.inputs.b, o));
      expectTensor('y', y, b);
    }),
    law('wᵀ after w is wᵀ·w', withoutBias, ({ forward }, call) => {
      const { x, w } = call.inputs;
      const [O, D] = w.shape;
      const back = tabulate([D, O], (d, o) => get(w, o, d)); // wᵀ: (N, O) → (N, D)
      const twice = forward({ inputs: { x: forward(call), w: back, b: zeros([D]) }, options: {} });
      const product = forward({ inputs: { x: back, w: back, b: zeros([D]) }, options: {} }); // wᵀ·w
      expectTensor('y', twice, forward({ inputs: { x, w: product, b: zeros([D]) }, options: {} }));
    }),
    law('the entries of a batch do not see each other', cases, ({ forward }, call) => {
      for (let n = 0; n < call.dy.shape[0]; n++)
        expectTensor('y', forward(change(call, { x: entry(call.inputs.x, n) })), entry(forward(call), n));
    }),
    law('the identity changes nothing, to the last bit', cases, ({ forward, u }, call) => {
      const x = map(call.inputs.x, (value) => value / 3);
      const D = x.shape[1];
      const w = tabulate([D, D], (o, d) => (o === d ? 1 : 0));
      const within = u === 2 ** -53 ? 0 : allowed({ mode: 'ulp', k: 1 }, u); // float32 has no thirds
      expectTensor('y', forward({ inputs: { x, w, b: zeros([D]) }, options: {} }), x, within);
    }),
  ],
  rejects: [
    [of({ x: [2, 3, 1] }), 'linear: x has shape (2, 3, 1), expected (N, D)'],
    [of({ w: [3, 4] }), 'linear: w has shape (3, 4), expected (O, 3)'],
    [of({ w: [4, 5] }), 'linear: w has shape (4, 5), expected (O, 3)'],
    [of({ b: [3] }), 'linear: b has shape (3), expected (4)'],
  ],
});
