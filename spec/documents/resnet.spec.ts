import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batches } from '../../src/data/images.ts';
import { initialize } from '../../src/initialize.ts';
import { implementations, type Layers } from '../../src/layers.ts';
import { toNCHW } from '../../src/layout.ts';
import { mnistNet, resnet18 } from '../../src/models/index.ts';
import {
  backward,
  forward,
  layersOf,
  parameterCount,
  parameterShapes,
  updateStatistics,
  type LayerStep,
  type Nodes,
  type ResidualStep,
  type Tape,
} from '../../src/network.ts';
import type { Statistics } from '../../src/naive/batchStatistics.ts';
import { add, div, map, mul, ones, reshape, sub, sum } from '../../src/ndarray.ts';
import { adam, optimizerState, sgd } from '../../src/optimizer.ts';
import { random } from '../../src/random.ts';
import { accumulate, get, getOr, size, tensor, zeros, type Tensor } from '../../src/tensor.ts';
import { train } from '../../src/train.ts';
import { geometry } from '../../src/window.ts';
import { eighths } from '../arbitraries.ts';
import { expectTensor } from '../close.ts';
import { answeredCases } from '../golden.ts';
import { exactSum, tabulate } from '../images.ts';
import { networkFixtures } from '../traces.ts';

// "ResNet-18 in NumPy": what the document says, and what is true. It prints nothing.

const { naive, vectorized } = implementations;
const documented = resnet18({ bias: true, dropout: 0.5 });
/** The same on few channels. */
const thin = resnet18({ input: [3, 32, 32], bias: true, dropout: 0.5, widths: [2, 3, 4, 5] });
const noise = (shape: readonly number[], seed: number) => map(zeros(shape), random(seed).normal);
/** How far `wrong` lies from `right`, as a share of `right`. */
const apart = (wrong: Tensor, right: Tensor) => Math.hypot(...sub(wrong, right).data) / Math.hypot(...right.data);

describe('its layers', () => {
  const weighted = layersOf(documented).filter(({ parameters }) => parameters?.w);

  it('18 have weights, from x to y, and three convolutions lie beside them', () => {
    const beside = weighted.filter(({ name }) => name.includes('downsample'));
    expect([weighted.length, beside.length]).toEqual([21, 3]);
    for (const { parameters } of beside) expect(parameters!.w.slice(2)).toEqual([1, 1]);
  });

  it('18 = 1 + 16 + 1: the stem, two convolutions in each of eight blocks, the linear layer', () => {
    const inBlocks = weighted.filter(({ name }) => /^layer\d\.\d\.conv\d$/.test(name));
    const blocks = new Set(inBlocks.map(({ name }) => name.slice(0, 'layer1.0'.length)));
    expect([inBlocks.length, blocks.size]).toEqual([16, 8]);
    const others = weighted.filter((node) => !inBlocks.includes(node) && !node.name.includes('downsample'));
    expect(others.map(({ layer, parameters }) => [layer, ...parameters!.w])).toEqual([
      ['conv2d', 64, 3, 7, 7],
      ['linear', 3, 512],
    ]);
  });

  it('there is no flatten: the mean of every channel makes (N, C, H, W) into (N, C), whatever the size of the image', () => {
    expect(layersOf(documented).some(({ layer }) => layer === 'flatten')).toBe(false);
    const thin = resnet18({ widths: [2, 3, 4, 5] });
    const parameters = initialize(thin, random(0));
    for (const [H, W] of [
      [32, 32],
      [40, 57],
      [64, 96],
    ])
      // prettier-ignore
      expect(forward(vectorized, thin, parameters, zeros([2, 3, H, W]), 'evaluation').y.shape).toEqual([2, 3]);
    const other = () =>
      forward(vectorized, mnistNet, initialize(mnistNet, random(0)), zeros([1, 1, 32, 32]), 'evaluation');
    expect(other).toThrow(/^linear: /); // with flatten, the size of the image is part of the model
  });
});

it('gather_params finds 42 tensors and leaves out the 40 of batch norm, which then do not learn', () => {
  const [norms, others] = [true, false].map((wanted) =>
    layersOf(documented)
      .filter(({ layer }) => (layer === 'batchNorm') === wanted)
      .flatMap(({ parameters = {} }) => Object.values(parameters)),
  );
  const count = (shapes: readonly (readonly number[])[]) => shapes.reduce((total, shape) => total + size(shape), 0);
  expect([others.length, count(others)]).toEqual([42, 11_173_251]);
  expect([norms.length, count(norms)]).toEqual([40, 9_600]);
  expect(Object.keys(parameterShapes(documented))).toHaveLength(82);
  expect(parameterCount(documented)).toBe(11_182_851);
});

it('relu comes after the sum, as in its code; its text has it before: ½ where it is 0', () => {
  const times = { 'block.conv.weight': tensor([[[[-2]]]]) };
  const body: Nodes = [{ name: 'conv', layer: 'conv2d', parameters: { w: [1, 1, 1, 1] }, zero: { b: [1] } }];
  const relu = { name: 'relu', layer: 'relu' } as const;
  const y = (nodes: Nodes) => forward(naive, { nodes }, times, tensor([[[[0.5]]]]), 'evaluation').y.data[0];
  expect(y([{ name: 'block', body, shortcut: [] }, relu])).toBe(0); // relu(−1 + ½)
  expect(y([{ name: 'block', body: [...body, relu], shortcut: [] }])).toBe(0.5); // relu(−1) + ½
});

it('the cost of a class that softmax makes 0 is not log(1e−12): 100, and not 27.63', () => {
  const { inputs, constants } = answeredCases('softmaxCrossEntropy').find(
    ({ id }) => id === 'softmaxCrossEntropy/hundred',
  )!;
  expect(naive.softmaxCrossEntropy(inputs.logits, constants!.labels).data[0]).toBe(100);
  const p = get(naive.softmax(inputs.logits), 0, get(constants!.labels, 0));
  expect(-Math.log(p + 1e-12)).toBeCloseTo(27.631021115928547, 12);
});

it('where the loss is 27.63 it is flat, and yet its backward returns −1 and 1', () => {
  const logits = tensor([[100, 0, 0]]);
  const coded = (raised: number) => {
    const moved = { ...logits, data: logits.data.with(1, raised) };
    return -Math.log(get(naive.softmax(moved), 0, 1) + 1e-12);
  };
  expect((coded(1e-3) - coded(-1e-3)) / 2e-3).toBe(0);
  const cost = (raised: number) => naive.softmaxCrossEntropy({ ...logits, data: logits.data.with(1, raised) }, tensor([1])); // prettier-ignore
  expect((cost(1 / 8).data[0] - cost(-1 / 8).data[0]) * 4).toBe(-1);
  expectTensor('dlogits', naive.softmaxCrossEntropyBackward(tensor(1), logits, tensor([1])).dlogits, tensor([[1, -1, 0]]), 1e-15); // prettier-ignore
});

describe('its convolution, np.sum(region * self.W[f]) of (k, k, C) and (C, k, k)', () => {
  /** At the one place of an image of k×k. */
  const coded = (region: Tensor, w: Tensor) => exactSum(mul(region, w).data);
  /** In eighths: x in NHWC is the region, w that of one filter. */
  const given = (C: number, k: number) => {
    const [region, w] = [noise([k, k, C], 1), noise([C, k, k], 2)].map((t) => map(t, (v) => Math.round(8 * v) / 8));
    const x = toNCHW(reshape(region, [1, k, k, C]));
    return { region, w, right: naive.conv2d(x, reshape(w, [1, C, k, k]), zeros([1])).data[0] };
  };

  it('is right of one channel and one row, (1, 1, 1)', () => {
    const { region, w, right } = given(1, 1);
    expect(coded(region, w)).toBe(right);
  });

  it.each([2, 3, 5, 7])(
    'of %i channels and as many rows it reads w as (F, KH, KW, C), and no gradient check objects',
    (k) => {
      const { region, w, right } = given(k, k);
      const asRead = toNCHW(reshape(w, [1, k, k, k]));
      expect(coded(region, w)).toBe(naive.conv2d(toNCHW(reshape(region, [1, k, k, k])), asRead, zeros([1])).data[0]);
      expect(Math.abs(coded(region, w) - right)).toBeGreaterThan(0.5);
      const moved = { ...w, data: w.data.map((v, i) => v + (i === 1 ? 1 / 8 : 0)) };
      expect((coded(region, moved) - coded(region, w)) * 8).toBe(region.data[1]); // its own dW[f] += region * grad
    },
  );

  it.each([
    [1, 3, 27],
    [3, 1, 9],
  ])(
    'of %i channels and %i rows NumPy repeats both: it adds up %i products, three times as many as there are',
    (C, k, products) => {
      const { region, w, right } = given(C, k);
      expect(mul(region, w).data).toHaveLength(products);
      expect(products).toBe(3 * size(w.shape));
      expect(Math.abs(coded(region, w) - right)).toBeGreaterThan(0.5);
    },
  );

  it.each([
    [3, 7, '(7, 7, 3) and (3, 7, 7)'],
    [64, 3, '(3, 3, 64) and (64, 3, 3)'],
    [2, 3, '(3, 3, 2) and (2, 3, 3)'],
  ])('of %i channels and %i rows they do not fit: %s', (C, k, shapes) => {
    const { region, w } = given(C, k);
    expect(() => coded(region, w)).toThrow(`zip: shapes ${shapes} do not broadcast`);
  });
});

describe('its equations of convolution', () => {
  /** ∂L/∂W = Σ ∂L/∂y[i, j]·x[i + m, j + n] and ∂L/∂x = Σ ∂L/∂y[i − m, j − n]·W[m, n], with indices from 0. */
  const literal = (dy: Tensor, x: Tensor, w: Tensor) => {
    const [dw, dx] = [zeros(w.shape), zeros(x.shape)];
    const each = (t: Tensor, f: (...index: number[]) => void) => void tabulate(t.shape, (...index) => (f(...index), 0));
    each(w, (f, c, m, n) => {
      each(dy, (b, o, i, j) => o === f && accumulate(dw, get(dy, b, o, i, j) * get(x, b, c, i + m, j + n), f, c, m, n));
      each(dx, (b, ch, i, j) => ch === c && accumulate(dx, getOr(0, dy, b, f, i - m, j - n) * get(w, f, c, m, n), b, c, i, j)); // prettier-ignore
    });
    return { dw, dx };
  };
  const images = fc.record({ x: eighths([2, 2, 5, 5]), w: eighths([3, 2, 3, 3]), dy: eighths([2, 3, 3, 3]) });

  it('are right for stride 1 without padding, with indices from 0', () => {
    fc.assert(
      fc.property(images, ({ x, w, dy }) => {
        const { dw, dx } = literal(dy, x, w);
        const right = naive.conv2dBackward(dy, x, w, zeros([3]));
        expectTensor('dw', dw, right.dw);
        expectTensor('dx', dx, right.dx);
      }),
      { numRuns: 20 },
    );
  });

  it('have no stride: with stride 2 dw and dx are others', () => {
    const [x, w, dy] = [noise([2, 2, 5, 5], 1), noise([3, 2, 3, 3], 2), noise([2, 3, 2, 2], 3)];
    const { dw, dx } = literal(dy, x, w);
    const right = naive.conv2dBackward(dy, x, w, zeros([3]), { stride: 2 });
    expect(apart(dw, right.dw)).toBeGreaterThan(0.5);
    expect(apart(dx, right.dx)).toBeGreaterThan(0.5);
  });

  it('count m and n from 1: read so, every place is the next one, down and right, and the last runs out of the image', () => {
    const [x, w] = [noise([1, 1, 3, 3], 1), noise([1, 1, 2, 2], 2)];
    const fromOne = (i: number, j: number) =>
      [1, 2].flatMap((m) => [1, 2].map((n) => get(w, 0, 0, m - 1, n - 1) * get(x, 0, 0, i + m, j + n))).reduce((a, b) => a + b); // prettier-ignore
    const y = naive.conv2d(x, w, zeros([1]));
    expect(fromOne(0, 0)).toBe(get(y, 0, 0, 1, 1));
    expect(() => fromOne(1, 1)).toThrow('index (0, 0, 2, 3) is outside shape (1, 1, 3, 3)');
  });
});

describe('its orders of axes: (N, H, W, C) here, (N, C, H, W) there', () => {
  it('a pool that is given 8×8 pixels of 64 channels pools over columns and channels: (1, 8, 4, 32), and no error', () => {
    const pixels = zeros([1, 8, 8, 64]);
    expect(naive.maxPool2d(pixels, { kernel: 2 }).shape).toEqual([1, 8, 4, 32]);
    expect(naive.maxPool2d(toNCHW(pixels), { kernel: 2 }).shape).toEqual([1, 64, 4, 4]);
  });

  it('a global pool of 7×7 pixels of 512 channels has 7 numbers instead of 512', () => {
    const pixels = zeros([2, 7, 7, 512]);
    expect(naive.globalAvgPool2d(pixels).shape).toEqual([2, 7]);
    expect(naive.globalAvgPool2d(toNCHW(pixels)).shape).toEqual([2, 512]);
  });

  it('a batch norm over the wrong axis is an error, unless both are of one size: then every number is another', () => {
    const of = (shape: readonly number[]) => naive.batchNorm(noise(shape, 1), ones([4]), zeros([4]));
    expect(() => of([2, 5, 5, 4])).toThrow('batchNorm: gamma has shape (4), expected (5)');
    const x = noise([2, 4, 5, 4], 1); // (N, C, H, W) with C = W
    const right = naive.batchNorm(x, ones([4]), zeros([4]));
    const asLast = naive.batchNorm(toNCHW(x), ones([4]), zeros([4]));
    expect(apart(asLast, toNCHW(right))).toBeGreaterThan(0.1); // measured: 0.26
  });
});

describe('its paddings', () => {
  it('a pool with padding 1 has ⌈n/2⌉ places, half of them and "same" only as Keras means it; without it, one less', () => {
    for (let n = 3; n <= 40; n++) {
      const places = (padding: number) => geometry('test', [n, n], [3, 3], { stride: 2, padding }).OH;
      expect(places(1)).toBe(Math.ceil(n / 2));
      expect(places(1) - places(0)).toBe(1);
    }
  });

  it('a shortcut with padding 1, which its Conv2D has unless told otherwise, does not fit the body', () => {
    const convolution = (name: string, k: number, padding: number) =>
      ({ name, layer: 'conv2d', parameters: { w: [1, 1, k, k] }, zero: { b: [1] }, options: { stride: 2, padding } }) as const; // prettier-ignore
    const weights = { 'block.conv.weight': ones([1, 1, 3, 3]), 'block.beside.weight': ones([1, 1, 1, 1]) };
    const y = (padding: number) => {
      const nodes = [
        { name: 'block', body: [convolution('conv', 3, 1)], shortcut: [convolution('beside', 1, padding)] },
      ];
      return forward(naive, { nodes }, weights, ones([1, 1, 8, 8]), 'evaluation').y;
    };
    expect(() => y(1)).toThrow('the shortcut of block has shape (1, 1, 5, 5), expected that of its body, (1, 1, 4, 4)');
    expect(y(0).shape).toEqual([1, 1, 4, 4]);
  });

  it('with stride 3 it can fit and still be wrong: the first row it reads is padding', () => {
    const x = ones([1, 1, 7, 7]);
    const beside = (padding: number) => naive.conv2d(x, ones([1, 1, 1, 1]), zeros([1]), { stride: 3, padding });
    expect(geometry('test', [7, 7], [3, 3], { stride: 3, padding: 1 }).OH).toBe(3);
    expect(beside(1)).toEqual(tensor([[[[0, 0, 0], [0, 1, 1], [0, 1, 1]]]])); // prettier-ignore
    expect(beside(0)).toEqual(ones([1, 1, 3, 3]));
  });
});

describe('one ReLU for both places of a block', () => {
  it.each([
    ['residual/identity', '0.49'],
    ['residual/projection', '1.27'],
  ])('%s: its mask is that of the second, and dx is %s of itself away; y is not touched', (id, error) => {
    const { nodes, golden } = networkFixtures.find(({ golden }) => golden.id === id)!;
    const { x, ...parameters } = golden.inputs;
    const { y, tape } = forward(naive, { nodes }, parameters, x, { training: random(0) });
    expect(apart(y, golden.y)).toBeLessThan(1e-12);
    const [block, last] = tape as [ResidualStep, LayerStep];
    const overwritten = (step: LayerStep) => (step.layer === 'relu' ? { ...step, given: last.given } : step);
    const body = (block.body as readonly LayerStep[]).map(overwritten);
    const wrong = (steps: Tape) => apart(backward(naive, steps, golden.dy).dx, golden.gradients.dx);
    expect(wrong(tape)).toBeLessThan(1e-12);
    expect(wrong([{ ...block, body }, last]).toFixed(2)).toBe(error);
  });
});

describe('its batch norm', () => {
  const perChannel = (t: Tensor) => reshape(t, [1, t.shape[0], 1, 1]);
  const times = (factor: number, t: Tensor) => map(t, (v) => factor * v);
  const inverse = (variance: Tensor, power: number) => perChannel(map(variance, (v) => (v + 1e-5) ** -power));
  /** The document's backward, of images (N, C, H, W), with the mean and the variance that the last training has left. */
  const coded = (dy: Tensor, x: Tensor, gamma: Tensor, { mean, variance }: Statistics) => {
    const [axes, M] = [[0, 2, 3], size(x.shape) / x.shape[1]];
    const centred = sub(x, perChannel(mean));
    const dxNorm = mul(dy, perChannel(gamma));
    const dvar = sum(mul(times(-0.5, mul(dxNorm, centred)), inverse(variance, 1.5)), axes);
    const throughMean = sum(mul(times(-1, dxNorm), inverse(variance, 0.5)), axes);
    const dmean = add(throughMean, times(1 / M, mul(dvar, sum(times(-2, centred), axes))));
    const throughVariance = times(2 / M, mul(dvar, centred));
    return add(add(mul(dxNorm, inverse(variance, 0.5)), throughVariance), times(1 / M, dmean));
  };
  const [x, dy] = [noise([2, 3, 4, 4], 1), noise([2, 3, 4, 4], 2)];
  const [gamma, beta] = [tensor([0.5, 1, 2]), zeros([3])];

  it('has the right dx after training, and after evaluation that of a batch that is not there', () => {
    const { dx } = naive.batchNormBackward(dy, x, gamma, beta);
    expectTensor('dx', coded(dy, x, gamma, naive.batchStatistics(x)), dx, 1e-14);
    const last = naive.batchStatistics(noise([2, 3, 4, 4], 3));
    const fresh = { mean: zeros([3]), variance: ones([3]) };
    const { mean, variance } = naive.updateRunning(fresh, last);
    const evaluated = naive.batchNormInferenceBackward(dy, x, gamma, beta, mean, variance).dx;
    expect(apart(coded(dy, x, gamma, last), evaluated)).toBeGreaterThan(0.1); // measured: 0.16
    const slope = mul(perChannel(gamma), inverse(variance, 0.5)); // γ / √(running_var + ε), and no more
    expectTensor('dx', evaluated, mul(dy, slope), 1e-14);
  });

  it('follows the biased variance: its increments are (M − 1)/M of those of PyTorch, M = N·H·W', () => {
    const fresh = { mean: zeros([3]), variance: zeros([3]) };
    const batch = naive.batchStatistics(x);
    const [biased, unbiased] = [false, true].map(
      (unbiased) => naive.updateRunning(fresh, batch, { unbiased }).variance,
    );
    expect(batch.count).toBe(32);
    expectTensor('share', div(biased, unbiased), tensor([31 / 32, 31 / 32, 31 / 32]), 1e-15);
  });

  it('of one value per channel is beta, whatever the image: a single one of 32×32 pixels always costs ln 3', () => {
    const spatial = (t: Tensor) => size(t.shape) / t.shape[1];
    const batchNorm: Layers['batchNorm'] = (x, gamma, beta, options) =>
      spatial(x) > 1 ? vectorized.batchNorm(x, gamma, beta, options) : reshape(beta, x.shape); // x − mean is 0
    const parameters = initialize(thin, random(1));
    const costs = [1, 2, 3].map((seed) => {
      const mode = { training: random(seed) };
      const { y } = forward({ ...vectorized, batchNorm }, thin, parameters, noise([1, 3, 32, 32], seed), mode);
      return naive.softmaxCrossEntropy(y, tensor([seed - 1])).data[0];
    });
    expect(costs).toEqual([Math.log(3), Math.log(3), Math.log(3)]);
  });
});

describe('its evaluate', () => {
  it('runs in training mode: two passes over the same images differ, and move the running statistics', () => {
    const parameters = initialize(thin, random(1));
    const [x, stream] = [noise([4, 3, 32, 32], 2), random(3)];
    const training = () => forward(vectorized, thin, parameters, x, { training: stream });
    const evaluation = () => forward(vectorized, thin, parameters, x, 'evaluation').y;
    const [once, twice] = [training(), training()];
    expect(twice.y).not.toEqual(once.y);
    expect(evaluation()).toEqual(evaluation());
    const before = evaluation();
    updateStatistics(vectorized, once.tape, parameters); // as its forward does
    expect(apart(evaluation(), before)).toBeGreaterThan(0.1); // measured: 0.54
  });

  it('and leaves its masks behind: a backward through dropout after it stops where the last training did', () => {
    const nodes: Nodes = [{ name: 'dropout', layer: 'dropout', options: { p: 0.5 } }];
    const [x, dy] = [ones([10, 20]), ones([10, 20])];
    const trained = forward(naive, { nodes }, {}, x, { training: random(1) });
    const stale = backward(naive, trained.tape, dy).dx; // what the document's backward returns
    const stopped = stale.data.filter((v) => v === 0).length;
    expect(Math.abs(stopped / 200 - 0.5)).toBeLessThan(0.15);
    expect(backward(naive, forward(naive, { nodes }, {}, x, 'evaluation').tape, dy).dx).toEqual(dy);
  });
});

it('x · mask: NaN where −∞ should be 0, −0 where a number is negative, 0 · 0 / 0 where dropout leaves out all', () => {
  const coded = (x: number) => x * (x > 0 ? 1 : 0);
  expect([-Infinity, -1].map(coded)).toEqual([NaN, -0]);
  expect([...naive.relu(tensor([-Infinity, -1])).data]).toEqual([0, 0]);
  expect((1 * 0) / (1 - 1)).toBeNaN();
  expect([...naive.dropout(tensor([[1]]), tensor([[0]]), { p: 1 }).data]).toEqual([0]);
});

describe('its training', () => {
  const gradient = { w: tensor([0.5, -0.25]) };
  const start = () => ({ w: tensor([1, 1]) });

  it('a layer that steps, and an optimizer that steps too: twice the rate; with Adam, both at once', () => {
    const [both, once] = [start(), start()];
    for (const _ of [1, 2]) sgd(both, gradient, optimizerState(), { rate: 0.125 });
    sgd(once, gradient, optimizerState(), { rate: 0.25 });
    expect(both).toEqual(once);
    const [mixed, alone] = [start(), start()];
    sgd(mixed, gradient, optimizerState(), { rate: 0.125 });
    for (const parameters of [mixed, alone]) adam(parameters, gradient, optimizerState(), { rate: 0.125 });
    expectTensor('w', sub(mixed.w, alone.w), map(gradient.w, (g) => -0.125 * g), 1e-15); // prettier-ignore
  });

  it('an optimizer that looks for the gradient where it is not: nothing moves there, an error here', () => {
    const parameters = start();
    const elsewhere = { dW: gradient.w }; // hasattr(param, 'grad') is False
    expect(() => sgd(parameters, elsewhere, optimizerState())).toThrow(
      new RangeError('sgd: there is no gradient of w, expected one for every parameter'),
    );
    sgd(parameters, gradient, optimizerState(), { rate: 0.125 });
    expect(parameters).toEqual({ w: tensor([0.9375, 1.03125]) });
  });

  it('a generator of batches is empty in the second epoch; train makes a new one for each', () => {
    const images = { shape: [1, 2, 2], pixels: new Uint8Array(40), labels: new Uint8Array(10) };
    const loader = batches(images, 4);
    expect([[...loader].length, [...loader].length]).toEqual([3, 0]); // total_loss / 0
    const model = { name: 'linear', input: [1, 2, 2], nodes: [{ name: 'flatten', layer: 'flatten' }, { name: 'fc', layer: 'linear', parameters: { w: [2, 4], b: [2] } }] } as const; // prettier-ignore
    const options = { epochs: 2, batch: 4, rate: 0.1, seed: 0 };
    const steps = train(naive, model, initialize(model, random(0)), images, options);
    expect(Array.from(steps, ({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2]);
  });

  it('4,800 of its parameters are biases before a batch norm: 11,178,051 would do', () => {
    const biases = layersOf(documented).flatMap(({ layer, parameters: { b } = {} }) => (layer === 'conv2d' ? b! : []));
    expect([biases.length, exactSum(biases)]).toEqual([20, 4_800]);
    expect(parameterCount(documented) - 4_800).toBe(parameterCount(resnet18()));
  });

  it('gradients in the type of x: of integers, half a gradient is 0', () => {
    const x = tensor([[[[3, 1], [2, 0]]]]); // prettier-ignore
    const half = tensor([[[[0.5]]]]);
    expect(new Int32Array(1).map(() => half.data[0])[0]).toBe(0); // np.zeros_like(int) += 0.5
    expect([...naive.maxPool2dBackward(half, x, { kernel: 2 }).dx.data]).toEqual([0.5, 0, 0, 0]);
  });
});
