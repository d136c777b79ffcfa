import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Checkpoint } from '../src/checkpoint.ts';
import type { Images } from '../src/data/images.ts';
import { initialize } from '../src/initialize.ts';
import type { Layers } from '../src/layers.ts';
import type { Model, Parameters } from '../src/network.ts';
import { optimizerState, type OptimizerName } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import * as engines from '../src/simd/engine/train.ts';
import {
  beginOf,
  checkTraining,
  evaluate,
  train,
  type Evaluation,
  type Position,
  type Progress,
  type Step,
  type TrainOptions,
} from '../src/train.ts';
import { agreement } from './agreement.ts';
import { withoutPictures } from './optional.ts';
import { profileTable } from './profileTable.ts';
import { progressBar } from './progressBar.ts';
import { RunFolder, type EpochMetrics } from './runFolder.ts';
import { runPictures } from './runPictures.ts';
import { RunError, writeWhole } from './script.ts';

export interface Settings extends TrainOptions {
  readonly optimizerName: OptimizerName;
  /** Whether the engine of src/simd trains, and how. */
  readonly engine: boolean;
  readonly threads: number;
  readonly bitwise: boolean;
  readonly model: Model;
  readonly layers: Layers;
  /** The highest rate of all steps. */
  readonly top: number;
  /** What the command line asked for, which changes the result: with it an interrupted run goes on. */
  readonly options: object;
  /** Where the run is kept, if it is: a new folder; or one with the checkpoint from which it goes on. */
  readonly run: string | RunFolder | undefined;
  readonly from: Checkpoint | undefined;
  /** Seconds between two checkpoints within an epoch. */
  readonly every: number;
  readonly save: string | undefined;
  /** Whether a run that is kept gets pictures of how it went. */
  readonly plots: boolean;
  /** Whether it says in the end what the engine spent its time on. */
  readonly profile: boolean;
  readonly json: boolean;
}

/**
 * Trains and tests, epoch by epoch, until the end or Ctrl-C.
 * @throws RangeError if the run cannot go on with these images or on this machine
 * @throws RunError if the loss is no number any more, the engine disagrees with the reference, or a file cannot be written
 */
export async function learn(
  settings: Settings,
  training: Images,
  tests: Images,
  out: NodeJS.WriteStream,
): Promise<void> {
  const { model, layers, epochs, batch, seed, from, save, profile, json } = settings;
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (interrupted = true));
  const bar = progressBar(out);
  const [learned, tested] = [training.labels.length, tests.labels.length];
  const data = digest(training, tests);
  if (from && from.facts.data !== data)
    throw new RangeError(`the images are not those that the run began with, expected the same in ${JSON.stringify(from.facts.options)}`); // prettier-ignore

  const wanted = settings.run !== undefined && settings.plots;
  const missing = wanted ? await withoutPictures() : undefined;
  if (missing) out.write(`pictures  none: ${missing}\n\n`);
  const drawing = wanted && !missing;
  if (from && from.position.epoch > epochs)
    out.write(`This run has ended${drawing ? ': its pictures are drawn again' : ''}\n\n`);
  else if (from)
    out.write(`It goes on in epoch ${from.position.epoch}, after ${commas(from.position.seen.images)} of ${commas(learned)} images\n\n`); // prettier-ignore

  const first = initialize(model, random(seed));
  const { schedule } = checkTraining(layers, model, first, training, settings);
  const parameters = from?.parameters ?? first;
  const state = from?.state ?? optimizerState();
  const engine = settings.engine ? await engineOf(settings, first, training, out) : undefined;
  await engine?.load(parameters, state);
  const folder = typeof settings.run === 'string' ? RunFolder.begin(settings.run, settings.options) : settings.run;

  const metrics = folder?.metrics ?? [];
  const before = Number(from?.facts.seconds) || (metrics.at(-1)?.seconds ?? 0);
  const began = performance.now() - 1000 * before;
  const seconds = () => (performance.now() - began) / 1000;
  // Learning from an image takes about three times as long as testing one.
  const work = (images: number, tests: number) => 3 * images + tests;
  const timeLeft = (done: number) => `${time((seconds() / done) * (epochs * work(learned, tested) - done))} left`;
  const spent = new Map<string, number>();
  /** Tests do not count. */
  const watch = (learning: boolean) => {
    if (engine && profile) engine.profile = learning ? spent : undefined;
  };

  let saved = performance.now();
  const keep = (position: Position) => {
    if (!folder) return;
    const now = engine ? { parameters: engine.parameters(), state: engine.state() } : { parameters, state };
    const facts = {
      ...{ model: model.name, seed: `${seed}`, epoch: `${metrics.length}`, version, data },
      ...(metrics.length > 0 && { testAccuracy: `${metrics.at(-1)!.testAccuracy}` }),
      ...{ numbers: engine?.build ?? 'float64', options: JSON.stringify(settings.options) },
      ...(position.seen.images > 0 && { seconds: `${seconds()}` }), // else the metrics have them
    };
    folder.save({ ...now, position, facts }, engine ? 'F32' : 'F64');
    saved = performance.now();
  };
  if (!from) keep(beginOf(1));

  const position = from?.position ?? beginOf(1);
  let [epochBegan, skipped, steps] = [before, position.seen.images, 0];
  let last: Step | undefined;
  let logits: number[] = [];
  /** After the last epoch that ended. */
  let ended: { readonly parameters: Parameters; readonly logits: readonly number[] } | undefined;
  const learning = engine
    ? engines.train(engine, training, { ...settings, schedule }, position)
    : train(layers, model, parameters, training, settings, position, state);
  watch(true);
  if (position.epoch <= epochs)
    bar.show(skipped / learned, `epoch ${position.epoch}/${epochs}`, [`${commas(skipped)} of ${commas(learned)}`]);
  for await (last of learning) {
    steps++;
    const { epoch, images, loss, accuracy } = last;
    if (!Number.isFinite(loss)) throw diverged(loss, epoch);
    const imagesPerSecond = (images - skipped) / (seconds() - epochBegan);
    const done = (epoch - 1) * work(learned, tested) + work(images, 0);
    bar.show(images / learned, `epoch ${epoch}/${epochs}`, [
      `loss ${loss.toFixed(3)}`,
      `accuracy ${percent(accuracy)}`,
      `${imagesPerSecond < 10 ? imagesPerSecond.toPrecision(2) : commas(imagesPerSecond)} images/s`,
      timeLeft(done),
      `${commas(images)} of ${commas(learned)}`,
    ]);
    await setImmediate(); // lets Ctrl-C through
    if (interrupted) break;
    if (images < learned) {
      if (performance.now() - saved > 1000 * settings.every) keep(last.position);
      continue;
    }

    watch(false);
    const test = await testAll(epoch, done);
    watch(true);
    if (!test) break;
    if (!Number.isFinite(test.loss)) throw diverged(test.loss, epoch);
    bar.clear();
    const line = {
      ...{ epoch, trainLoss: loss, trainAccuracy: accuracy, testLoss: test.loss, testAccuracy: test.accuracy },
      ...{ imagesPerSecond, seconds: seconds() },
    };
    out.write(
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  accuracy: train ${percent(accuracy)}, ` +
        `test ${percent(test.accuracy)}  ${commas(imagesPerSecond)} images/s  ${time(seconds())}\n`,
    );
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (folder) folder.add(line);
    else metrics.push(line);
    keep(beginOf(epoch + 1));
    ended = { parameters: engine?.parameters() ?? structuredClone(parameters), logits };
    if (save !== undefined) {
      const tensors = engine ? engine.parameters() : parameters;
      const metadata = { model: model.name, seed: `${seed}`, epoch: `${epoch}`, testAccuracy: `${test.accuracy}` };
      writeWhole(save, writeSafetensors({ tensors, metadata }, { dtype: engine ? 'F32' : 'F64' }));
    }
    [epochBegan, skipped] = [seconds(), 0];
  }

  if (drawing && !last && !interrupted) {
    // it had ended before: what is drawn is tested again
    const test = await testAll(epochs, epochs * work(learned, tested) - tested);
    if (test) ended = { parameters, logits };
  }
  bar.clear();
  if (interrupted && last && last.images < learned) keep(last.position);
  await engine?.close();
  out.write(`\n${interrupted ? 'Stopped: ' : ''}${resultOf(metrics, epochs)}, ${time(seconds())}, seed ${seed}\n`);
  if (folder && interrupted) out.write(`It goes on with --resume ${folder.path}\n`);
  if (profile && steps > 0) out.write(`\n${profileTable(spent, steps)}\n`);
  if (folder && ended && drawing) await draw(folder.path, ended);
  if (interrupted) process.exitCode = 130; // as shells report Ctrl-C

  async function draw(path: string, { parameters, logits }: NonNullable<typeof ended>): Promise<void> {
    const K = logits.length / tested;
    const probabilities = layers.softmax({ shape: [tested, K], data: Float64Array.from(logits) });
    bar.show(1, 'drawing', [`the pictures of ${path}`]);
    await setImmediate();
    const run = { model, seed, parameters, metrics, testing: tests, probabilities };
    const drawn = await runPictures(path, run).finally(() => bar.clear());
    out.write(`${path} has ${drawn.join(', ')}\n`);
  }

  /** All test images; nothing if it was interrupted. */
  async function testAll(epoch: number, done: number): Promise<Progress | undefined> {
    logits = [];
    let test: Evaluation | undefined;
    const testing = engine ? engines.evaluate(engine, tests, batch) : evaluate(layers, model, parameters, tests);
    for await (test of testing) {
      logits.push(...test.logits.data);
      bar.show(test.images / tested, `test ${epoch}/${epochs} `, [
        `accuracy ${percent(test.accuracy)}`,
        timeLeft(done + test.images),
        `${commas(test.images)} of ${commas(tested)}`,
      ]);
      await setImmediate();
      if (interrupted) return undefined;
    }
    return test;
  }

  function diverged(loss: number, epoch: number): RunError {
    bar.clear();
    return new RunError(`the loss is ${loss} in epoch ${epoch}, expected a number: rate ${settings.top} is too high`);
  }
}

/** 'test accuracy 99.3 % after 2 of 3 epochs (best: 99.4 % after 1)' */
function resultOf(metrics: readonly EpochMetrics[], epochs: number): string {
  const last = metrics.at(-1);
  if (!last) return 'no epoch was finished';
  const best = metrics.reduce((a, b) => (b.testAccuracy >= a.testAccuracy ? b : a));
  const result = `test accuracy ${percent(last.testAccuracy)} after ${last.epoch} of ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
  return best === last ? result : `${result} (best: ${percent(best.testAccuracy)} after ${best.epoch})`;
}

/** What tells sets of images apart. */
function digest(...sets: readonly Images[]): string {
  const hash = createHash('sha256');
  for (const { pixels, labels } of sets) hash.update(pixels).update(labels);
  return hash.digest('hex');
}

/** An engine, after its first three steps were compared with the reference. */
async function engineOf(
  { model, batch, threads, bitwise, optimizerName, optimizerOptions = {}, from }: Settings,
  parameters: Parameters,
  training: Images,
  out: NodeJS.WriteStream,
): Promise<Engine> {
  const build = bitwise ? 'plain' : bestBuild();
  if (from && from.facts.numbers !== build)
    throw new RangeError(
      `the run began with the ${from.facts.numbers} kernels, and this machine has ${build}, expected the same: ` +
        '--bitwise computes alike on every machine',
    );
  const engine = await Engine.of(model, parameters, {
    batch,
    threads,
    optimizer: optimizerName,
    optimizerOptions,
    build,
  });
  const bar = progressBar(out);
  const apart = await agreement(engine, model, training, Math.min(batch, 16), (share) =>
    bar.show(share, 'comparing', ['the first three steps with the reference']),
  );
  bar.clear();
  const how = `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${build === 'fma' ? '' : 'without '}fused multiply-add`;
  out.write(`engine    ${how}; steps 1–3: gradients within ${apart.toExponential(0)} of the reference\n\n`);
  if (apart < 1e-4) return engine;
  await engine.close();
  throw new RunError(
    `the engine's gradients are ${apart.toExponential(0)} off those of the reference, expected below 1e-4`,
  );
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export const commas = (value: number): string => Math.round(value).toLocaleString('en');
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const time = (seconds: number) =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
