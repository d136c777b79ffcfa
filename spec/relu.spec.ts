import { map, mul, sub } from '../src/ndarray.ts';
import { distinct, reluCase } from './arbitraries.ts';
import { dot, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = reluCase();

export const laws = specify('relu', {
  cases,
  smooth: reluCase(distinct(1 / 8, 1 / 16)), // no pixel within 1/16 of the kink at 0
  precision: exactOnEighths,
  laws: [
    law('relu(x) − relu(−x) = x', cases, ({ forward }, call) => {
      const minus = forward(change(call, { x: map(call.inputs.x, (value) => -value) }));
      expectTensor('relu(x) − relu(−x)', sub(forward(call), minus), call.inputs.x);
    }),
    law('relu(relu(x)) = relu(x) ≥ 0', cases, ({ forward }, call) => {
      const y = forward(call);
      expectTensor('y', forward(change(call, { x: y })), y);
      expectTensor(
        '|y|',
        map(y, (value) => Math.abs(value)),
        y,
      );
    }),
    law('relu(a·x) = a·relu(x) for a > 0', cases, ({ forward }, call) => {
      const scaled = forward(change(call, { x: map(call.inputs.x, (value) => 3 * value) }));
      expectTensor(
        'y',
        scaled,
        map(forward(call), (value) => 3 * value),
      );
    }),
    law('⟨y, dy⟩ = ⟨x, dx⟩', cases, ({ forward, backward }, call) => {
      expectTensor('⟨x, dx⟩', dot(call.inputs.x, backward(call).dx), dot(forward(call), call.dy));
    }),
    law('dx = dy where y is positive, and 0 elsewhere', cases, ({ forward, backward }, call) => {
      const positive = map(forward(call), (value) => (value > 0 ? 1 : 0));
      expectTensor('dx', backward(call).dx, mul(positive, call.dy));
    }),
  ],
  rejects: [
    [
      { inputs: { x: { shape: [2, 3], data: new Float64Array(5) } }, options: {} },
      'relu: x has shape (2, 3) and 5 numbers, expected 6',
    ],
  ],
});
