import { implementations } from '../src/layers.ts';
import { map, ones, reshape } from '../src/ndarray.ts';
import { zeros } from '../src/tensor.ts';
import { globalAvgPool2dCase } from './arbitraries.ts';
import { allowed, dot, expectTensor } from './close.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = globalAvgPool2dCase();
const of = (x: number[]) => ({ inputs: { x: zeros(x) }, options: {} });
/** Sums of eighths are exact: one division, or a reciprocal and a product. */
const compare = { mode: 'ulp', k: 2 } as const;

export const laws = specify('globalAvgPool2d', {
  cases,
  // linear: difference quotients have no h² term, only the rounding of ⟨y, dy⟩ < 10³, divided by h
  precision: { compare, h: 2 ** -5, tolerance: 1e-11 },
  laws: [
    law('y is avgPool2d with the kernel of the whole image; dx too', cases, ({ forward, backward, u }, call) => {
      const { x } = call.inputs;
      const kernel = [x.shape[2], x.shape[3]] as const;
      const y = implementations.naive.avgPool2d(x, { kernel });
      expectTensor('y', reshape(forward(call), y.shape), y, allowed(compare, u));
      const { dx } = implementations.naive.avgPool2dBackward(reshape(call.dy, y.shape), x, { kernel });
      expectTensor('dx', backward(call).dx, dx, allowed(compare, u));
    }),
    law('a constant image has its constant as mean', cases, ({ forward, u }, call) => {
      const y = forward(change(call, { x: map(call.inputs.x, () => 3 / 8) }));
      expectTensor(
        'y',
        y,
        map(y, () => 3 / 8),
        allowed(compare, u),
      );
    }),
    law('a pixel of NaN makes the mean of its channel NaN, and no other', cases, ({ forward, u }, call) => {
      const { x } = call.inputs;
      const [y, broken] = [forward(call), forward(change(call, { x: { ...x, data: x.data.with(-1, NaN) } }))];
      expectTensor('y', broken, { ...y, data: y.data.with(-1, NaN) }, allowed(compare, u));
    }),
    law('Σ dx = Σ dy', cases, ({ backward, u }, call) => {
      const { dx } = backward(call);
      const within = allowed({ mode: 'bound', n: 2 * dx.data.length, S: 4 * dx.data.length }, u);
      expectTensor('Σ dx', dot(dx, ones(dx.shape)), dot(call.dy, ones(call.dy.shape)), within);
    }),
  ],
  rejects: [
    [of([3, 4, 5]), 'globalAvgPool2d: x has shape (3, 4, 5), expected (N, C, H, W)'],
    [of([2, 3, 0, 5]), 'globalAvgPool2d: x has shape (2, 3, 0, 5), expected (N, C, H, W)'],
  ],
});
