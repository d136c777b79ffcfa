import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { batches, first } from '../../src/data/images.ts';
import { mnist } from '../../src/data/mnist.ts';
import { initialize } from '../../src/initialize.ts';
import { implementations, type Layers } from '../../src/layers.ts';
import * as models from '../../src/models/index.ts';
import {
  backward,
  forward,
  lossAndGradients,
  parameterCount,
  parameterShapes,
  type Model,
  type Parameters,
} from '../../src/network.ts';
import { add, map, reshape, sub } from '../../src/ndarray.ts';
import { optimizerState, sgd } from '../../src/optimizer.ts';
import { random } from '../../src/random.ts';
import { get, set, size, tensor, zeros, type Tensor } from '../../src/tensor.ts';
import { geometry } from '../../src/window.ts';
import { expectTensor } from '../close.ts';
import { answeredCases } from '../golden.ts';
import { pad, tabulate } from '../images.ts';

// "CNN from scratch with NumPy": what the document says, and what is true.

const { conv2d, maxPool2d } = implementations.naive;

/** The same pictures, so many rows further down and columns further right on a black field of H×W. */
const placed = (x: Tensor, down: number, right: number, [H, W]: readonly [number, number]) =>
  pad(x, { top: down, left: right, bottom: H - x.shape[2] - down, right: W - x.shape[3] - right });

describe('why convolution', () => {
  it('it is a linear layer that sees few pixels at a time (local) and has few numbers (shared): 9 among 225', () => {
    const w = tensor([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]]); // prettier-ignore
    const onePixelEach = tabulate([25, 1, 5, 5], (n, _, h, v) => (n === 5 * h + v ? 1 : 0));
    const y = conv2d(onePixelEach, w, zeros([1]));
    const matrix = Array.from({ length: 9 }, (_, place) =>
      Array.from({ length: 25 }, (_, pixel) => y.data[9 * pixel + place]),
    );
    for (const row of matrix) expect(row.filter((value) => value !== 0)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const all: Model = {
      name: 'all pixels to all places',
      input: [1, 28, 28],
      nodes: [{ name: 'fc', layer: 'linear', parameters: { w: [8 * 26 * 26, 784], b: [8 * 26 * 26] } }],
    };
    const convolution = { ...models.page3, nodes: models.page3.nodes.slice(0, 1) };
    expect([parameterCount(all), parameterCount(convolution)]).toEqual([4_245_280, 80]);
  });

  it('"regardless of position": what moves in x moves in y (equivariant), but y is not the same (invariant)', () => {
    const { inputs } = answeredCases('conv2d').find(({ id }) => id === 'conv2d/edge-vertical')!;
    const square = (down: number, right: number) => placed(inputs.x, 1 + down, 1 + right, [9, 10]);
    const edges = conv2d(square(0, 0), inputs.w, inputs.b);
    for (const [down, right] of [
      [0, 1],
      [2, 0],
      [3, 4],
    ]) {
      // prettier-ignore
      const moved = conv2d(square(down, right), inputs.w, inputs.b);
      const expected = tabulate(edges.shape, (n, o, h, v) =>
        h < down || v < right ? 0 : get(edges, n, o, h - down, v - right),
      );
      expectTensor('y', moved, expected);
      expect(moved).not.toEqual(edges);
    }
  });
});

it('what it calls convolution does not turn the kernel: with it turned, the map of vertical edges has the other sign', () => {
  const { inputs, y } = answeredCases('conv2d').find(({ id }) => id === 'conv2d/edge-vertical')!;
  const turned = tabulate([1, 1, 3, 3], (o, c, h, v) => get(inputs.w, o, c, 2 - h, 2 - v));
  expectTensor('y', conv2d(inputs.x, inputs.w, inputs.b), y);
  expectTensor(
    'turned',
    conv2d(inputs.x, turned, inputs.b),
    map(y, (value) => -value),
  );
});

describe('a second convolution', () => {
  it('needs filters with a channel axis: 1,008 weights more, without which nothing fits; y is a sum over channels', () => {
    const w = models.page3TwoConv.nodes.flatMap((node) => ('layer' in node ? [node] : []))[3].parameters!.w;
    const filters = w.filter((_, axis) => axis !== 1);
    expect([w, filters]).toEqual([[16, 8, 3, 3], [16, 3, 3]]); // prettier-ignore
    expect(parameterCount(models.page3TwoConv) - (size(w) - size(filters))).toBe(26_554);
    const x = map(zeros([2, 2, 5, 5]), random(0).normal);
    expect(() => conv2d(x, zeros([16, 1, 3, 3]), zeros([16]))).toThrow(
      new RangeError('conv2d: w has shape (16, 1, 3, 3), expected (O, 2, KH, KW)'),
    );
    const weights = map(zeros([3, 2, 3, 3]), random(1).normal);
    const channel = (image: Tensor, c: number) =>
      tabulate([image.shape[0], 1, ...image.shape.slice(2)], (n, _, h, v) => get(image, n, c, h, v));
    const [first, second] = [0, 1].map((c) => conv2d(channel(x, c), channel(weights, c), zeros([3])));
    expectTensor('y', conv2d(x, weights, zeros([3])), add(first, second), 1e-14); // 18 terms in another order
  });

  it('hands back dx: where it does not, the layers before it have no gradient, and the others have theirs', () => {
    const { vectorized } = implementations;
    const withoutDx: Layers = {
      ...vectorized,
      conv2dBackward: (dy, x, ...rest) => ({ ...vectorized.conv2dBackward(dy, x, ...rest), dx: zeros(x.shape) }),
    };
    const model = models.page3TwoConv;
    const parameters = initialize(model, random(1));
    const x = map(zeros([1, 1, 28, 28]), random(0).normal);
    const [right, wrong] = [vectorized, withoutDx].map(
      (layers) => lossAndGradients(layers, model, parameters, x, tensor([3]), 'evaluation').gradients,
    );
    for (const name of Object.keys(parameters))
      if (name.startsWith('conv1')) {
        expect(Math.hypot(...right[name].data)).toBeGreaterThan(0);
        expect([...wrong[name].data].every((value) => value === 0)).toBe(true);
      } else expectTensor(name, wrong[name], right[name]);
  });
});

describe('padding and stride', () => {
  const kernels = [1, 2, 3, 4, 5, 6, 7];
  const out = (kernel: number, padding: number, stride: number) =>
    geometry('test', [28, 28], [kernel, kernel], { padding, stride }).OH;

  it('"padding keeps the size": where the stride is 1, the kernel odd and the padding (kernel − 1) / 2, and only there', () => {
    for (const kernel of kernels)
      for (let padding = 0; padding < kernel; padding++)
        for (const stride of [1, 2, 3])
          expect(out(kernel, padding, stride) === 28, `kernel ${kernel}, padding ${padding}, stride ${stride}`).toBe(
            stride === 1 && padding === (kernel - 1) / 2,
          );
  });

  it('"(input + 2·padding − kernel) / stride + 1" is 14.5 and 13.5 where there are 14 and 13 places: it lacks the floor', () => {
    const printed = (padding: number) => (28 + 2 * padding - 3) / 2 + 1;
    expect([printed(1), printed(0)]).toEqual([14.5, 13.5]);
    expect([out(3, 1, 2), out(3, 0, 2)]).toEqual([14, 13]);
  });

  it('"stride 2 halves": with half the kernel as padding; without padding 28 becomes 13', () => {
    for (const kernel of kernels) expect(out(kernel, Math.floor((kernel - 1) / 2), 2)).toBe(14);
    expect(out(3, 0, 2)).toBe(13);
  });
});

describe('pooling', () => {
  it('a bright pixel that moves within its window changes nothing; beyond it, it does', () => {
    const pooled = (h: number, w: number) => {
      const x = zeros([1, 1, 4, 4]);
      set(x, 1, 0, 0, h, w);
      return [...maxPool2d(x, { kernel: 2 }).data];
    };
    const places = [0, 1, 2, 3].flatMap((h) => [0, 1, 2, 3].map((w) => [h, w]));
    for (const [h, w] of places)
      expect(pooled(h, w).indexOf(1), `(${h}, ${w})`).toBe(2 * Math.floor(h / 2) + Math.floor(w / 2));
  });

  it('robust against small shifts: a digit moved by one pixel is less different after pooling', () => {
    const { train } = mnist(fileURLToPath(new URL('../../golden/mnist/', import.meta.url)));
    const [{ x }] = batches(first(200, train), 200);
    const difference = (a: Tensor, b: Tensor, n: number) => {
      const pixels = size(a.shape.slice(1));
      const part = ({ data }: Tensor) => data.subarray(n * pixels, (n + 1) * pixels);
      return Math.hypot(...part(a).map((value, i) => value - part(b)[i])) / Math.hypot(...part(a));
    };
    const [here, there] = [placed(x, 2, 2, [32, 32]), placed(x, 2, 3, [32, 32])];
    const pool = (images: Tensor) => implementations.vectorized.maxPool2d(images, { kernel: 2 });
    const [before, after] = [
      [here, there],
      [pool(here), pool(there)],
    ].map(([a, b]) =>
      // prettier-ignore
      Array.from({ length: 200 }, (_, n) => difference(a, b, n)),
    );
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect([mean(before).toFixed(2), mean(after).toFixed(2)]).toEqual(['0.59', '0.47']); // of the size of the picture
    expect(after.filter((value, n) => value < before[n])).toHaveLength(196); // of 200
  });

  it('fewer parameters: without its pool the trained net would have 346,906 instead of 87,322', () => {
    const nodes = models.page3.nodes
      .filter(({ name }) => name !== 'pool1')
      .map((node) => (node.name === 'fc1' ? { ...node, parameters: { w: [64, 8 * 26 * 26], b: [64] } } : node));
    expect(parameterCount({ ...models.page3, nodes })).toBe(346_906);
  });
});

describe('"4× fewer parameters"', () => {
  const share = (...[small, large]: Model[]) => parameterCount(large) / parameterCount(small);

  it('3.97× for the net it draws, 1.25× for the one it trains', () => {
    expect(share(models.page3TwoConv, models.dense).toFixed(2)).toBe('3.97');
    expect(share(models.page3, models.dense).toFixed(2)).toBe('1.25');
  });

  it('99.9 % of those that it trains are in the linear layers', () => {
    const linear = Object.entries(parameterShapes(models.page3))
      .filter(([name]) => name.startsWith('fc'))
      .reduce((total, [, shape]) => total + size(shape), 0);
    expect(((100 * linear) / parameterCount(models.page3)).toFixed(1)).toBe('99.9');
  });
});

describe('the gradient that goes back into the convolution', () => {
  const { naive } = implementations;
  const { inputs, constants, gradients } = answeredCases('models/page3').find(({ id }) => id === 'page3/tiny')!;
  const { x, ...learned } = inputs;
  const labels = constants!.labels;
  const parameters = (): Parameters => structuredClone(learned);
  const loss = (all: Parameters) => lossAndGradients(naive, models.page3, all, x, labels, 'evaluation').loss;
  const norm = ({ data }: Tensor) => Math.hypot(...data);

  it('uses the weights as they were: after a step of rate 0.1 it is off by 11 %', () => {
    const [trunk, head] = [models.page3.nodes.slice(0, 4), models.page3.nodes.slice(4)];
    const all = parameters();
    const flat = forward(naive, { nodes: trunk }, all, x, 'evaluation').y;
    const { y, tape } = forward(naive, { nodes: head }, all, flat, 'evaluation');
    const { dlogits } = naive.softmaxCrossEntropyBackward(tensor(1), y, labels);
    const right = backward(naive, tape, dlogits);
    const { 'fc1.weight': _1, 'fc1.bias': _2, 'fc2.weight': _3, 'fc2.bias': _4, ...convolution } = all;
    const dense = Object.fromEntries(Object.entries(all).filter(([name]) => !(name in convolution)));
    sgd(dense, right.gradients, optimizerState(), { rate: 0.1 }); // moves what the tape holds, too
    const late = backward(naive, tape, dlogits);
    expect(late.gradients['fc2.weight']).toEqual(right.gradients['fc2.weight']);
    expect((norm(sub(late.dx, right.dx)) / norm(right.dx)).toFixed(2)).toBe('0.11');
  });

  it('is divided by the batch once: by the loss, or by the convolution, and not by both', () => {
    const { tape, logits } = lossAndGradients(naive, models.page3, parameters(), x, labels, 'evaluation');
    const N = 2;
    const ofLoss = (dy: number) => naive.softmaxCrossEntropyBackward(tensor(dy), logits, labels).dlogits;
    const atConvolution = (dy: number) => backward(naive, tape, ofLoss(dy)).gradients['conv1.bias'];
    const half = (gradient: Tensor) => map(gradient, (value) => value / N);
    expectTensor('p − y, then / N', half(atConvolution(N)), gradients['dconv1.bias'], 1e-15);
    expectTensor('(p − y) / N', atConvolution(1), gradients['dconv1.bias'], 1e-15);
    const twice = half(atConvolution(1));
    const moved = (h: number) => {
      const all = parameters();
      all['conv1.bias'].data[1] += h;
      return loss(all);
    };
    const slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
    expect(slope / get(twice, 1)).toBeCloseTo(2, 7); // it would be half the slope
  });
});

describe('training', () => {
  it('5,000 images in batches of 16: 313 steps an epoch, 312 full ones and one of 8', () => {
    const images = { shape: [1, 1, 1], pixels: new Uint8Array(5000), labels: new Uint8Array(5000) };
    const counts = Array.from(batches(images, 16, random(0)), ({ labels }) => labels.data.length);
    expect(counts).toEqual([...Array(312).fill(16), 8]);
  });

  it('crashes as written: the gradient of the logits is none of the pool, which linearBackward would have given', () => {
    expect(() => reshape(zeros([16, 10]), [16, 8, 13, 13])).toThrow(
      new RangeError('reshape: 160 numbers do not fill (16, 8, 13, 13)'),
    );
    const { dx } = implementations.naive.linearBackward(
      zeros([16, 10]),
      zeros([16, 1352]),
      zeros([10, 1352]),
      zeros([10]),
    );
    expect(reshape(dx, [16, 8, 13, 13]).shape).toEqual([16, 8, 13, 13]);
  });
});
