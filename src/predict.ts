import type { Layers } from './layers.ts';
import { forward, predictions, type Model, type Parameters } from './network.ts';
import { dims, type Tensor } from './tensor.ts';
import { inputOf } from './train.ts';

/** What a model reads in one picture. */
export interface Prediction {
  /** The class of the largest probability; of equals, the first; −1 where one is NaN. */
  readonly digit: number;
  /** The largest probability. */
  readonly confidence: number;
  /** Of every class, in order. Where the exponential underflows it is exactly 0, and its logarithm −∞. */
  readonly probabilities: readonly number[];
}

/**
 * What a model reads in every picture of a batch, without learning and without changing anything.
 *
 *     x (N, C, H, W)    pixels from 0 to 1, before the model's own normalisation
 *
 * @throws RangeError if x does not fit the model
 */
export function predict(layers: Layers, model: Model, parameters: Parameters, x: Tensor): readonly Prediction[] {
  dims('predict: x', x, ['N', ...model.input]);
  const { y: logits } = forward(layers, model, parameters, inputOf(model, x), 'evaluation');
  return readings(layers.softmax(logits));
}

/** Every row of probabilities (N, K) by itself. */
export function readings(probabilities: Tensor): readonly Prediction[] {
  const [, K] = dims('readings: probabilities', probabilities, ['N', 'K']);
  return predictions(probabilities).map((digit, n) => {
    const row = [...probabilities.data.subarray(n * K, (n + 1) * K)];
    return { digit, confidence: Math.max(...row), probabilities: row };
  });
}

/** 'Predicted Digit: 3' and, on a second line, 'Confidence Score: 0.74' */
export function format({ digit, confidence }: Pick<Prediction, 'digit' | 'confidence'>): string {
  return `Predicted Digit: ${digit}\nConfidence Score: ${confidence.toFixed(2)}`;
}
