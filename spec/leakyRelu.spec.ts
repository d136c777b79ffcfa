import { implementations } from '../src/layers.ts';
import { map, sub, zip } from '../src/ndarray.ts';
import { distinct, leakyReluCase, specials } from './arbitraries.ts';
import { allowed, dot, expectSameBits, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = leakyReluCase();
const special = leakyReluCase(specials);
const { relu, reluBackward } = implementations.naive;
const of = (options: object, numbers = 6) => ({
  inputs: { x: { shape: [2, 3], data: new Float64Array(numbers) } },
  options,
});

export const laws = specify('leakyRelu', {
  cases,
  smooth: leakyReluCase(distinct(1 / 8, 1 / 16)), // no pixel within 1/16 of the kink at 0
  // negativeSlope is a power of two; only the fixture of 0.01 rounds, a y ≤ 1: 2u·|dy|/h < 10⁻¹³
  precision: { ...exactOnEighths, tolerance: 1e-13 },
  laws: [
    law('leakyRelu(x) = relu(x) − negativeSlope·relu(−x)', cases, ({ forward }, call) => {
      const { x } = call.inputs;
      const leak = map(relu(map(x, (value) => -value)), (value) => call.options.negativeSlope! * value);
      expectTensor('y', forward(call), sub(relu(x), leak));
    }),
    law('with negativeSlope 0 it is relu, with 1 nothing changes', cases, ({ forward, backward }, call) => {
      const { x } = call.inputs;
      const [flat, straight] = [0, 1].map((negativeSlope) => change(call, {}, { negativeSlope }));
      expectTensor('y for 0', forward(flat), relu(x));
      expectTensor('dx for 0', backward(flat).dx, reluBackward(call.dy, x).dx);
      expectTensor('y for 1', forward(straight), x);
      expectTensor('dx for 1', backward(straight).dx, call.dy);
    }),
    law('negativeSlope is 0.01 where it is left out', cases, ({ forward, backward }, call) => {
      const [bare, full] = [{ ...call, options: {} }, change(call, {}, { negativeSlope: 0.01 })];
      expectTensor('y', forward(bare), forward(full));
      expectTensor('dx', backward(bare).dx, backward(full).dx);
    }),
    law('leakyRelu(a·x) = a·leakyRelu(x) for a > 0', cases, ({ forward }, call) => {
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
    law('dx = dy where x is positive, and negativeSlope·dy elsewhere, at 0 too', cases, ({ backward }, call) => {
      const slope = (value: number) => (value > 0 ? 1 : call.options.negativeSlope!);
      const dx = zip(call.inputs.x, call.dy, (value, dy) => slope(value) * dy);
      expectTensor('dx', backward(call).dx, dx);
    }),
    law('negativeSlope 0.01 has all its digits: y = 0.01·x where x is negative', cases, ({ forward, u }, call) => {
      const y = map(call.inputs.x, (value) => (value > 0 ? value : 0.01 * value));
      const within = allowed({ mode: 'ulp', k: 2 }, u); // 0.01 and the product are rounded
      expectTensor('y', forward(change(call, {}, { negativeSlope: 0.01 })), y, within);
    }),
    law('NaN stays NaN and −0 stays −0; NaN lets all of dy pass, ±0 what −1 lets', special, (layer, call) => {
      const { x } = call.inputs;
      const slope = call.options.negativeSlope!;
      expectSameBits(
        'y',
        layer.forward(call),
        map(x, (value) => (value > 0 ? value : slope * value)),
      );
      expectTensor(
        'dx',
        layer.backward(call).dx,
        zip(x, call.dy, (value, dy) => (value <= 0 ? slope * dy : dy)),
      );
    }),
  ],
  rejects: [
    [of({}, 5), 'leakyRelu: x has shape (2, 3) and 5 numbers, expected 6'],
    [of({ negativeSlope: -0.01 }), 'leakyRelu: negativeSlope is -0.01, expected a number ≥ 0'],
    [of({ negativeSlope: NaN }), 'leakyRelu: negativeSlope is NaN, expected a number ≥ 0'],
    [of({ negativeSlope: Infinity }), 'leakyRelu: negativeSlope is Infinity, expected a number ≥ 0'],
    [of({ negativeSlope: '0.1' }), "leakyRelu: negativeSlope is '0.1', expected a number ≥ 0"],
    [of({ alpha: 0.1 }), 'leakyRelu: there is no option alpha, expected negativeSlope'],
  ],
});
