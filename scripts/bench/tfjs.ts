import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { layersOf, type Node } from '../../src/network.ts';
import type { Answer, Question } from './peer.ts';
import { works, type Work } from './works.ts';

// The networks of `npm run bench` in TensorFlow.js, whatever version is installed: the peer. As pytorch.py, it reads a line of JSON for
// each burst, and answers with one. It runs on plain JavaScript: the WebAssembly backend lacks the kernel Conv2DBackpropFilter, so
// it cannot train a convolution.

const name: string = '@tensorflow/tfjs'; // no dependency, so nothing that the compiler could find
const tf = await import(name);
await tf.setBackend('cpu');

const folder = process.argv[2];
const bytes = readFileSync(join(folder, 'train-images-idx3-ubyte')).subarray(16);
const labels = readFileSync(join(folder, 'train-labels-idx1-ubyte')).subarray(8);
const SIDE = 28;

function layerOf({ layer, parameters, options = {} }: Node) {
  const { kernel, stride, padding = 0 } = options as Partial<Record<'kernel' | 'stride' | 'padding', number>>;
  const [units, , kernelSize] = parameters?.w ?? [];
  const border = padding === 0 ? 'valid' : 'same'; // 3×3 with one pixel around is both
  switch (layer) {
    case 'conv2d':
      return tf.layers.conv2d({ filters: units, kernelSize, padding: border });
    case 'maxPool2d':
      return tf.layers.maxPooling2d({ poolSize: kernel, strides: stride ?? kernel });
    case 'avgPool2d':
      return tf.layers.averagePooling2d({ poolSize: kernel, strides: stride ?? kernel });
    case 'linear':
      return tf.layers.dense({ units });
    case 'flatten':
      return tf.layers.flatten();
    default:
      return tf.layers.activation({ activation: layer });
  }
}

function trainerOf({ model, optimizer, rate }: Work) {
  const net = tf.sequential();
  for (const [i, node] of layersOf(model).entries()) {
    const layer = layerOf(node);
    if (i === 0) net.add(tf.layers.inputLayer({ inputShape: [SIDE, SIDE, 1] }));
    net.add(layer);
  }
  const first = net.getWeights().map((weight: { clone(): unknown }) => weight.clone());
  return { net, first, optimizer: () => (optimizer === 'adam' ? tf.train.adam(rate) : tf.train.sgd(rate)) };
}

const trainers = new Map<string, ReturnType<typeof trainerOf>>();

function burst({ work, seconds, batch = works[work].batch }: Question): Answer {
  if (!trainers.has(work)) trainers.set(work, trainerOf(works[work]));
  const { net, first, optimizer } = trainers.get(work)!;
  net.setWeights(first);
  const step = optimizer();
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  for (let images = 0, at = 0; ;) {
    tf.tidy(() => {
      const pixels = Float32Array.from(
        bytes.subarray(at * SIDE * SIDE, (at + batch) * SIDE * SIDE),
        (byte) => byte / 255,
      );
      const x = tf.tensor4d(pixels, [batch, SIDE, SIDE, 1]);
      const target = tf.oneHot(tf.tensor1d(Array.from(labels.subarray(at, at + batch)), 'int32'), 10);
      step.minimize(() => tf.losses.softmaxCrossEntropy(target, net.apply(x, { training: true })));
    });
    images += batch;
    at = (at + batch) % (labels.length - batch + 1);
    const passed = (performance.now() - began) / 1000;
    if (passed < seconds) continue;
    step.dispose();
    const { user, system } = process.cpuUsage(cpu);
    return { images, seconds: passed, cpuSeconds: (user + system) / 1e6 };
  }
}

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ version: tf.version.tfjs });
for await (const line of createInterface({ input: process.stdin })) say(burst(JSON.parse(line) as Question));
