import fc from 'fast-check';
import { map, sum } from '../src/ndarray.ts';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { softmaxCase } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { entry, exactSum, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = softmaxCase();
const of = (shape: number[]) => ({ inputs: { x: zeros(shape) }, options: {} });
/**
 * Of K ≤ 4 classes: an exp of 2 roundings over a sum of exps, K + 4 in y. The mean of dy over them errs by 12 roundings
 * of 4, dy less the mean by 8 more, times y ≤ 1; and 8 roundings of 8 come from y itself: 128 in each of two answers.
 */
const compare = { mode: 'bound', n: 32, S: 8 } as const;

export const laws = specify('softmax', {
  cases,
  // h²/6·|y‴|·Σ|dy| < 10⁻¹⁰, and rounding u·⟨|y|, |dy|⟩/h < 10⁻⁹
  precision: { compare, h: 2 ** -17, tolerance: 2e-9 },
  laws: [
    law('every row of y adds up to 1 within (K + 2) roundings', cases, ({ forward, u }, call) => {
      const y = forward(call);
      const [N, K] = y.shape;
      const rows = tabulate([N], (n) => exactSum(entry(y, n).data));
      const ones = map(rows, () => 1);
      expectTensor('Σ y', rows, ones, (K + 2) * u);
    }),
    law('0 < y ≤ 1, and the larger logit has the larger y', cases, ({ forward }, call) => {
      const { x } = call.inputs;
      const y = forward(call);
      const [N, K] = x.shape;
      const ordered = tabulate([N, K, K], (n, a, b) => {
        const inOrder = get(x, n, a) < get(x, n, b) ? get(y, n, a) < get(y, n, b) : get(y, n, a) >= get(y, n, b);
        return inOrder && get(y, n, a) > 0 && get(y, n, a) <= 1 ? 1 : 0;
      });
      expectTensor(
        'in order',
        ordered,
        map(ordered, () => 1),
      );
    }),
    law(
      'a constant added to x changes nothing, however large',
      fc.tuple(cases, fc.constantFrom(-1000, 1, 1000)), // exact on eighths: x − max x has no rounding
      ({ forward, backward }, [call, shift]) => {
        const shifted = change(call, { x: map(call.inputs.x, (value) => value + shift) });
        expectTensor('y', forward(shifted), forward(call));
        expectTensor('dx', backward(shifted).dx, backward(call).dx);
      },
    ),
    law('the rows do not see each other, however far apart they are', cases, ({ forward }, call) => {
      const { x } = call.inputs;
      const apart = tabulate(x.shape, (n, k) => get(x, n, k) + 1000 * n); // no change within a row
      expectTensor('y', forward(change(call, { x: apart })), forward(call));
    }),
    law('logits of ±1000 stay finite: the largest takes all', cases, ({ forward }, call) => {
      const [N, K] = call.inputs.x.shape;
      const x = tabulate([N, K], (_, k) => (k === K - 1 ? 1000 : -1000));
      const winner: Tensor = tabulate([N, K], (_, k) => (k === K - 1 ? 1 : 0));
      expectTensor('y', forward(change(call, { x })), winner);
    }),
    law('equal logits share equally', cases, ({ forward, u }, call) => {
      const y = forward(change(call, { x: map(call.inputs.x, () => 5) }));
      expectTensor(
        'y',
        y,
        map(y, () => 1 / y.shape[1]),
        allowed({ mode: 'ulp', k: 1 }, u),
      );
    }),
    law('every row of dx adds up to 0', cases, ({ backward, u }, call) => {
      const rows = sum(backward(call).dx, [1]);
      expectTensor('Σ dx', rows, zeros(rows.shape), allowed({ ...compare, S: 8 * 4 }, u)); // K ≤ 4 of them
    }),
    law(
      'a share of exp(−distance) is small, and not 0',
      fc.tuple(cases, fc.integer({ min: 90, max: 600 })),
      ({ forward, u }, [call, far]) => {
        const distance = u === 2 ** -53 ? far : 20 + (far % 60); // beyond 87, float32 has no such small number
        const x = tabulate(call.inputs.x.shape, (_, k) => (k === 0 ? 0 : -distance));
        const y = map(x, Math.exp);
        expectTensor('y', forward(change(call, { x })), y, allowed({ mode: 'ulp', k: 4 }, u)); // two exp and a quotient
      },
    ),
  ],
  rejects: [
    [of([3]), 'softmax: x has shape (3), expected (N, K)'],
    [of([2, 3, 1]), 'softmax: x has shape (2, 3, 1), expected (N, K)'],
    [of([2, 0]), 'softmax: x has shape (2, 0), expected (N, K)'],
  ],
});
