import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { batches, first } from '../../src/data/images.ts';
import { mnist } from '../../src/data/mnist.ts';
import { implementations } from '../../src/layers.ts';
import * as models from '../../src/models/index.ts';
import { parameterCount, parameterShapes, type Model } from '../../src/network.ts';
import { reshape } from '../../src/ndarray.ts';
import { random } from '../../src/random.ts';
import { get, set, size, tensor, zeros, type Tensor } from '../../src/tensor.ts';
import { geometry } from '../../src/window.ts';
import { expectTensor } from '../close.ts';
import { goldenFile } from '../golden.ts';
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
    const { inputs } = goldenFile('conv2d.json').cases.find(({ id }) => id === 'conv2d/edge-vertical')!;
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
