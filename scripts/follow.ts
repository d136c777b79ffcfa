import { batchOf, batchPositions, type Images } from '../src/data/images.ts';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import { lossAndGradients, parameterShapes, updateStatistics, type Model } from '../src/network.ts';
import { optimizers, optimizerState, type Optimizer } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import { inputOf } from '../src/train.ts';
import { picturesFor, works, type Work } from './bench/works.ts';
import { progressBar } from './progressBar.ts';
import { choose, commandLine, integer, script } from './script.ts';

const { vectorized } = implementations;

/** What both train, step by step; the other models are trained by the engine alone, and their gradients compared. */
const followed = { M1: works.M1, M2: works.M2, M3: works.M3 };
const others = Object.fromEntries(
  [
    ...Object.values(models.digitModels),
    models.cifar10Net,
    models.resnet18({ input: [3, 64, 64], widths: [16, 16, 24, 32] }),
  ].map((model): [string, Work] => [model.name, { model, batch: 32, optimizer: 'sgd', rate: 0.01 }]),
);
const all: Readonly<Record<string, Work>> = { ...followed, ...others };

/** Of the losses of both, in the first steps; and of each gradient, as a share of its length. */
const [LOSSES, FIRST, GRADIENTS] = [1e-4, 50, 1e-5];

/**
 * Of the losses at any later step. Adam divides by gradients that are nearly 0, and what was a rounding grows: in 200 steps of
 * M2 the reference comes 3 % from itself, begun with parameters less than a float32 rounding away, the engine 5 % (2026-11-30).
 */
const LATER = { sgd: 1e-4, adam: 0.1 };

/** The reference computes gradients of so many images: it takes seconds for some networks. */
const FEW = 8;

const help = `Says how near the engine, in float32, stays to the reference, in float64.

  npm run follow                         three networks step by step, gradients of all: minutes
  npm run follow -- --work M1,lenet5     of these alone

  --work A,B,…   ${Object.keys(followed).join(', ')}: both train, and the losses of every step are compared;
                 ${Object.keys(others).slice(0, 5).join(', ')},
                 ${Object.keys(others).slice(5).join(', ')}: the engine
                 trains; of all, gradients are compared at first and at last (default all)
  --steps N      how many (default 200)
  --threads N    of the engine (default 2)
  --seed N       of first weights, order of images and random pictures (default 0)
  --help         this text

Exit code 1 if in the first ${FIRST} steps losses are more than ${LOSSES} of themselves
apart (later too; ${LATER.adam} where adam learns), or a gradient more than ${GRADIENTS} of its
length.
`;

async function main(): Promise<void> {
  const { values } = commandLine({
    options: {
      work: { type: 'string', default: Object.keys(all).join() },
      steps: { type: 'string', default: '200' },
      threads: { type: 'string', default: '2' },
      seed: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const names = values.work.split(',');
  const chosen = names.map((name) => ({ name, work: choose('--work', all, name) }));
  const options = {
    steps: integer('--steps', values.steps, 1),
    threads: integer('--threads', values.threads, 1, 64),
    seed: integer('--seed', values.seed, 0, 2 ** 32 - 1),
  };
  process.stdout.write(
    `${options.steps} steps, seed ${options.seed}; how far the engine is from the reference at most\n`,
  );
  process.stdout.write(`${'network'.padEnd(14)}  losses: ${FIRST} steps  all    gradients: at first  at last\n`);
  for (const { name, work } of chosen) {
    const { early, losses, first, last } = await follow(name, work, { ...options, both: name in followed });
    const [inFirst, inAll, before, after] = [early, losses, first, last].map((share) =>
      (share === undefined ? '' : share.toExponential(0)).padStart(7),
    );
    const later = LATER[work.optimizer as keyof typeof LATER];
    const far = (early ?? 0) > LOSSES || (losses ?? 0) > later || Math.max(first, last) > GRADIENTS;
    process.stdout.write(
      `${name.padEnd(14)}  ${inFirst}        ${inAll}             ${before}  ${after}${far ? '  too far' : ''}\n`,
    );
    if (far) process.exitCode = 1;
  }
}

interface Options {
  readonly steps: number;
  readonly threads: number;
  readonly seed: number;
  /** Whether the reference trains too. */
  readonly both: boolean;
}

async function follow(name: string, work: Work, { steps, threads, seed, both }: Options) {
  const { model, batch, optimizer, optimizerOptions = {}, rate } = work;
  const images = picturesFor(work, seed);
  const engine = await Engine.of(model, initialize(model, random(seed)), {
    batch,
    threads,
    optimizer,
    optimizerOptions,
  });
  const bar = progressBar(process.stderr);
  const parameters = engine.parameters(); // both begin with the same float32 numbers
  const learning = Object.fromEntries(Object.keys(parameterShapes(model)).map((key) => [key, parameters[key]]));
  const state = optimizerState();
  const order = positions(images, batch, seed);
  const first = await gradientsApart(engine, model, images, seed);
  let [early, losses]: (number | undefined)[] = [];
  for (let step = 0; step < steps; step++) {
    const some = order.next().value!;
    const { loss } = await engine.step(images, some, random(seed, step), rate);
    if (both) {
      const { x, labels } = batchOf(images, some);
      const mode = { training: random(seed, step) };
      const reference = lossAndGradients(vectorized, model, parameters, inputOf(model, x), labels, mode);
      (optimizers[optimizer] as Optimizer)(learning, reference.gradients, state, { ...optimizerOptions, rate });
      updateStatistics(vectorized, reference.tape, parameters);
      losses = Math.max(losses ?? 0, Math.abs(loss / reference.loss - 1));
      if (step < FIRST) early = losses;
    }
    bar.show(step / steps, name, [
      `step ${step + 1} of ${steps}`,
      ...(losses === undefined ? [] : [`losses ${losses.toExponential(0)}`]),
    ]);
  }
  bar.clear();
  const last = await gradientsApart(engine, model, images, seed);
  await engine.close();
  return { early, losses, first, last };
}

/** Batches without end, epoch after epoch; a last one with fewer images is left out. */
function* positions(images: Images, batch: number, seed: number): Generator<Uint32Array, never> {
  for (let epoch = 1; ; epoch++)
    for (const some of batchPositions(images, Math.min(batch, images.labels.length), random(seed, epoch)))
      if (some.length === Math.min(batch, images.labels.length)) yield some;
}

/** The largest distance of a gradient from the reference, for the engine's own parameters, as a share of its length. */
async function gradientsApart(engine: Engine, model: Model, images: Images, seed: number): Promise<number> {
  const some = Uint32Array.from({ length: FEW }, (_, i) => i);
  const parameters = engine.parameters();
  await engine.gradientsOf(images, some, random(seed));
  const own = engine.gradients();
  const { x, labels } = batchOf(images, some);
  const mode = { training: random(seed) };
  const { gradients } = lossAndGradients(vectorized, model, parameters, inputOf(model, x), labels, mode);
  const longest = Math.max(...Object.values(gradients).map(({ data }) => lengthOf(data)));
  return Math.max(
    ...Object.entries(gradients).map(([name, { data }]) => {
      const length = lengthOf(data);
      const apart = lengthOf(data.map((value, i) => own[name].data[i] - value));
      return apart / (length > 1e-9 * longest ? length : longest); // before batch norm that of a bias is 0, but for rounding
    }),
  );
}

const lengthOf = (data: Float64Array) => Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));

await script('follow', main);
