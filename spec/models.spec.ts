import { expect } from 'vitest';
import { initialize } from '../src/initialize.ts';
import { implementations } from '../src/layers.ts';
import * as real from '../src/models/index.ts';
import { forward, layersOf, parameterCount, parameterShapes, type Model, type Nodes } from '../src/network.ts';
import { random } from '../src/random.ts';
import { size, zeros } from '../src/tensor.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('models', real, (models, { describe, it }) => {
  it.each(functionFixtures('models'))('golden: $title', (golden) => expectFunction(models, golden));

  const { vectorized } = implementations;
  const { cifar10Net, digitModels, lenet5, page3, resnet18, tanhAvg } = models;
  const documented = resnet18({ bias: true, dropout: 0.5, running: {} });

  /** What flows through a model, as '8×26×26'; where nothing changes the shape it is said once. */
  function shapesOf(model: Model): string[] {
    const { tape } = forward(vectorized, model, initialize(model, random(1)), zeros([1, ...model.input]), 'evaluation');
    const all = [model.input, ...tape.map(({ y }) => y.shape.slice(1))].map((shape) => shape.join('×'));
    return all.filter((shape, i) => shape !== all[i - 1]);
  }

  it.each<[Model, number]>([
    // "CNN from scratch with NumPy": "~109k", "~28k", and the net it trains, whose count it does not give
    [models.dense, 109_386],
    [models.page3TwoConv, 27_562],
    [models.page3, 87_322],
    // the others, from their architectures (inventory F-18)
    [tanhAvg, 111_014],
    [lenet5(), 61_706],
    [lenet5({ original: true }), 61_706],
    [models.mnistNet, 421_642],
    [models.cnnWithBn, 804_874],
    [cifar10Net, 2_360_906],
    [documented, 11_182_851],
    [resnet18(), 11_178_051], // torchvision's
    [resnet18({ classes: 1000 }), 11_689_512],
  ])('$name: the number of parameters', (model, count) => {
    expect(parameterCount(model)).toBe(count);
  });

  it('the convolutions of "ResNet-18 in NumPy" have 4,800 biases, its batch norms 9,600 parameters', () => {
    const kinds = { conv: 0, bias: 0, norm: 0, fc: 0 };
    for (const { layer, parameters = {} } of layersOf(documented)) {
      const count = (name: string) => size(parameters[name] ?? [0]);
      if (layer === 'conv2d') [kinds.conv, kinds.bias] = [kinds.conv + count('w'), kinds.bias + count('b')];
      if (layer === 'batchNorm') kinds.norm += count('gamma') + count('beta');
      if (layer === 'linear') kinds.fc += count('w') + count('b');
    }
    expect(kinds).toEqual({ conv: 11_166_912, bias: 4_800, norm: 9_600, fc: 1_539 });
  });

  it('the names of parameters are those of PyTorch', () => {
    expect(parameterShapes(page3)).toEqual({
      'conv1.weight': [8, 1, 3, 3],
      'conv1.bias': [8],
      'fc1.weight': [64, 1352],
      'fc1.bias': [64],
      'fc2.weight': [10, 64],
      'fc2.bias': [10],
    });
    const names = Object.keys(parameterShapes(resnet18()));
    expect(names).toHaveLength(62); // torchvision's state_dict less its buffers
    expect(names.slice(0, 5)).toEqual([
      'conv1.weight',
      'bn1.weight',
      'bn1.bias',
      'layer1.0.conv1.weight',
      'layer1.0.bn1.weight',
    ]);
    expect(names).toContain('layer2.0.downsample.0.weight');
    expect(names).toContain('layer4.1.bn2.bias');
    expect(names).not.toContain('layer1.0.downsample.0.weight');
    expect(Object.keys(parameterShapes(cifar10Net)).filter((name) => name.endsWith('weight'))).toEqual(
      [0, 1, 3, 4, 7, 8, 10, 11]
        .map((i) => `features.${i}.weight`)
        .concat('classifier.1.weight', 'classifier.4.weight'),
    );
  });

  /** A model as one line of layers: 'conv2d padding=1, relu, …'; a block as [body | shortcut]. */
  function architecture(nodes: Nodes): string {
    const line = (node: Nodes[number]): string => {
      if (!('layer' in node)) return `[${architecture(node.body)} | ${architecture(node.shortcut) || 'x'}]`;
      const { layer, parameters = {}, options = {}, running = {}, wholeChannels } = node;
      const facts = Object.entries({ ...options, ...running, ...(wholeChannels && { wholeChannels }) });
      const size = layer === 'conv2d' ? ` ${parameters.w.slice(2).join('×')}` : '';
      return `${layer}${size}${facts.map(([name, value]) => ` ${name}=${value}`).join('')}`;
    };
    return nodes.map(line).join(', ');
  }

  describe('layers and their options, as the documents have them', () => {
    const pool = 'maxPool2d kernel=2';
    const conv = (activation: string) => `conv2d 3×3 padding=1, batchNorm unbiased=true, ${activation}`;
    it.each<[Model, string]>([
      [models.dense, 'flatten, linear, relu, linear, relu, linear'],
      [page3, `conv2d 3×3, relu, ${pool}, flatten, linear, relu, linear`],
      [models.page3TwoConv, `conv2d 3×3, relu, ${pool}, conv2d 3×3, relu, ${pool}, flatten, linear, relu, linear`],
      [tanhAvg, 'conv2d 3×3, tanh, avgPool2d kernel=3 stride=1, flatten, linear, tanh, linear'],
      [
        lenet5(),
        `conv2d 5×5 padding=2, relu, ${pool}, conv2d 5×5, relu, ${pool}, flatten, linear, relu, linear, relu, linear`,
      ],
      [
        lenet5({ original: true }),
        'conv2d 5×5 padding=2, tanh, avgPool2d kernel=2, conv2d 5×5, tanh, avgPool2d kernel=2, flatten, ' +
          'linear, tanh, linear, tanh, linear',
      ],
      [
        models.mnistNet,
        `conv2d 3×3 padding=1, relu, ${pool}, conv2d 3×3 padding=1, relu, ${pool}, flatten, linear, relu, linear`,
      ],
      [
        models.cnnWithBn,
        `${conv('relu')}, ${pool}, dropout p=0.25 wholeChannels=true, flatten, linear, batchNorm unbiased=true, relu, linear`,
      ],
      [
        cifar10Net,
        [conv('relu'), conv('relu'), pool, conv('relu'), conv('relu'), pool].join(', ') +
          ', flatten, dropout p=0.5, linear, relu, dropout p=0.5, linear',
      ],
    ])('$name', ({ nodes }, expected) => expect(architecture(nodes)).toBe(expected));

    it.each([
      ['resnet18 as torchvision has it', resnet18(), ' unbiased=true', ''],
      ['resnet18 as its document has it', documented, '', 'dropout p=0.5, '],
    ])('%s', (_, { nodes }, running, dropout) => {
      const bn = `batchNorm${running}`;
      const block = (stride: number) => {
        const body = `conv2d 3×3 stride=${stride} padding=1, ${bn}, relu, conv2d 3×3 stride=1 padding=1, ${bn}`;
        const shortcut = stride === 1 ? 'x' : `conv2d 1×1 stride=${stride} padding=0, ${bn}`;
        return `[${body} | ${shortcut}], relu`;
      };
      const stem = `conv2d 7×7 stride=2 padding=3, ${bn}, relu, maxPool2d kernel=3 stride=2 padding=1`;
      const stages = [1, 1, 2, 1, 2, 1, 2, 1].map(block).join(', ');
      expect(architecture(nodes)).toBe(`${stem}, ${stages}, globalAvgPool2d, ${dropout}linear`);
    });

    it('pixels are normalised, and weights start, as their documents have it', () => {
      const starts = [...Object.values(digitModels), cifar10Net, resnet18()].map(
        ({ name, normalize, initialization }) => [
          name,
          normalize && `${normalize.mean} ${normalize.std}`,
          initialization ?? 'heNormal',
        ],
      );
      const mnist = '0.1307 0.3081';
      expect(starts).toEqual([
        ['dense', undefined, 'heNormal'],
        ['page3', undefined, 'heNormal'],
        ['page3TwoConv', undefined, 'heNormal'],
        ['tanhAvg', undefined, 'fanInUniform'],
        ['lenet5', mnist, 'fanInUniform'],
        ['lenet5-1998', mnist, 'fanInUniform'],
        ['mnistNet', mnist, 'fanInUniform'],
        ['cnnWithBn', mnist, 'fanInUniform'],
        ['cifar10Net', undefined, 'fanInUniform'],
        ['resnet18', undefined, 'heNormal'],
      ]);
    });

    it.each<[string, () => unknown]>([
      [
        'resnet18: there is no option bais, expected classes, input, bias, dropout, running, widths',
        () => resnet18({ bais: true } as never),
      ],
      ['resnet18: classes is 2.5, expected an integer ≥ 1', () => resnet18({ classes: 2.5 })],
      ['resnet18: bias is "no", expected true or false', () => resnet18({ bias: 'no' as never })],
      ['resnet18: dropout is -1, expected a number from 0 to 1', () => resnet18({ dropout: -1 })],
      ['resnet18: widths is [4,4], expected 4 sizes', () => resnet18({ widths: [4, 4] as never })],
      ['resnet18: input[1] is 0, expected an integer ≥ 1', () => resnet18({ input: [3, 0, 32] })],
      ['lenet5: there is no option orginal, expected original', () => lenet5({ orginal: true } as never)],
    ])('error: %s', (message, attempt) => expect(attempt).toThrow(new RangeError(message)));
  });

  describe('shapes, layer by layer', () => {
    it.each<[Model, string]>([
      [page3, '1×28×28 8×26×26 8×13×13 1352 64 10'],
      [models.page3TwoConv, '1×28×28 8×26×26 8×13×13 16×11×11 16×5×5 400 64 10'],
      [tanhAvg, '1×28×28 6×26×26 6×24×24 3456 32 10'],
      [lenet5(), '1×28×28 6×28×28 6×14×14 16×10×10 16×5×5 400 120 84 10'],
      [lenet5({ original: true }), '1×28×28 6×28×28 6×14×14 16×10×10 16×5×5 400 120 84 10'],
      [models.mnistNet, '1×28×28 32×28×28 32×14×14 64×14×14 64×7×7 3136 128 10'],
      [models.cnnWithBn, '1×28×28 32×28×28 32×14×14 6272 128 10'],
      [cifar10Net, '3×32×32 64×32×32 64×16×16 128×16×16 128×8×8 8192 256 10'],
    ])('$name: the shape of every y', (model, shapes) => {
      expect(shapesOf(model)).toEqual(shapes.split(' '));
    });

    it.each([
      // image: stem, pool, stages 1 to 4 (inventory F-19)
      [224, [112, 56, 56, 28, 14, 7]],
      [112, [56, 28, 28, 14, 7, 4]],
      [64, [32, 16, 16, 8, 4, 2]],
      [32, [16, 8, 8, 4, 2, 1]],
      [28, [14, 7, 7, 4, 2, 1]],
    ])('resnet18 on %i pixels: %j', (pixels, sizes) => {
      const model = resnet18({ input: [3, pixels, pixels], widths: [2, 3, 4, 5] });
      const { tape } = forward(
        vectorized,
        model,
        initialize(model, random(1)),
        zeros([1, 3, pixels, pixels]),
        'evaluation',
      );
      const shapes = tape.map(({ y }) => y.shape.slice(1));
      const [stem, pool] = [shapes[0], shapes[3]];
      const stages = [7, 11, 15, 19].map((at) => shapes[at]); // two blocks and their relus each
      expect([stem, pool, ...stages]).toEqual(sizes.map((s, i) => [[2, 2, 2, 3, 4, 5][i], s, s]));
      expect(shapes.slice(20)).toEqual([[5], [3]]);
    });
  });

  it.each(Object.values(digitModels))(
    '$name: names are unique, and a digit becomes ten logits in training too',
    (model) => {
      const names = layersOf(model).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      const mode = { training: random(2) };
      const { y } = forward(vectorized, model, initialize(model, random(1)), zeros([2, ...model.input]), mode);
      expect(y.shape).toEqual([2, 10]);
    },
  );
});
