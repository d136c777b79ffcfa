import { batches, batchOf, batchPositions, normalize, type Images } from './data/images.ts';
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
import { random, randomFrom } from './random.ts';
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

/** Where training stands between two steps: what the rest of it depends on beside the parameters and the optimizer's state. */
export interface Position {
  /** The epoch that the next step is of, from 1 on. */
  readonly epoch: number;
  /** What has been seen in this epoch. */
  readonly seen: Seen;
  /** What the stream of this epoch goes on from: see randomFrom. Of no meaning at its begin. */
  readonly random: readonly number[];
}

/** What has been seen in a pass over images. */
export interface Seen {
  readonly images: number;
  /** The sum of their losses. */
  readonly totalLoss: number;
  /** How many of them were classified rightly. */
  readonly right: number;
}

const nothing: Seen = { images: 0, totalLoss: 0, right: 0 };

/** Where the next epoch begins. */
export const beginOf = (epoch: number): Position => ({ epoch, seen: nothing, random: [] });

/** How far a pass over images has come. */
export interface Progress extends Seen {
  /** The mean loss of the last batch. */
  readonly batchLoss: number;
  /** The mean loss of all images seen so far. */
  readonly loss: number;
  /** The share of them that was classified rightly, in [0, 1]. */
  readonly accuracy: number;
}

/**
 * Trains a model, writing to its parameters and running statistics in place, and yields after every step.
 * Each image counts with the loss and the prediction it had just before the step it was part of. From a position of an earlier run,
 * with the parameters and the state of the optimizer that it had there, it goes on as that run did, to the last bit.
 *
 * @throws RangeError if an option is out of range, or a batch of one image meets a batch norm
 */
export function* train(
  layers: Layers,
  model: Model,
  parameters: Parameters,
  data: Images,
  options: TrainOptions,
  from = beginOf(1),
  state = optimizerState(),
): Generator<Step> {
  const { schedule, learns } = checkTraining(layers, model, parameters, data, options);
  const { optimizer = sgd, optimizerOptions = {} } = options;
  const learning = Object.fromEntries(learns.map((name) => [name, parameters[name]]));
  for (const { positions, stream, seen } of stepsFrom(from, data, options)) {
    const { x, labels } = batchOf(data, positions);
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
    yield seen(loss, logits, labels);
  }
}

/** How far an epoch has come with a step, and where training stands after it. */
export interface Step extends Progress {
  readonly epoch: number;
  readonly position: Position;
}

/**
 * The batches of all epochs from a position on: the positions of their images, the stream for their masks, and what is to be told
 * of each step once its loss and logits are known.
 */
export function* stepsFrom(
  from: Position,
  data: Images,
  { epochs, batch, seed }: Pick<TrainOptions, 'epochs' | 'batch' | 'seed'>,
) {
  for (let epoch = from.epoch; epoch <= epochs; epoch++) {
    const { seen: before, random: state } = epoch === from.epoch ? from : beginOf(epoch);
    const fresh = random(seed, epoch);
    const all = [...batchPositions(data, batch, fresh)]; // drawn from it
    const stream = before.images > 0 ? randomFrom(state) : fresh;
    const count = counter(before);
    for (const positions of all.slice(Math.ceil(before.images / batch))) {
      const seen = (batchLoss: number, logits: Tensor, labels: Tensor): Step => {
        const progress = count(batchLoss, logits, labels);
        const { images, totalLoss, right } = progress;
        return { epoch, ...progress, position: { epoch, seen: { images, totalLoss, right }, random: stream.state() } };
      };
      yield { positions, stream, seen };
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
): Generator<Evaluation> {
  atLeast('evaluate: batch', batch, 1);
  const seen = counter();
  for (const { x, labels } of batches(data, batch)) {
    const { y: logits } = forward(layers, model, parameters, inputOf(model, x), 'evaluation');
    yield { ...seen(layers.softmaxCrossEntropy(logits, labels).data[0], logits, labels), logits };
  }
}

/** How far it has come, and the logits (N, K) of the last batch. */
export interface Evaluation extends Progress {
  readonly logits: Tensor;
}

/** What the first layer of a model gets to see of pixels in [0, 1]. */
export const inputOf = ({ normalize: own }: Model, x: Tensor): Tensor => (own ? normalize(x, own.mean, own.std) : x);

/** Adds up batches, onto what was seen before. */
export function counter(before = nothing): (batchLoss: number, logits: Tensor, labels: Tensor) => Progress {
  let { images, totalLoss, right } = before;
  return (batchLoss, logits, labels) => {
    images += labels.data.length;
    totalLoss += batchLoss * labels.data.length;
    right += predictions(logits).filter((label, n) => label === labels.data[n]).length;
    return { images, totalLoss, right, batchLoss, loss: totalLoss / images, accuracy: right / images };
  };
}
