import fc from 'fast-check';
import { map, mul, zip } from '../src/ndarray.ts';
import { get, zeros } from '../src/tensor.ts';
import { sigmoidCase } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = sigmoidCase();
/**
 * Math.exp errs by 1 ulp, y by 2 and dx by 4 (measured on Node 20, rounded up): 8 between two answers. Float32 libraries miss
 * exp by 2½: y by up to 6.4, and dx by 8.5 (spec/honest).
 */
const compare = { mode: 'ulp', k: 9 } as const;
/** A dozen roundings of values up to |dy| = 4, where something cancels. */
const cancelling = { mode: 'bound', n: 12, S: 4 } as const;

export const laws = specify('sigmoid', {
  cases,
  // |y‴| ≤ 1/8: h²/6·|y‴|·|dy| < 10⁻¹¹, and the rounding of y: 2u·|dy|/h < 2·10⁻¹⁰
  precision: { compare, h: 2 ** -17, tolerance: 2e-10 },
  laws: [
    law('sigmoid(−x) = 1 − sigmoid(x), and the slope is the same', cases, ({ forward, backward, u }, call) => {
      const minus = change(call, { x: map(call.inputs.x, (value) => -value) });
      const rest = map(forward(call), (y) => 1 - y);
      expectTensor('sigmoid(−x)', forward(minus), rest, allowed({ ...cancelling, S: 1 }, u));
      expectTensor('dx', backward(minus).dx, backward(call).dx, allowed(compare, u));
    }),
    law('sigmoid(−x) = exp(−x)·sigmoid(x)', cases, ({ forward, u }, call) => {
      const minus = map(call.inputs.x, (value) => -value);
      const formula = zip(minus, forward(call), (value, y) => Math.exp(value) * y);
      const y = forward(change(call, { x: minus }));
      expectTensor('sigmoid(−x)', y, formula, allowed(compare, u)); // e / E of 2½ ulp, less than 1 for each of 4 roundings
    }),
    law('sigmoid(x) = (1 + tanh(x/2)) / 2', cases, ({ forward, u }, call) => {
      const formula = map(call.inputs.x, (value) => (1 + Math.tanh(value / 2)) / 2);
      expectTensor('y', forward(call), formula, allowed({ ...cancelling, S: 1 }, u));
    }),
    law('0 < y < 1, and the larger x has the larger y', cases, ({ forward }, call) => {
      const row = (data: Float64Array) => ({ shape: [data.length], data });
      const [x, y] = [row(call.inputs.x.data), row(forward(call).data)];
      const ordered = tabulate([x.shape[0], x.shape[0]], (a, b) => {
        const inOrder = get(x, a) < get(x, b) ? get(y, a) < get(y, b) : get(y, a) >= get(y, b);
        return inOrder && get(y, a) > 0 && get(y, a) < 1 ? 1 : 0;
      });
      expectTensor(
        'in order',
        ordered,
        map(ordered, () => 1),
      );
    }),
    law('dx = dy·y·(1 − y), within what cancels there', cases, ({ forward, backward, u }, call) => {
      const slopes = map(forward(call), (y) => y * (1 - y));
      expectTensor('dx', backward(call).dx, mul(call.dy, slopes), allowed(cancelling, u));
    }),
    law(
      'far from 0, the slope is exp(−|x|), not 0, and so is y on the left; on the right y is 1',
      fc.tuple(cases, fc.integer({ min: 40, max: 700 })),
      ({ forward, backward, u }, [call, far]) => {
        const distance = u === 2 ** -53 ? far : 40 + (far % 40); // beyond 87, float32 has no such small number
        const x = map(call.inputs.x, (value) => (value < 0 ? -distance : distance));
        const moved = change(call, { x });
        const small = Math.exp(-distance);
        const y = map(x, (value) => (value < 0 ? small : 1));
        const dx = map(call.dy, (value) => value * small);
        expectTensor('y', forward(moved), y, allowed(compare, u));
        expectTensor('dx', backward(moved).dx, dx, allowed(compare, u));
      },
    ),
    law('x = ±1000 does not overflow: y is 0 or 1, and dx 0', cases, ({ forward, backward }, call) => {
      const x = map(call.inputs.x, (value) => (value < 0 ? -1000 : 1000));
      const sides = map(x, (value) => (value < 0 ? 0 : 1));
      expectTensor('y', forward(change(call, { x })), sides);
      expectTensor('dx', backward(change(call, { x })).dx, zeros(x.shape));
    }),
  ],
  rejects: [
    [
      { inputs: { x: { shape: [2, 3], data: new Float64Array(5) } }, options: {} },
      'sigmoid: x has shape (2, 3) and 5 numbers, expected 6',
    ],
  ],
});
