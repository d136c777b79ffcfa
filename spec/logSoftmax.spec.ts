import fc from 'fast-check';
import { implementations } from '../src/layers.ts';
import { map, oneHot, sum } from '../src/ndarray.ts';
import { get, zeros } from '../src/tensor.ts';
import { logSoftmaxCase } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { entry, exactSum, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = logSoftmaxCase();
const farApart = fc.tuple(cases, fc.integer({ min: 30, max: 1000 }));
const { softmax, softmaxCrossEntropy, softmaxCrossEntropyBackward } = implementations.naive;
const of = (shape: number[]) => ({ inputs: { x: zeros(shape) }, options: {} });
/**
 * Of K ≤ 4 classes: y is 8 + log 4 at most, and errs by a dozen roundings in each of two answers. dx is dy ≤ 4 less a
 * probability of K + 4 roundings times a sum ≤ 16 of 4.
 */
const compare = { mode: 'bound', n: 24, S: 20 } as const;

export const laws = specify('logSoftmax', {
  cases,
  // |y‴| ≤ 1/4 for each of 4 classes: h²/6·|y‴|·Σ|dy| < 10⁻¹⁰, and rounding: 12u·⟨10, |dy|⟩/h < 3·10⁻⁸
  precision: { compare, h: 2 ** -17, tolerance: 3e-8 },
  laws: [
    law('y = log softmax(x)', cases, ({ forward, u }, call) => {
      expectTensor('y', forward(call), map(softmax(call.inputs.x), Math.log), allowed(compare, u));
    }),
    law('Σ exp y = 1 in every row', cases, ({ forward, u }, call) => {
      const powers = map(forward(call), Math.exp);
      const rows = tabulate([powers.shape[0]], (n) => exactSum(entry(powers, n).data));
      const ones = map(rows, () => 1);
      expectTensor('Σ exp y', rows, ones, allowed({ ...compare, S: 10 }, u)); // y ≤ 10 errs as exp y does, relatively
    }),
    law('y ≤ 0, and the larger logit has the larger y', cases, ({ forward }, call) => {
      const { x } = call.inputs;
      const y = forward(call);
      const [N, K] = x.shape;
      const ordered = tabulate([N, K, K], (n, a, b) => {
        const inOrder = get(x, n, a) < get(x, n, b) ? get(y, n, a) < get(y, n, b) : get(y, n, a) >= get(y, n, b);
        return inOrder && get(y, n, a) <= 0 ? 1 : 0;
      });
      expectTensor(
        'in order',
        ordered,
        map(ordered, () => 1),
      );
    }),
    law('logSoftmax(logSoftmax(x)) = logSoftmax(x)', cases, ({ forward, u }, call) => {
      const y = forward(call);
      expectTensor('y', forward(change(call, { x: y })), y, allowed(compare, u));
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
    law('the rows do not see each other, however far apart they are', cases, ({ forward, backward }, call) => {
      const { x } = call.inputs;
      const apart = tabulate(x.shape, (n, k) => get(x, n, k) + 1000 * n); // no change within a row
      expectTensor('y', forward(change(call, { x: apart })), forward(call));
      expectTensor('dx', backward(change(call, { x: apart })).dx, backward(call).dx);
    }),
    law('logits of ±far stay finite: the losers are 2·far below the winner', farApart, ({ forward }, [call, far]) => {
      const [N, K] = call.inputs.x.shape;
      const x = tabulate([N, K], (_, k) => (k === K - 1 ? far : -far));
      const y = tabulate([N, K], (_, k) => (k === K - 1 ? 0 : -2 * far)); // exp(−2·far) is lost beside 1
      expectTensor('y', forward(change(call, { x })), y);
    }),
    law('equal logits are −log K', cases, ({ forward, u }, call) => {
      const y = forward(change(call, { x: map(call.inputs.x, () => 5) }));
      expectTensor(
        'y',
        y,
        map(y, () => -Math.log(y.shape[1])),
        allowed({ mode: 'ulp', k: 3 }, u), // of a log: 2½ units in float32 libraries
      );
    }),
    law('every row of dx adds up to 0', cases, ({ backward, u }, call) => {
      const rows = sum(backward(call).dx, [1]);
      expectTensor('Σ dx', rows, zeros(rows.shape), allowed({ ...compare, S: 20 * 4 }, u)); // K ≤ 4 of them
    }),
    law('cross-entropy = −mean of y at the labels, and so its gradient', cases, ({ forward, backward, u }, call) => {
      const { x } = call.inputs;
      const [N, K] = x.shape;
      const labels = tabulate([N], (n) => n % K);
      const y = forward(call);
      const mean = tabulate([], () => -labels.data.reduce((total, k, n) => total + get(y, n, k), 0) / N);
      expectTensor('−mean y[n, labels[n]]', mean, softmaxCrossEntropy(x, labels), allowed(compare, u));

      const dy = map(oneHot(labels, K), (right) => -right / N);
      const { dlogits } = softmaxCrossEntropyBackward(
        tabulate([], () => 1),
        x,
        labels,
      );
      expectTensor('dx', backward({ ...call, dy }).dx, dlogits, allowed(compare, u));
    }),
  ],
  rejects: [
    [of([3]), 'logSoftmax: x has shape (3), expected (N, K)'],
    [of([2, 3, 1]), 'logSoftmax: x has shape (2, 3, 1), expected (N, K)'],
    [of([2, 0]), 'logSoftmax: x has shape (2, 0), expected (N, K)'],
  ],
});
