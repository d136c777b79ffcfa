import { batches, normalize, type Images } from './data/images.ts';
import type { Layers } from './layers.ts';
import {
  forward,
  layersOf,
  lossAndGradients,
  parameterShapes,
  predictions,
  updateStatistics,
  type Model,
  type Parameters,
} from './network.ts';
import { optimizerState, sgd, type Optimizer } from './optimizer.ts';
import { random } from './random.ts';
import { constant, type Schedule } from './schedule.ts';
import { atLeast, zeros, type Tensor } from './tensor.ts';

export interface TrainOptions {
  /** Passes over the images. Integer ≥ 1. */
  readonly epochs: number;
  /** Images per step; the last step of an epoch takes what is left. Integer ≥ 1. */
  readonly batch: number;
  /** The learning rate, above 0; or one for every step, counted from 0 through all epochs. */
  readonly rate: number | Schedule;
  /** What moves the parameters. Default sgd. */
  readonly optimizer?: Optimizer;
  /** Its options beside the rate. Default none. */
  readonly optimizerOptions?: object;
  /** Stream e of this seed shuffles the images of epoch e, and then draws its dropout masks. */
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
 * Trains a model, writing to its parameters and running statistics in place, and yields after every step.
 * Each image counts with the loss and the prediction it had just before the step it was part of.
 *
 * @throws RangeError if an option is out of range, or a batch of one image meets a batch norm
 */
export function* train(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  data: Images,
  options: TrainOptions,
): Generator<Progress & { readonly epoch: number }> {
  const { schedule, learns } = checkTraining(layers, model, parameters, data, options);
  const { epochs, batch, optimizer = sgd, optimizerOptions = {}, seed } = options;
  const learning = Object.fromEntries(learns.map((name) => [name, parameters[name]]));
  const state = optimizerState();
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const stream = random(seed, epoch);
    const seen = counter();
    for (const { x, labels } of batches(data, batch, stream)) {
      const mode = { training: stream };
      const { loss, logits, gradients, tape } = lossAndGradients(
        layers,
        model,
        parameters,
        inputOf(model, x),
        labels,
        mode,
      );
      optimizer(learning, gradients, state, { ...optimizerOptions, rate: schedule(state.steps) });
      updateStatistics(layers, tape, parameters);
      yield { epoch, ...seen(loss, logits, labels) };
    }
  }
}

/**
 * The rate of every step, and the names of the parameters that learn.
 * @throws RangeError as train
 */
export function checkTraining(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  { labels: { length } }: Images,
  { epochs, batch, rate, frozen = [] }: TrainOptions,
): { schedule: Schedule; learns: readonly string[] } {
  atLeast('train: epochs', epochs, 1);
  atLeast('train: batch', batch, 1);
  if (typeof rate !== 'function' && !(typeof rate === 'number' && rate > 0 && rate < Infinity))
    throw new RangeError(`train: rate is ${rate}, expected a number above 0`);
  const names = Object.keys(parameterShapes(model));
  for (const name of frozen)
    if (!names.includes(name)) throw new RangeError(`train: frozen is ${name}, expected one of ${names.join(', ')}`);
  if (batch === 1 || length % batch === 1) fitsAlone(layers, model, parameters, length, batch);
  return {
    schedule: typeof rate === 'function' ? rate : constant(rate),
    learns: names.filter((name) => !frozen.includes(name)),
  };
}

/** @throws RangeError if a batch of one image leaves a batch norm with one value per channel */
function fitsAlone(layers: Layers, model: Model, parameters: Parameters, images: number, batch: number): void {
  if (!layersOf(model).some(({ layer }) => layer === 'batchNorm')) return;
  try {
    forward(layers, model, parameters, zeros([1, ...model.input]), { training: random(0) });
  } catch (error) {
    const why = error instanceof RangeError ? error.message : `${error}`;
    throw new RangeError(`train: ${images} images in batches of ${batch} leave one alone, and ${why}`);
  }
}

/** Classifies every image, without learning and without changing anything, and yields after every batch. */
export function* evaluate(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  data: Images,
  batch = 100,
): Generator<Progress> {
  atLeast('evaluate: batch', batch, 1);
  const seen = counter();
  for (const { x, labels } of batches(data, batch)) {
    const { y: logits } = forward(layers, model, parameters, inputOf(model, x), 'evaluation');
    yield seen(layers.softmaxCrossEntropy(logits, labels).data[0], logits, labels);
  }
}

/** What the first layer of a model gets to see of pixels in [0, 1]. */
export const inputOf = ({ normalize: own }: Model, x: Tensor): Tensor => (own ? normalize(x, own.mean, own.std) : x);

/** Adds up batches. */
export function counter(): (batchLoss: number, logits: Tensor, labels: Tensor) => Progress {
  let [images, totalLoss, right] = [0, 0, 0];
  return (batchLoss, logits, labels) => {
    images += labels.data.length;
    totalLoss += batchLoss * labels.data.length;
    right += predictions(logits).filter((label, n) => label === labels.data[n]).length;
    return { images, batchLoss, loss: totalLoss / images, accuracy: right / images };
  };
}
