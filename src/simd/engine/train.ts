import { batchPositions, type Images } from '../../data/images.ts';
import { beginOf, counter, stepsFrom, type Evaluation, type Step } from '../../train.ts';
import type { Schedule } from '../../schedule.ts';
import { atLeast, type Tensor } from '../../tensor.ts';
import type { Engine } from './engine.ts';

export interface EngineTrainOptions {
  /** Passes over the images. Integer ≥ 1. */
  readonly epochs: number;
  /** Images per step, at most as many as the engine was made for. Integer ≥ 1. */
  readonly batch: number;
  /** The learning rate of every step, counted from 0 through all epochs. */
  readonly schedule: Schedule;
  /** Stream e of this seed shuffles the images of epoch e, and then draws its dropout masks. */
  readonly seed: number;
}

/**
 * As train of src/train.ts, in the engine: the same images in the same order, the same masks, the same progress. From a position of
 * an earlier run it goes on if the engine was loaded with what that had there.
 */
export async function* train(
  engine: Engine,
  data: Images,
  options: EngineTrainOptions,
  from = beginOf(1),
): AsyncGenerator<Step> {
  for (const { positions, stream, seen } of stepsFrom(from, data, options)) {
    const { loss, logits } = await engine.step(data, positions, stream, options.schedule(engine.steps));
    yield seen(loss, logits, labelsAt(data, positions));
  }
}

/** As evaluate of src/train.ts, in the engine. */
export async function* evaluate(engine: Engine, data: Images, batch: number): AsyncGenerator<Evaluation> {
  atLeast('evaluate: batch', batch, 1);
  const seen = counter();
  for (const positions of batchPositions(data, batch)) {
    const { loss, logits } = await engine.evaluate(data, positions);
    yield { ...seen(loss, logits, labelsAt(data, positions)), logits };
  }
}

const labelsAt = ({ labels }: Images, positions: Uint32Array): Tensor => ({
  shape: [positions.length],
  data: Float64Array.from(positions, (position) => labels[position]),
});
