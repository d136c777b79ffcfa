#!/usr/bin/env node
// The layers of cnn-spec as TensorFlow.js computes them on its CPU backend, in float32, and the loop that answers its runner.
//
//     npm ci --prefix scripts/ports/tfjs     (once)
//     node scripts/ports/tfjs/port.js
//
// Every layer is a call of TensorFlow.js, and every gradient that of tf.grads. Where TensorFlow.js does otherwise than cnn-spec,
// so does this port: README.md lists where. Images are (N, H, W, C) and kernels (KH, KW, I, O), as it has them: the runner turns
// them round.
import { createInterface } from 'node:readline';

console.warn = () => {}; // it would recommend another backend
const tf = await import('@tensorflow/tfjs').catch(({ message }) => {
  console.error(`${message}; TensorFlow.js is fetched by: npm ci --prefix scripts/ports/tfjs`);
  process.exit(1);
});
await tf.setBackend('cpu');

// ── Layers: layer(...inputs, ...constants, options) is y ─────────────────────

/** TensorFlow.js would take what is no number, and give y the size NaN. */
function border({ top, bottom, left, right }) {
  if (![top, bottom, left, right].every(Number.isInteger)) throw new RangeError('padding is no four integers');
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

function conv2d(x, w, b, { stride, padding, dilation }) {
  return tf.add(tf.conv2d(x, w, stride, border(padding), 'NHWC', dilation), b);
}

/** TensorFlow.js has one group, or one for every channel: with a number in between its users split and join. */
function groupedConv2d(x, w, b, { groups, stride, padding, dilation }) {
  if (groups === 1) return conv2d(x, w, b, { stride, padding, dilation });
  const [kh, kw, , kernels] = w.shape;
  if (groups === x.shape[3]) {
    const each = tf.reshape(w, [kh, kw, groups, kernels / groups]);
    return tf.add(tf.depthwiseConv2d(x, each, stride, border(padding), 'NHWC', dilation), b);
  }
  const kernelsOf = tf.split(w, groups, 3);
  const parts = tf.split(x, groups, 3).map((part, g) => {
    return tf.conv2d(part, kernelsOf[g], stride, border(padding), 'NHWC', dilation);
  });
  return tf.add(tf.concat(parts, 3), b);
}

function maxPool2d(x, { kernel, stride, padding, dilation, ceilMode }) {
  return tf.pool(x, kernel, 'max', border(padding), dilation, stride, ceilMode ? 'ceil' : undefined);
}

/** Its own padding does not count: a border of zeros that is part of the image does. */
function avgPool2d(x, { kernel, stride, padding, ceilMode, countIncludePad }) {
  const none = { top: 0, bottom: 0, left: 0, right: 0 };
  const [image, rest] = countIncludePad ? [tf.pad(x, border(padding)), none] : [x, padding];
  return tf.avgPool(image, kernel, stride, border(rest), ceilMode ? 'ceil' : undefined);
}

function crossEntropy(logits, labels) {
  if (labels.rank !== 1) return tf.losses.softmaxCrossEntropy(labels, logits);
  const classes = tf.cast(labels, 'int32');
  if (!tf.util.arraysEqual(classes.dataSync(), labels.dataSync())) throw new RangeError('labels are no integers');
  return tf.losses.softmaxCrossEntropy(tf.oneHot(classes, logits.shape[1]), logits);
}

/** tf.dropout draws its mask itself: this is what it then does. */
function dropout(x, mask, { p }) {
  tf.dropout(x, p); // an error unless 0 ≤ p < 1
  return tf.mul(x, tf.div(mask, 1 - p));
}

function batchNorm(x, gamma, beta, { eps }) {
  const { mean, variance } = tf.moments(x, [0, 1, 2].slice(0, x.rank - 1));
  return tf.batchNorm(x, mean, variance, beta, gamma, eps);
}

function batchNormInference(x, gamma, beta, mean, variance, { eps }) {
  return tf.batchNorm(x, mean, variance, beta, gamma, eps);
}

/** Every layer, and the options that it has. */
const LAYERS = {
  conv2d: [conv2d, 'stride', 'padding', 'dilation'],
  groupedConv2d: [groupedConv2d, 'groups', 'stride', 'padding', 'dilation'],
  linear: [(x, w, b) => tf.add(tf.matMul(x, w, false, true), b)],
  relu: [(x) => tf.relu(x)],
  leakyRelu: [(x, { negativeSlope }) => tf.leakyRelu(x, negativeSlope), 'negativeSlope'],
  tanh: [(x) => tf.tanh(x)],
  sigmoid: [(x) => tf.sigmoid(x)],
  maxPool2d: [maxPool2d, 'kernel', 'stride', 'padding', 'dilation', 'ceilMode'],
  avgPool2d: [avgPool2d, 'kernel', 'stride', 'padding', 'ceilMode', 'countIncludePad'],
  globalAvgPool2d: [(x) => tf.mean(x, [1, 2])],
  flatten: [(x) => tf.reshape(x.rank === 4 ? tf.transpose(x, [0, 3, 1, 2]) : x, [x.shape[0], -1])],
  softmax: [(x) => tf.softmax(x)],
  logSoftmax: [(x) => tf.logSoftmax(x)],
  softmaxCrossEntropy: [crossEntropy],
  meanSquaredError: [(x, target) => tf.losses.meanSquaredError(target, x)],
  dropout: [dropout, 'p'],
  batchNorm: [batchNorm, 'eps'],
  batchNormInference: [batchNormInference, 'eps'],
};

// ── The protocol: a message a line, JSON ─────────────────────────────────────

const readTensor = ({ shape, data }) => tf.tensor(Float32Array.from(data, Number), shape); // Number reads "NaN" and "-0" too

const writeNumber = (v) => (Object.is(v, -0) ? '-0' : Number.isFinite(v) ? v : String(v)); // what JSON has no number for
const writeTensor = (x) => ({ shape: x.shape, data: Array.from(x.dataSync(), writeNumber) });

const readTensors = (tensors = {}) => Object.values(tensors).map(readTensor);
const writeTensors = (tensors) => Object.fromEntries(Object.entries(tensors).map(([k, x]) => [k, writeTensor(x)]));

function run({ layer, direction, inputs, constants, options, dy }) {
  if (!Object.hasOwn(LAYERS, layer)) throw new RangeError(`there is no layer ${layer}`);
  const [call, ...known] = LAYERS[layer];
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw new RangeError(`there is no option ${unknown}`);
  const rest = readTensors(constants);
  const y = (...tensors) => call(...tensors, ...rest, options);
  if (direction === 'forward') return { y: y(...readTensors(inputs)) };
  const gradients = tf.grads(y)(readTensors(inputs), readTensor(dy));
  return Object.fromEntries(Object.keys(inputs).map((name, i) => [`d${name}`, gradients[i]]));
}

/** What TensorFlow.js says of a call that is right, but that it cannot do. */
const LACKS = /not yet supported|[Ee]ither strides or dilations must be\s+1/;

function answer(message) {
  const { cmd, seq = null } = message;
  if (cmd === 'start') {
    const layers = Object.fromEntries(Object.keys(LAYERS).map((name) => [name, ['forward', 'backward']]));
    const about = { name: `TensorFlow.js ${tf.version.tfjs}`, language: 'JavaScript', dtype: 'float32' };
    return { protocol: 1, ...about, layout: 'NHWC', weights: 'HWIO', layers };
  }
  try {
    if (cmd !== 'run') throw new RangeError(`there is no command ${cmd}`);
    return { seq, outputs: tf.tidy(() => writeTensors(run(message))) };
  } catch (error) {
    const reason = error.message.split('\n')[0];
    return LACKS.test(reason) ? { seq, skip: reason } : { seq, error: reason };
  }
}

function read(line) {
  try {
    return Object(JSON.parse(line));
  } catch (error) {
    return { cmd: error.message };
  }
}

process.stdout.on('error', () => process.exit()); // nobody listens any more
for await (const line of createInterface({ input: process.stdin })) {
  const message = read(line);
  if (message.cmd === 'stop') break;
  process.stdout.write(`${JSON.stringify(answer(message))}\n`);
}
