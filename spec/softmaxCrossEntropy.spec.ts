import fc from 'fast-check';
import { implementations } from '../src/layers.ts';
import { map, oneHot, sum } from '../src/ndarray.ts';
import { tensor, zeros, type Tensor } from '../src/tensor.ts';
import { softmaxCrossEntropyCase } from './arbitraries.ts';
import { allowed, expectTensor, expectTensors } from './close.ts';
import { change, law, type Case } from './law.ts';
import { specify } from './specify.ts';

const cases = softmaxCrossEntropyCase();
const withClasses = cases.map((call) => {
  const { labels } = call.constants;
  const [N, K] = call.inputs.logits.shape;
  return labels.shape.length === 1 ? call : { ...call, constants: { labels: tabulateLabels(N, K) } };
});
const of = ({ logits = [2, 3], labels = [0, 2] as number[] | number[][] }) => ({
  inputs: { logits: zeros(logits) },
  constants: { labels: tensor(labels) },
  options: {},
});
const scalar = (value: number): Tensor => ({ shape: [], data: Float64Array.of(value) });
/** A dozen roundings in each of two answers: of logits and losses up to 8 + log 4, and of gradients up to |dy| = 4. */
const compare = { mode: 'bound', n: 24, S: 10 } as const;

/** A label, and how far three logits are from each other: exp(−far) is lost beside 1. */
const farApart = fc.tuple(fc.nat(2), fc.integer({ min: 40, max: 1000 }));

/** A class for every row: 0, 1, … */
function tabulateLabels(N: number, K: number): Tensor {
  return { shape: [N], data: Float64Array.from({ length: N }, (_, n) => n % K) };
}

export const laws = specify('softmaxCrossEntropy', {
  cases,
  // h²/6·|y‴|·|dy| < 10⁻¹⁰, and rounding: 40 of numbers up to 37·|dy|, over h, < 10⁻⁸
  precision: { compare, h: 2 ** -17, tolerance: 1e-8 },
  laws: [
    law(
      'a constant added to the logits changes nothing, however large',
      fc.tuple(cases, fc.constantFrom(-1000, 1, 1000)), // exact on eighths: logits − their maximum has no rounding
      ({ forward, backward }, [call, shift]) => {
        const shifted = change(call, { logits: map(call.inputs.logits, (value) => value + shift) });
        expectTensor('y', forward(shifted), forward(call));
        expectTensors(backward(shifted), backward(call));
      },
    ),
    law('the rows do not see each other, however far apart they are', cases, ({ forward, backward }, call) => {
      const { shape, data } = call.inputs.logits;
      const apart = { shape, data: data.map((value, i) => value + 1000 * Math.floor(i / shape[1])) };
      const moved = change(call, { logits: apart }); // no change within a row
      expectTensor('y', forward(moved), forward(call));
      expectTensors(backward(moved), backward(call));
    }),
    law('a class is the one-hot row of that class', withClasses, ({ forward, backward }, call) => {
      const rows: Case = { ...call, constants: { labels: oneHot(call.constants.labels, call.inputs.logits.shape[1]) } };
      expectTensor('y', forward(rows), forward(call));
      expectTensors(backward(rows), backward(call));
    }),
    law('equal logits cost log K', cases, ({ forward, u }, call) => {
      const equal = change(call, { logits: map(call.inputs.logits, () => 5) });
      expectTensor('y', forward(equal), scalar(Math.log(call.inputs.logits.shape[1])), allowed(compare, u));
    }),
    law('equal logits of one row cost log K to the last bit', fc.integer({ min: 1, max: 20 }), ({ forward, u }, K) => {
      const y = forward({ inputs: { logits: zeros([1, K]) }, constants: { labels: tensor([K - 1]) }, options: {} });
      // float32 libraries miss log by up to 2½ units
      expectTensor('y', y, scalar(Math.log(K)), u === 2 ** -53 ? 0 : allowed({ mode: 'ulp', k: 3 }, u));
    }),
    law('y ≥ 0', cases, ({ forward }, call) => {
      const y = forward(call);
      expectTensor(
        '|y|',
        map(y, (value) => Math.abs(value)),
        y,
      );
    }),
    law(
      'logits [100, 0, 0] with label 1 cost exactly 100',
      fc.constant([[100, 0, 0]]),
      ({ forward }, logits) => {
        const y = forward({ inputs: { logits: tensor(logits) }, constants: { labels: tensor([1]) }, options: {} });
        expectTensor('y', y, scalar(100));
      },
      1,
    ),
    law('logits of ±far stay finite', farApart, ({ forward, backward, u }, [label, far]) => {
      const logits = tensor([[far, 0, -far]]);
      const call = { inputs: { logits }, constants: { labels: tensor([label]) }, options: {}, dy: scalar(1) };
      expectTensor('y', forward(call), scalar([0, far, 2 * far][label]));
      const dlogits = tensor([[1, 0, 0].map((p, k) => p - (k === label ? 1 : 0))]);
      expectTensors(backward(call), { dlogits }, allowed(compare, u)); // exp(−40) is no more than that
    }),
    law('every row of dlogits adds up to 0', cases, ({ backward, u }, call) => {
      const rows = sum(backward(call).dlogits, [1]);
      expectTensor('Σ dlogits', rows, zeros(rows.shape), allowed({ ...compare, S: 10 * 4 }, u)); // K ≤ 4 of them
    }),
    law('dlogits = (softmax(logits) − target)·dy/N', withClasses, ({ backward, u }, call) => {
      const { logits } = call.inputs;
      const [N, K] = logits.shape;
      const p = implementations.naive.softmax(logits);
      const target = oneHot(call.constants.labels, K);
      const dlogits = { shape: [N, K], data: p.data.map((v, i) => ((v - target.data[i]) * call.dy.data[0]) / N) };
      expectTensors(backward(call), { dlogits }, allowed(compare, u));
    }),
    law('a batch costs the mean of its rows', withClasses, ({ forward, u }, call) => {
      const { logits } = call.inputs;
      const [N, K] = logits.shape;
      let total = 0;
      for (let n = 0; n < N; n++) {
        const row = { shape: [1, K], data: logits.data.slice(n * K, (n + 1) * K) };
        const labels = { shape: [1], data: call.constants.labels.data.slice(n, n + 1) };
        total += forward({ inputs: { logits: row }, constants: { labels }, options: {} }).data[0];
      }
      expectTensor('y', forward(call), scalar(total / N), allowed(compare, u));
    }),
    law(
      'a class of logit −∞ that is not the right one costs nothing',
      withClasses,
      ({ forward, backward, u }, call) => {
        const { logits } = call.inputs;
        const [N, K] = logits.shape;
        const wider = (t: Tensor, last: number) => ({
          shape: [N, K + 1],
          data: Float64Array.from({ length: N * (K + 1) }, (_, i) =>
            i % (K + 1) === K ? last : t.data[Math.floor(i / (K + 1)) * K + (i % (K + 1))],
          ),
        });
        const impossible = change(call, { logits: wider(logits, -Infinity) });
        expectTensor('y', forward(impossible), forward(call), allowed(compare, u));
        const dlogits = wider(backward(call).dlogits, 0);
        expectTensors(backward(impossible), { dlogits }, allowed(compare, u));
      },
    ),
  ],
  rejects: [
    [of({ logits: [3] }), 'softmaxCrossEntropy: logits has shape (3), expected (N, K)'],
    [of({ labels: [0] }), 'softmaxCrossEntropy: labels has shape (1), expected (2)'],
    [of({ labels: [[[1, 0, 0]]] as never }), 'softmaxCrossEntropy: labels has shape (1, 1, 3), expected (2) or (2, 3)'],
    [of({ labels: [0, 3] }), 'softmaxCrossEntropy: labels[1] is 3, expected an integer in [0, 3)'],
    [of({ labels: [-1, 0] }), 'softmaxCrossEntropy: labels[0] is -1, expected an integer in [0, 3)'],
    [of({ labels: [0.5, 0] }), 'softmaxCrossEntropy: labels[0] is 0.5, expected an integer in [0, 3)'],
    [of({ labels: [NaN, 0] }), 'softmaxCrossEntropy: labels[0] is NaN, expected an integer in [0, 3)'],
    [of({ labels: [[1, 0, 0]] }), 'softmaxCrossEntropy: labels has shape (1, 3), expected (2, 3)'],
    [
      of({
        labels: [
          [1, 0, 0],
          [0.5, 0.25, 0.125],
        ],
      }),
      'softmaxCrossEntropy: the sum of labels[1] is 0.875, expected 1',
    ],
    [
      of({
        labels: [
          [1, 0, 0],
          [1.5, -0.5, 0],
        ],
      }),
      'softmaxCrossEntropy: labels[1, 1] is -0.5, expected a probability',
    ],
  ],
});
