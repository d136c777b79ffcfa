import fc from 'fast-check';
import { expect } from 'vitest';
import { initialize } from '../src/initialize.ts';
import type { Layers } from '../src/layers.ts';
import { map, ones } from '../src/ndarray.ts';
import type { LayerStep, Mode, Model, Nodes, Parameters } from '../src/network.ts';
import * as real from '../src/network.ts';
import { random } from '../src/random.ts';
import { tensor, zeros } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';
import { dot, expectSameBits, expectTensor, expectTensors } from './close.ts';
import { float64Implementations } from './law.ts';
import { expectNetwork, networkFixtures } from './traces.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('network', real, (network, { describe, it }) => {
  it.each(functionFixtures('network'))('golden: $title', (golden) => expectFunction(network, golden));

  const {
    backward,
    forward,
    initialStatistics,
    layersOf,
    lossAndGradients,
    parameterCount,
    parameterShapes,
    predictions,
    stepsOf,
    updateStatistics,
  } = network;
  /** Two layers that learn, and a pool between them, every size distinct, for the chain rule at random. */
  const small: Model = {
    name: 'small',
    input: [2, 6, 7],
    nodes: [
      { name: 'conv1', layer: 'conv2d', parameters: { w: [3, 2, 2, 3], b: [3] }, options: { stride: [1, 2] } },
      { name: 'pool1', layer: 'maxPool2d', options: { kernel: [3, 2], stride: 1 } },
      { name: 'flatten', layer: 'flatten' },
      { name: 'fc1', layer: 'linear', parameters: { w: [4, 18], b: [4] } },
    ],
  };
  const smallCase = fc.record({
    x: eighths([2, ...small.input]),
    parameters: fc.record(Object.fromEntries(Object.entries(parameterShapes(small)).map(([k, s]) => [k, eighths(s)]))),
    dlogits: eighths([2, 4]),
  });

  /** A block whose branches both learn, exact on eighths; the convolution of its shortcut has no bias. */
  const block = {
    name: 'block',
    body: [{ name: 'conv1', layer: 'conv2d', parameters: { w: [2, 2, 3, 3], b: [2] }, options: { padding: 1 } }],
    shortcut: [{ name: 'downsample.0', layer: 'conv2d', parameters: { w: [2, 2, 1, 1] }, zero: { b: [2] } }],
  } as const;
  const blockCase = fc.record({
    x: eighths([2, 2, 3, 4]),
    parameters: fc.record({
      'block.conv1.weight': eighths([2, 2, 3, 3]),
      'block.conv1.bias': eighths([2]),
      'block.downsample.0.weight': eighths([2, 2, 1, 1]),
    }),
    dlogits: eighths([2, 2, 3, 4]),
  });

  /** A block with a relu in its body and one after the sum. */
  const withRelus: Model = {
    name: 'withRelus',
    input: [2, 3, 3],
    nodes: [
      {
        name: 'block',
        body: [
          { name: 'conv1', layer: 'conv2d', parameters: { w: [2, 2, 1, 1], b: [2] } },
          { name: 'relu', layer: 'relu' },
          { name: 'conv2', layer: 'conv2d', parameters: { w: [2, 2, 1, 1], b: [2] } },
        ],
        shortcut: [],
      },
      { name: 'relu', layer: 'relu' },
      { name: 'flatten', layer: 'flatten' },
      { name: 'fc1', layer: 'linear', parameters: { w: [3, 18], b: [3] } },
    ],
  };

  /** Batch norm and dropout of both kinds. */
  const withState: Model = {
    name: 'withState',
    input: [2, 3, 3],
    nodes: [
      { name: 'conv1', layer: 'conv2d', parameters: { w: [4, 2, 3, 3], b: [4] }, options: { padding: 1, stride: 2 } },
      { name: 'bn1', layer: 'batchNorm', parameters: { gamma: [4], beta: [4] } },
      { name: 'dropout1', layer: 'dropout', options: { p: 0.5 }, wholeChannels: true },
      { name: 'flatten', layer: 'flatten' },
      {
        name: 'bn2',
        layer: 'batchNorm',
        parameters: { gamma: [16], beta: [16] },
        running: { decay: 0.75, unbiased: true },
      },
      { name: 'dropout2', layer: 'dropout', options: { p: 0.5 } },
      { name: 'fc1', layer: 'linear', parameters: { w: [3, 16], b: [3] } },
    ],
  };

  describe.each(float64Implementations)('%s', (_, layers: Layers) => {
    it.each(networkFixtures)('golden: $golden.title', (fixture) => expectNetwork(network, layers, fixture));

    it('the chain rule: moving a parameter of the last layer along its gradient g changes ⟨logits, dlogits⟩ by ‖g‖²', () => {
      fc.assert(
        fc.property(smallCase, ({ x, parameters, dlogits }) => {
          const { y, tape } = forward(layers, small, parameters, x, 'evaluation');
          const { gradients } = backward(layers, tape, dlogits);
          for (const name of ['fc1.weight', 'fc1.bias']) {
            const gradient = gradients[name];
            const data = parameters[name].data.map((value, i) => value + gradient.data[i]);
            const changed = { ...parameters, [name]: { shape: gradient.shape, data } };
            const moved = forward(layers, small, changed, x, 'evaluation');
            const rise = dot(moved.y, dlogits).data[0] - dot(y, dlogits).data[0];
            expect(rise).toBe(dot(gradient, gradient).data[0]);
          }
        }),
      );
    });

    it('Σ parameter · gradient of a layer = ⟨x, dx⟩ of the layers behind it, when there is no bias', () => {
      fc.assert(
        fc.property(smallCase, ({ x, parameters, dlogits }) => {
          const unbiased = { ...parameters, 'conv1.bias': zeros([3]), 'fc1.bias': zeros([4]) };
          const { y, tape } = forward(layers, small, unbiased, x, 'evaluation');
          const { dx, gradients } = backward(layers, tape, dlogits);
          const value = dot(y, dlogits);
          expectTensor('⟨w₂, dw₂⟩', dot(parameters['fc1.weight'], gradients['fc1.weight']), value);
          expectTensor('⟨w₁, dw₁⟩', dot(parameters['conv1.weight'], gradients['conv1.weight']), value);
          expectTensor('⟨x, dx⟩', dot(x, dx), value);
        }),
      );
    });

    describe('residual blocks', () => {
      it('y = body(x) + shortcut(x); an identity block whose body is 0 gives x', () => {
        fc.assert(
          fc.property(blockCase, ({ x, parameters }) => {
            const alone = (nodes: Nodes) => forward(layers, { nodes }, parameters, x, 'evaluation', 'block.').y;
            const sum = map(alone(block.body), (value) => value);
            alone(block.shortcut).data.forEach((value, i) => (sum.data[i] += value));
            expectTensor('y', forward(layers, { nodes: [block] }, parameters, x, 'evaluation').y, sum);
            const silent = { ...parameters, 'block.conv1.weight': zeros([2, 2, 3, 3]), 'block.conv1.bias': zeros([2]) };
            const identity = { ...block, shortcut: [] };
            expectTensor('y', forward(layers, { nodes: [identity] }, silent, x, 'evaluation').y, x);
          }),
        );
      });

      it('the steps of a tape are those of the layers, in their order', () => {
        const nodes: Nodes = [{ name: 'relu', layer: 'relu' }, block, { name: 'flatten', layer: 'flatten' }];
        const parameters = Object.fromEntries(
          Object.entries(parameterShapes({ ...small, nodes })).map(([name, shape]) => [name, zeros(shape)]),
        );
        const { tape } = forward(layers, { nodes }, parameters, zeros([2, 2, 3, 4]), 'evaluation');
        expect(stepsOf(tape).map(({ node }) => node)).toEqual(layersOf({ nodes }));
      });

      it('dx is that of the body plus that of the shortcut, and both have their gradients', () => {
        fc.assert(
          fc.property(blockCase, ({ x, parameters, dlogits }) => {
            const alone = (nodes: Nodes) =>
              backward(layers, forward(layers, { nodes }, parameters, x, 'evaluation', 'block.').tape, dlogits);
            const { tape } = forward(layers, { nodes: [block] }, parameters, x, 'evaluation');
            const { dx, gradients } = backward(layers, tape, dlogits);
            const [body, shortcut] = [alone(block.body), alone(block.shortcut)];
            expectTensor('dx', dx, { shape: x.shape, data: body.dx.data.map((v, i) => v + shortcut.dx.data[i]) });
            expectTensors(gradients, { ...body.gradients, ...shortcut.gradients });
          }),
        );
      });

      it('golden: its identity block with zero convolutions and beta₂ = 0 is relu of its input', () => {
        fc.assert(
          fc.property(eighths([2, 2, 3, 4]), (x) => {
            const { nodes, golden } = networkFixtures.find(({ golden: { id } }) => id === 'residual/identity')!;
            const parameters = Object.fromEntries(
              Object.entries(golden.inputs).map(([name, value]) =>
                /conv\d.weight|bn2.bias/.test(name) ? [name, zeros(value.shape)] : [name, value],
              ),
            );
            expectTensor('y', forward(layers, { nodes }, parameters, x, { training: random(0) }).y, layers.relu(x));
          }),
        );
      });

      it('error: two layers of one name, in a sequence or in the two branches of a block', () => {
        const relu = { name: 'relu', layer: 'relu' } as const;
        for (const [nodes, name] of [
          [[relu, relu], 'relu'],
          [[{ name: 'block', body: [relu], shortcut: [relu] }], 'block.relu'],
        ] as const)
          expect(() => layersOf({ nodes })).toThrow(
            new RangeError(`network: two layers are called ${name}, expected a name of its own for each`),
          );
      });

      it('error: branches of different shapes', () => {
        const nodes: Nodes = [{ name: 'layer1.0', body: [], shortcut: [{ name: 'flatten', layer: 'flatten' }] }];
        expect(() => forward(layers, { nodes }, {}, zeros([2, 1, 3, 4]), 'evaluation')).toThrow(
          new RangeError(
            'network: the shortcut of layer1.0 has shape (2, 12), expected that of its body, (2, 1, 3, 4)',
          ),
        );
      });
    });

    describe('training and evaluation', () => {
      const noise = random(3);
      const x = map(zeros([6, 2, 3, 3]), noise.normal);
      const state = () => initialize(withState, random(1));
      const calls = (tape: ReturnType<typeof forward>['tape']) => stepsOf(tape).map(({ layer }) => layer);

      it('training draws masks and takes the statistics of the batch; evaluation leaves out and takes the running ones', () => {
        const training = forward(layers, withState, state(), x, { training: random(2) });
        expect(calls(training.tape)).toEqual([
          'conv2d',
          'batchNorm',
          'dropout',
          'flatten',
          'batchNorm',
          'dropout',
          'linear',
        ]);
        const evaluation = forward(layers, withState, state(), x, 'evaluation');
        expect(calls(evaluation.tape)).toEqual([
          'conv2d',
          'batchNormInference',
          'flatten',
          'batchNormInference',
          'linear',
        ]);
      });

      it('the layers of a block are in the mode of the whole', () => {
        const body: Nodes = [
          { name: 'bn', layer: 'batchNorm', parameters: { gamma: [2], beta: [2] } },
          { name: 'dropout', layer: 'dropout' },
        ];
        const model: Model = { ...withState, nodes: [{ name: 'block', body, shortcut: [] }] };
        const run = (mode: Mode) => calls(forward(layers, model, initialize(model, random(1)), x, mode).tape);
        expect(run({ training: random(2) })).toEqual(['batchNorm', 'dropout']);
        expect(run('evaluation')).toEqual(['batchNormInference']);
      });

      it('a dropout of whole channels has one mask for each, the other one for each number', () => {
        const { tape } = forward(layers, withState, state(), x, { training: random(2) });
        const masks = stepsOf(tape)
          .filter(({ layer }) => layer === 'dropout')
          .map(({ given }) => given[1]);
        expect(masks.map(({ shape }) => shape)).toEqual([
          [6, 4, 1, 1],
          [6, 16],
        ]);
        expectTensor('y', stepsOf(tape)[2].y, layers.dropout(stepsOf(tape)[1].y, masks[0], { p: 0.5 }));
      });

      it('backward uses the masks of forward', () => {
        const { tape } = forward(layers, withState, state(), x, { training: random(2) });
        const { gradients } = backward(layers, tape, ones([6, 3]));
        const [, , , , , dropped] = stepsOf(tape);
        const nothing = Array.from({ length: 16 }, (_, d) => d).filter((d) =>
          [...Array(6).keys()].every((n) => dropped.y.data[n * 16 + d] === 0),
        );
        const silent = gradients['bn2.bias'].data.reduce((count, value) => count + (value === 0 ? 1 : 0), 0);
        expect(silent).toBe(nothing.length);
      });

      it('masks come from the random numbers given: the same again, others from others, others in the next step', () => {
        const stream = random(2);
        const run = (from = stream) => forward(layers, withState, state(), x, { training: from }).y;
        const [first, second] = [run(), run()];
        expectSameBits('y', run(random(2)), first);
        expect(second).not.toEqual(first);
        expect(run(random(4))).not.toEqual(first);
      });

      it('without options p is ½, and every number is left out by itself', () => {
        const model: Model = { ...withState, nodes: [{ name: 'dropout1', layer: 'dropout' }] };
        const { y, tape } = forward(layers, model, {}, ones([6, 5, 4, 3]), { training: random(2) });
        expect(stepsOf(tape)[0].given[1].shape).toEqual([6, 5, 4, 3]);
        expect(new Set(y.data)).toEqual(new Set([0, 2]));
        const left = y.data.filter((value) => value === 0).length;
        expect(Math.abs(left - 180)).toBeLessThan(5 * Math.sqrt(90)); // of 360: five standard errors
      });

      it('one mask for every image of a batch, not one for all', () => {
        const model: Model = { ...withState, nodes: [{ name: 'dropout1', layer: 'dropout', options: { p: 0.5 } }] };
        const { y } = forward(layers, model, {}, ones([6, 40]), { training: random(2) });
        const rows = new Set(Array.from({ length: 6 }, (_, n) => `${y.data.slice(40 * n, 40 * (n + 1))}`));
        expect(rows.size).toBe(6);
      });

      it.each([
        ['in training', withState, () => ({ training: random(2) })],
        ['in evaluation', withState, () => 'evaluation' as const],
        ['of a block with two relus', withRelus, () => 'evaluation' as const],
      ])('every gradient is the slope of the mean loss: %s', (_, model, mode) => {
        const [parameters, labels] = [initialize(model, random(1)), tensor([0, 2, 1, 1, 0, 2])];
        const run = () => lossAndGradients(layers, model, parameters, x, labels, mode());
        const { gradients } = run();
        expect(Object.keys(gradients).sort()).toEqual(Object.keys(parameterShapes(model)).sort());
        for (const [name, gradient] of Object.entries(gradients)) {
          const { data } = parameters[name];
          const at = (i: number, value: number) => {
            const before = data[i];
            data[i] = value;
            const { loss } = run();
            data[i] = before;
            return loss;
          };
          const h = 2 ** -17;
          const slope = data.map((value, i) => (at(i, value + h) - at(i, value - h)) / (2 * h));
          // h² times a third derivative of up to some tens, and 2⁻⁵³ / h
          expectTensor(name, gradient, { shape: gradient.shape, data: slope }, 1e-8);
        }
      });

      it('updateStatistics after evaluation changes nothing', () => {
        const parameters = state();
        const before = structuredClone(parameters);
        updateStatistics(layers, forward(layers, withState, parameters, x, 'evaluation').tape, parameters);
        expect(parameters).toEqual(before);
      });

      it.each([undefined, 'training', 'eval', {}, null])('error: mode %j', (mode) => {
        expect(() => forward(layers, withState, state(), x, mode as never)).toThrow(
          new RangeError(`network: mode is ${JSON.stringify(mode)}, expected 'evaluation' or { training: Random }`),
        );
      });

      it('neither changes anything; evaluation gives the same twice, entry by entry', () => {
        const parameters = state();
        const before = structuredClone(parameters);
        forward(layers, withState, parameters, x, { training: random(2) });
        const { y } = forward(layers, withState, parameters, x, 'evaluation');
        lossAndGradients(layers, withState, parameters, x, zeros([6]), { training: random(2) });
        expect(parameters).toEqual(before);
        const alone = { shape: [1, 2, 3, 3], data: x.data.slice(0, 18) };
        const first = forward(layers, withState, parameters, alone, 'evaluation').y;
        expectTensor('y', first, { shape: [1, 3], data: y.data.slice(0, 3) }, 2 ** -48); // another order of summation
      });

      it('updateStatistics writes the running statistics in place, each by the rule of its node, and nothing else', () => {
        const parameters = state();
        const before = structuredClone(parameters);
        const { tape } = forward(layers, withState, parameters, x, { training: random(2) });
        updateStatistics(layers, tape, parameters);
        const inputs = stepsOf(tape).flatMap(({ layer, given }: LayerStep) =>
          layer === 'batchNorm' ? [given[0]] : [],
        );
        const rules = [{}, { decay: 0.75, unbiased: true }];
        ['bn1', 'bn2'].forEach((name, i) => {
          const old = { mean: before[`${name}.running_mean`], variance: before[`${name}.running_var`] };
          const { mean, variance } = layers.updateRunning(old, layers.batchStatistics(inputs[i]), rules[i]);
          expectSameBits('mean', parameters[`${name}.running_mean`], mean);
          expectSameBits('variance', parameters[`${name}.running_var`], variance);
          expect(mean).not.toEqual(old.mean);
        });
        const learned = (all: Parameters) =>
          Object.fromEntries(Object.keys(parameterShapes(withState)).map((k) => [k, all[k]]));
        expect(learned(parameters)).toEqual(learned(before));
      });
    });
  });

  it('a model learns as many numbers as its parameters have', () => {
    expect(parameterCount(small)).toBe(3 * 2 * 2 * 3 + 3 + 4 * 18 + 4);
    expect(parameterCount(withState)).toBe(4 * 2 * 3 * 3 + 4 + 2 * 4 + 2 * 16 + 3 * 16 + 3);
  });

  it('running statistics start with mean 0 and variance 1, under the names of PyTorch', () => {
    expect(initialStatistics(withState)).toEqual({
      'bn1.running_mean': zeros([4]),
      'bn1.running_var': ones([4]),
      'bn2.running_mean': zeros([16]),
      'bn2.running_var': ones([16]),
    });
  });

  it('the layers of a block have its name before theirs', () => {
    const inner: Nodes = [{ name: 'inner', body: block.body, shortcut: [] }];
    const nested: Nodes = [{ name: 'outer', body: inner, shortcut: block.shortcut }];
    expect(layersOf({ nodes: nested }).map(({ name }) => name)).toEqual(['outer.inner.conv1', 'outer.downsample.0']);
    expect(Object.keys(parameterShapes({ name: '', input: [], nodes: nested }))).toEqual([
      'outer.inner.conv1.weight',
      'outer.inner.conv1.bias',
      'outer.downsample.0.weight',
    ]);
  });

  it('the prediction is the first of the largest logits', () => {
    expect(
      predictions(
        tensor([
          [1, 3, 2],
          [5, 5, 4],
          [-2, -1, -1],
        ]),
      ),
    ).toEqual([1, 0, 1]);
  });
});
