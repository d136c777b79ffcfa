import fc from 'fast-check';
import { map, mul, sub } from '../src/ndarray.ts';
import { distinct, reluCase, specials } from './arbitraries.ts';
import { allowed, dot, expectSameBits, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = reluCase();
const special = reluCase(specials);

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
    law('NaN stays NaN and ∞ stays; −0 and −∞ become 0, not −0', special, ({ forward }, call) => {
      const kept = map(call.inputs.x, (value) => (value > 0 || Number.isNaN(value) ? value : 0));
      expectSameBits('y', forward(call), kept);
    }),
    law('NaN lets dy pass; where x ≤ 0 dx is 0, whatever dy', special, ({ backward }, call) => {
      const { x } = call.inputs;
      for (const dy of [call.dy, map(x, (value) => (value <= 0 ? Infinity : 1))]) {
        const { dx } = backward({ ...call, dy });
        expectTensor('dx', dx, { ...dx, data: dy.data.map((slope, i) => (x.data[i] <= 0 ? 0 : slope)) });
      }
    }),
  ],
  rejects: [
    [
      { inputs: { x: { shape: [2, 3], data: new Float64Array(5) } }, options: {} },
      'relu: x has shape (2, 3) and 5 numbers, expected 6',
    ],
  ],
});
