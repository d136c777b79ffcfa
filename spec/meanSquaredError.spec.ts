import fc from 'fast-check';
import { map, reshape, sub } from '../src/ndarray.ts';
import { size, zeros, type Tensor } from '../src/tensor.ts';
import { meanSquaredErrorCase } from './arbitraries.ts';
import { allowed, dot, expectTensor } from './close.ts';
import { change, law, type Case } from './law.ts';
import { specify } from './specify.ts';

const cases = meanSquaredErrorCase();
const of = (x: number[], target = x) => ({
  inputs: { x: zeros(x) },
  constants: { target: zeros(target) },
  options: {},
});
const scalar = (value: number): Tensor => ({ shape: [], data: Float64Array.of(value) });
/** The same case with another x and target. */
const against = <C extends Case>(call: C, x: Tensor, target: Tensor) => ({
  ...change(call, { x }),
  constants: { target },
});
/** On eighths squares and their sum are exact; a division rounds once, dx twice more: 2 ulp in each of two answers. */
const compare = { mode: 'ulp', k: 4 } as const;

export const laws = specify('meanSquaredError', {
  cases,
  // a parabola has the slope of its chords, for every h; y ≤ 100 rounds: a dozen u·100·|dy|/h < 10⁻¹²
  precision: { compare, h: 1, tolerance: 1e-12 },
  laws: [
    law('what is right costs 0, with dx = 0, and nothing costs less', cases, ({ forward, backward }, call) => {
      const { x } = call.inputs;
      const right = against(call, x, x);
      expectTensor('y of x against x', forward(right), scalar(0));
      expectTensor('dx of x against x', backward(right).dx, zeros(x.shape));
      const y = forward(call);
      expectTensor(
        '|y|',
        map(y, (value) => Math.abs(value)),
        y,
      );
    }),
    law('x and target may change places: y is the same, dx its opposite', cases, ({ forward, backward }, call) => {
      const swapped = against(call, call.constants.target, call.inputs.x);
      expectTensor('y', forward(swapped), forward(call));
      const { dx } = backward(call);
      const opposite = map(dx, (value) => -value);
      expectTensor('dx', backward(swapped).dx, opposite);
    }),
    law(
      'a constant added to x and target changes nothing',
      fc.tuple(cases, fc.constantFrom(-(2 ** 30), 1, 2 ** 30)), // exact on eighths, though no square is
      ({ forward, backward, u }, [call, far]) => {
        const shift = u === 2 ** -53 ? far : Math.sign(far) * 2 ** 12;
        const [x, target] = [call.inputs.x, call.constants.target].map((t) => map(t, (value) => value + shift));
        expectTensor('y', forward(against(call, x, target)), forward(call));
        expectTensor('dx', backward(against(call, x, target)).dx, backward(call).dx);
      },
    ),
    law(
      'x and target a times as large cost a² times as much, with a times the dx',
      fc.tuple(cases, fc.constantFrom(-2, 1 / 4, 8)), // powers of 2 keep every rounding
      ({ forward, backward }, [call, a]) => {
        const [x, target] = [call.inputs.x, call.constants.target].map((t) => map(t, (value) => a * value));
        const scaled = against(call, x, target);
        expectTensor('y', forward(scaled), scalar(a * a * forward(call).data[0]));
        const dx = map(backward(call).dx, (value) => a * value);
        expectTensor('dx', backward(scaled).dx, dx);
      },
    ),
    law('a lone error e among count numbers costs e² / count', cases, ({ forward, u }, call) => {
      const { target } = call.constants;
      const e = call.dy.data[0];
      const x = { shape: target.shape, data: target.data.with(-1, target.data.at(-1)! + e) };
      const y = scalar((e * e) / size(x.shape));
      expectTensor('y', forward(against(call, x, target)), y, allowed(compare, u));
    }),
    law('the shape does not matter: one row costs the same', cases, ({ forward, backward }, call) => {
      const flat = (t: Tensor) => reshape(t, [size(t.shape)]);
      const row = against(call, flat(call.inputs.x), flat(call.constants.target));
      expectTensor('y', forward(row), forward(call));
      expectTensor('dx', backward(row).dx, flat(backward(call).dx));
    }),
    law('the same batch twice costs the same: a mean, not a sum', cases, ({ forward }, call) => {
      const twice = ({ shape: [N, ...rest], data }: Tensor) => ({
        shape: [2 * N, ...rest],
        data: Float64Array.of(...data, ...data),
      });
      const doubled = against(call, twice(call.inputs.x), twice(call.constants.target));
      expectTensor('y', forward(doubled), forward(call)); // (2·Σ) / (2·count), to the last bit
    }),
    law('⟨x − target, dx⟩ = 2·y·dy', cases, ({ forward, backward, u }, call) => {
      const errors = sub(call.inputs.x, call.constants.target);
      const y = forward(call);
      const sum = dot(errors, backward(call).dx);
      const n = errors.data.length + 6; // one rounding for every product of a sum without cancellation, and a few more
      expectTensor('⟨x − target, dx⟩', sum, scalar(2 * y.data[0] * call.dy.data[0]), (want) =>
        allowed({ mode: 'bound', n, S: Math.abs(want) }, u)(want, 0),
      );
    }),
  ],
  rejects: [
    [of([2, 3], [3, 2]), 'meanSquaredError: target has shape (3, 2), expected (2, 3)'],
    [of([2, 3], [2]), 'meanSquaredError: target has shape (2), expected (2, 3)'],
    [of([2, 1], [2]), 'meanSquaredError: target has shape (2), expected (2, 1)'],
    [of([2, 0]), 'meanSquaredError: x has shape (2, 0), expected at least one number'],
    [
      { ...of([2]), inputs: { x: { shape: [2], data: new Float64Array(3) } } },
      'meanSquaredError: x has shape (2) and 3 numbers, expected 2',
    ],
  ],
});
