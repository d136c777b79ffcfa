import fc from 'fast-check';
import { map, mul } from '../src/ndarray.ts';
import { get, zeros } from '../src/tensor.ts';
import { tanhCase } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = tanhCase();
/** Math.tanh errs by 2 ulp, dx of two 1 / cosh by 5 (measured on Node 20, rounded up): 10 between two answers. */
const compare = { mode: 'ulp', k: 10 } as const;
/** A dozen roundings of values up to |dy| = 4, where something cancels. */
const cancelling = { mode: 'bound', n: 12, S: 4 } as const;

export const laws = specify('tanh', {
  cases,
  // |y‴| ≤ 2: h²/6·|y‴|·|dy| < 10⁻¹⁰, and the rounding of y: 2u·|dy|/h < 2·10⁻¹⁰
  precision: { compare, h: 2 ** -17, tolerance: 3e-10 },
  laws: [
    law('tanh(−x) = −tanh(x), and the slope is the same', cases, ({ forward, backward, u }, call) => {
      const minus = change(call, { x: map(call.inputs.x, (value) => -value) });
      const y = map(forward(minus), (value) => -value);
      expectTensor('−tanh(−x)', y, forward(call), allowed(compare, u));
      expectTensor('dx', backward(minus).dx, backward(call).dx, allowed(compare, u));
    }),
    law('tanh(2x) = 2·tanh(x) / (1 + tanh²(x))', cases, ({ forward, u }, call) => {
      const twice = forward(change(call, { x: map(call.inputs.x, (value) => 2 * value) }));
      const formula = map(forward(call), (y) => (2 * y) / (1 + y * y));
      expectTensor('tanh(2x)', twice, formula, allowed({ mode: 'ulp', k: 16 }, u)); // 10, and 3 roundings of 2 ulp
    }),
    law('−1 < y < 1, and the larger x has the larger y', cases, ({ forward }, call) => {
      const row = (data: Float64Array) => ({ shape: [data.length], data });
      const [x, y] = [row(call.inputs.x.data), row(forward(call).data)];
      const ordered = tabulate([x.shape[0], x.shape[0]], (a, b) => {
        const inOrder = get(x, a) < get(x, b) ? get(y, a) < get(y, b) : get(y, a) >= get(y, b);
        return inOrder && Math.abs(get(y, a)) < 1 ? 1 : 0;
      });
      expectTensor(
        'in order',
        ordered,
        map(ordered, () => 1),
      );
    }),
    law('dx = dy·(1 − y²), within what cancels there', cases, ({ forward, backward, u }, call) => {
      const slopes = map(forward(call), (y) => 1 - y * y);
      expectTensor('dx', backward(call).dx, mul(call.dy, slopes), allowed(cancelling, u));
    }),
    law(
      'far from 0, y is ±1 and the slope 4·exp(−2|x|), not 0',
      fc.tuple(cases, fc.integer({ min: 20, max: 300 })),
      ({ forward, backward, u }, [call, far]) => {
        const distance = u === 2 ** -53 ? far : 20 + (far % 20); // beyond 43, float32 has no such small number
        const x = map(call.inputs.x, (value) => (value < 0 ? -distance : distance));
        const moved = change(call, { x });
        expectTensor('y', forward(moved), map(x, Math.sign));
        const slope = 4 * Math.exp(-2 * distance);
        const dx = map(call.dy, (value) => value * slope);
        expectTensor('dx', backward(moved).dx, dx, allowed(compare, u));
      },
    ),
    law('x = ±1000 does not overflow: y is ±1, and dx 0', cases, ({ forward, backward }, call) => {
      const x = map(call.inputs.x, (value) => (value < 0 ? -1000 : 1000));
      expectTensor('y', forward(change(call, { x })), map(x, Math.sign));
      expectTensor('dx', backward(change(call, { x })).dx, zeros(x.shape));
    }),
    law('near 0, y is x and dx is dy', cases, ({ forward, backward, u }, call) => {
      const x = map(call.inputs.x, (value) => value * 2 ** -30); // y = x − x³/3 + …, less than ¼ ulp away in float64
      expectTensor('y', forward(change(call, { x })), x, allowed(compare, u));
      expectTensor('dx', backward(change(call, { x })).dx, call.dy, allowed(compare, u));
    }),
  ],
  rejects: [
    [
      { inputs: { x: { shape: [2, 3], data: new Float64Array(5) } }, options: {} },
      'tanh: x has shape (2, 3) and 5 numbers, expected 6',
    ],
  ],
});
