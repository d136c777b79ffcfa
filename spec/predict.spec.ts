import fc from 'fast-check';
import { expect } from 'vitest';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import { dense, mnistNet } from '../src/models/index.ts';
import { forward, type Model, type Parameters } from '../src/network.ts';
import { map } from '../src/ndarray.ts';
import * as real from '../src/predict.ts';
import { random } from '../src/random.ts';
import { tensor, zeros } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';
import { eighths } from './arbitraries.ts';
import { entry } from './images.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('predict', real, (module, { describe, it }) => {
  const { format, predict, readings } = module;
  it.each(functionFixtures('predict'))('golden: $title', (golden) => expectFunction(module, golden));

  const { naive, vectorized } = implementations;

  /** Its logits are the four pixels of a picture, in order. */
  const copies: Model = {
    name: 'copies',
    input: [1, 2, 2],
    nodes: [{ name: 'flatten', layer: 'flatten' }],
  };

  describe('predict', () => {
    it('golden: softmax of the logits, its maximum and where that is, for every picture by itself', () => {
      const [ln2, ln5] = [Math.log(2), Math.log(5)];
      const x = tensor([[[[0, ln2], [0, 0]]], [[[ln5, 0], [ln5, 0]]], [[[-Infinity, 0], [0, ln2]]]]); // prettier-ignore
      const predictions = predict(vectorized, copies, {}, x);
      expect(predictions.map(({ digit }) => digit)).toEqual([1, 0, 3]); // the middle one has two: the first
      [0.4, 5 / 12, 0.5].forEach((p, n) => expect(predictions[n].confidence).toBeCloseTo(p, 12));
      expect(predictions[2].probabilities[0]).toBe(0); // not nearly: exp(−∞)
      predictions.forEach(({ digit, confidence, probabilities }) => {
        expect(probabilities).toHaveLength(4);
        expect(probabilities[digit]).toBe(confidence);
      });
    });

    it('a batch is read like its pictures one by one', () => {
      const parameters = initialize(dense, random(4));
      const batch = fc.integer({ min: 1, max: 3 }).chain((N) => eighths([N, 1, 28, 28]));
      fc.assert(
        fc.property(batch, (x) => {
          const one = Array.from(
            { length: x.shape[0] },
            (_, n) => predict(vectorized, dense, parameters, entry(x, n))[0],
          );
          expect(predict(vectorized, dense, parameters, x)).toEqual(one);
        }),
        { numRuns: 10 },
      );
    });

    it("the model's own normalisation comes first, and only once", () => {
      const normalized: Model = { ...copies, normalize: { mean: [0.5], std: [0.25] } };
      const x = tensor([[[[0, 0.5], [0.25, 1]]]]); // prettier-ignore
      const logits = tensor([[[[-2, 0], [-1, 2]]]]); // prettier-ignore
      expect(predict(vectorized, normalized, {}, x)).toEqual(predict(vectorized, copies, {}, logits));
      const parameters = initialize(mnistNet, random(1));
      const pixels = map(zeros([1, 1, 28, 28]), () => 0.75);
      const { y } = forward(vectorized, mnistNet, parameters, inputOf(mnistNet, pixels), 'evaluation');
      const [{ probabilities }] = predict(vectorized, mnistNet, parameters, pixels);
      expect(probabilities).toEqual([...vectorized.softmax(y).data]);
    });

    it('evaluation mode: one picture meets batch norm and dropout, nothing is drawn and nothing changes', () => {
      const model: Model = {
        ...copies,
        nodes: [
          { name: 'bn', layer: 'batchNorm', parameters: { gamma: [1], beta: [1] } },
          { name: 'dropout', layer: 'dropout' },
          ...copies.nodes,
        ],
      };
      const parameters: Parameters = {
        'bn.weight': tensor([2]),
        'bn.bias': tensor([1]),
        'bn.running_mean': tensor([0.5]),
        'bn.running_var': tensor([4]),
      };
      const before = structuredClone(parameters);
      const x = tensor([[[[0.5, 2.5], [0.5, 0.5]]]]); // prettier-ignore
      const twice = [1, 2].map(() => predict(vectorized, model, parameters, x));
      expect(twice[0]).toEqual(twice[1]);
      // 2·(2.5 − 0.5)/√4 + 1 = 3, beside 1, 1 and 1
      expect(twice[0][0].confidence).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 3), 4); // eps = 10⁻⁵
      expect(parameters).toEqual(before);
    });

    it('naive and vectorized read the same', () => {
      fc.assert(
        fc.property(eighths([3, 1, 2, 2]), (x) => {
          const [a, b] = [naive, vectorized].map((layers) => predict(layers, copies, {}, x));
          expect(a.map(({ digit }) => digit)).toEqual(b.map(({ digit }) => digit));
        }),
      );
    });

    it.each<[string, number[]]>([
      ['predict: x has shape (28, 28), expected (N, 1, 28, 28)', [28, 28]],
      ['predict: x has shape (1, 28, 28), expected (N, 1, 28, 28)', [1, 28, 28]],
      ['predict: x has shape (1, 28, 28, 1), expected (N, 1, 28, 28)', [1, 28, 28, 1]],
      ['predict: x has shape (2, 3, 28, 28), expected (N, 1, 28, 28)', [2, 3, 28, 28]],
    ])('error: %s', (message, shape) => {
      const parameters = initialize(dense, random(0));
      expect(() => predict(vectorized, dense, parameters, zeros(shape))).toThrow(new RangeError(message));
    });
  });

  describe('readings', () => {
    it('every row has its own digit, whatever the other rows hold', () => {
      const rows = tensor([[0.1, 0.9, 0], [0.6, 0, 0.4], [0.3, 0.3, 0.4]]); // prettier-ignore
      expect(readings(rows).map(({ digit, confidence }) => [digit, confidence])).toEqual([[1, 0.9], [0, 0.6], [2, 0.4]]); // prettier-ignore
    });

    it('NaN is no digit', () => {
      expect(
        readings(
          tensor([
            [0.5, NaN],
            [0.5, 0.5],
          ]),
        ),
      ).toEqual([
        // prettier-ignore
        { digit: -1, confidence: NaN, probabilities: [0.5, NaN] },
        { digit: 0, confidence: 0.5, probabilities: [0.5, 0.5] },
      ]);
    });

    it('error: readings: probabilities has shape (3), expected (N, K)', () => {
      expect(() => readings(zeros([3]))).toThrow(
        new RangeError('readings: probabilities has shape (3), expected (N, K)'),
      );
    });
  });

  it.each<[number, number, string]>([
    [7, 1, 'Predicted Digit: 7\nConfidence Score: 1.00'],
    [0, 0.0999, 'Predicted Digit: 0\nConfidence Score: 0.10'],
    [5, 0.994, 'Predicted Digit: 5\nConfidence Score: 0.99'],
  ])('format: digit %d, confidence %d', (digit, confidence, text) => {
    expect(format({ digit, confidence })).toBe(text);
  });
});
