import fc from 'fast-check';
import { map, mul, sub } from '../src/ndarray.ts';
import { distinct, reluCase } from './arbitraries.ts';
import { allowed, dot, expectSameBits, expectTensor } from './close.ts';
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
    law(
      'what is positive is kept to the last bit, however small',
      fc.tuple(cases, fc.constantFrom(1 / 3, 2 ** -1050)),
      ({ forward, u }, [call, scale]) => {
        const x = map(call.inputs.x, (value) => value * scale);
        const kept = map(x, (value) => (value > 0 ? value : 0));
        const within = u === 2 ** -53 ? 0 : allowed({ mode: 'ulp', k: 1 }, u); // float32 has not these numbers
        expectTensor('y', forward(change(call, { x })), kept, within);
      },
    ),
    law('NaN stays NaN and ∞ stays; −0 and −∞ become 0, not −0', cases, ({ forward }, call) => {
      const special = (kept: boolean) =>
        map(call.inputs.x, (value) =>
          value > 2 ? NaN : value > 0 ? Infinity : kept ? 0 : value > -2 ? -0 : -Infinity,
        );
      expectSameBits('y', forward(change(call, { x: special(false) })), special(true));
    }),
    law('NaN lets dy pass; where x ≤ 0 dx is 0, whatever dy', cases, ({ backward }, call) => {
      const x = map(call.inputs.x, (value) => (value > 0 ? NaN : value));
      const { dx } = backward(change(call, { x }));
      expectTensor('dx', dx, { ...dx, data: call.dy.data.map((dy, i) => (x.data[i] <= 0 ? 0 : dy)) });
      const dy = map(x, (value) => (value <= 0 ? Infinity : 1));
      const one = map(x, (value) => (value <= 0 ? 0 : 1));
      expectTensor('dx', backward({ ...change(call, { x }), dy }).dx, one);
    }),
  ],
  rejects: [
    [
      { inputs: { x: { shape: [2, 3], data: new Float64Array(5) } }, options: {} },
      'relu: x has shape (2, 3) and 5 numbers, expected 6',
    ],
  ],
});
