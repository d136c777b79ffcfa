import { batchOf, type Images } from './data/images.ts';
import type { Layers } from './layers.ts';
import { forward, lossAndGradients, predictions, type Model, type Parameters } from './network.ts';
import { sgd } from './optimizer.ts';
import { random } from './random.ts';
import { atLeast, type Tensor } from './tensor.ts';

export interface TrainOptions {
  /** Passes over the images. Integer ≥ 1. */
  readonly epochs: number;
  /** Images per step; the last step of an epoch takes what is left. Integer ≥ 1. */
  readonly batch: number;
  /** The learning rate of SGD. */
  readonly rate: number;
  /** Epoch e shuffles the images with stream e of this seed. */
  readonly seed: number;
  /** Parameters that do not learn. Default none. */
  readonly frozen?: readonly string[];
}

/** How far a pass over images has come. */
export interface Progress {
  /** Images seen so far. */
  readonly images: number;
  /** The mean loss of the last batch. */
  readonly batchLoss: number;
  /** The mean loss of all images seen so far. */
  readonly loss: number;
  /** The share of them that was classified rightly, in [0, 1]. */
  readonly accuracy: number;
}

/**
 * Trains a model by SGD, writing to its parameters in place, and yields after every step.
 * Each image counts with the loss and the prediction it had just before the step it was part of.
 *
 * @throws RangeError if an option is out of range
 */
export function* train(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  data: Images,
  { epochs, batch, rate, seed, frozen = [] }: TrainOptions,
): Generator<Progress & { readonly epoch: number }> {
  atLeast('train: epochs', epochs, 1);
  atLeast('train: batch', batch, 1);
  if (!(rate > 0 && rate < Infinity)) throw new RangeError(`train: rate is ${rate}, expected a number above 0`);
  for (const name of frozen)
    if (!(name in parameters))
      throw new RangeError(`train: frozen is ${name}, expected one of ${Object.keys(parameters).join(', ')}`);
  const learning = Object.fromEntries(Object.entries(parameters).filter(([name]) => !frozen.includes(name)));
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = random(seed, epoch).shuffled(data.labels.length);
    const seen = counter();
    for (let start = 0; start < order.length; start += batch) {
      const { x, labels } = batchOf(data, order.subarray(start, start + batch));
      const { loss, logits, gradients } = lossAndGradients(layers, model, parameters, x, labels);
      sgd(learning, gradients, rate);
      yield { epoch, ...seen(loss, logits, labels) };
    }
  }
}

/** Classifies every image, without learning, and yields after every batch. */
export function* evaluate(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  data: Images,
  batch = 100,
): Generator<Progress> {
  atLeast('evaluate: batch', batch, 1);
  const seen = counter();
  const order = Uint32Array.from(data.labels, (_, i) => i);
  for (let start = 0; start < order.length; start += batch) {
    const { x, labels } = batchOf(data, order.subarray(start, start + batch));
    const logits = forward(layers, model, parameters, x).at(-1)!;
    yield seen(layers.softmaxCrossEntropy(logits, labels).data[0], logits, labels);
  }
}

/** Adds up batches. */
function counter(): (batchLoss: number, logits: Tensor, labels: Tensor) => Progress {
  let [images, totalLoss, right] = [0, 0, 0];
  return (batchLoss, logits, labels) => {
    images += labels.data.length;
    totalLoss += batchLoss * labels.data.length;
    right += predictions(logits).filter((label, n) => label === labels.data[n]).length;
    return { images, batchLoss, loss: totalLoss / images, accuracy: right / images };
  };
}
