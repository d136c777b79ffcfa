import { bugsOf } from './bug.ts';

const named = (bugs: ReturnType<typeof bugsOf>, name: string) =>
  bugs.map((bug) => ({ ...bug, id: bug.id.replace('.', `.${name}-`) }));

const resnet18 = bugsOf('models', 'models/resnet18.ts', {
  'stride-on-second': [
    'resnet18',
    "convolution('conv1', C, O, 3, stride),\n        batchNorm('bn1', O),\n        { name: 'relu', layer: 'relu' },\n        convolution('conv2', O, O, 3, 1),",
    "convolution('conv1', C, O, 3, 1),\n        batchNorm('bn1', O),\n        { name: 'relu', layer: 'relu' },\n        convolution('conv2', O, O, 3, stride),",
    'the second convolution of a block has the stride',
    ['61'],
  ],
  'first-stage-halved': ['resnet18', 'i === 0 ? 1 : 2', '2', 'the first stage has stride 2', ['61']],
  'shortcut-padded': [
    'resnet18',
    'padding: size >> 1',
    'padding: 1',
    'the 1×1 convolution of a shortcut has padding 1',
    ['E4.4'],
  ],
  'nothing-padded': ['resnet18', 'padding: size >> 1', 'padding: 0', 'no convolution has padding', ['E4.2', 'E2.12']],
  'pool-not-padded': [
    'resnet18',
    'kernel: 3, stride: 2, padding: 1',
    'kernel: 3, stride: 2',
    'the pool has no padding: 112 becomes 55',
    ['E4.2'],
  ],
  'relu-before-sum': [
    'resnet18',
    "batchNorm('bn2', O),\n      ]",
    "batchNorm('bn2', O),\n        { name: 'relu3', layer: 'relu' },\n      ]",
    'a block is relu of its body, plus its x',
    ['E4.6', '60'],
  ],
  'relu-after-sum-lost': [
    'resnet18',
    ", { name: `${name}.relu2`, layer: 'relu' }]",
    ']',
    'no relu follows the sum',
    ['60'],
  ],
  'relu-inside-lost': [
    'resnet18',
    "batchNorm('bn1', O),\n        { name: 'relu', layer: 'relu' },",
    "batchNorm('bn1', O),",
    'no relu between the two convolutions',
    ['61'],
  ],
  'shortcut-lost': [
    'resnet18',
    "[convolution('downsample.0', C, O, 1, stride), batchNorm('downsample.1', O)]",
    '[]',
    'no projection where the shape changes',
    ['61'],
  ],
  'shortcut-not-normed': [
    'resnet18',
    ", batchNorm('downsample.1', O)]",
    ']',
    'the projection has no batch norm',
    ['61'],
  ],
  'bias-by-default': ['resnet18', 'bias = false', 'bias = true', 'convolutions have a bias by default', ['E4.19']],
  'biased-by-default': [
    'resnet18',
    'running = { unbiased: true }',
    'running = {}',
    'running variances are biased by default',
    ['48', 'E4.20'],
  ],
  'dropout-by-default': ['resnet18', 'dropout = 0,', 'dropout = 0.5,', 'there is a dropout by default', ['57']],
  'narrow-by-default': [
    'resnet18',
    '[64, 128, 256, 512]',
    '[64, 128, 256, 256]',
    'the last stage has 256 channels by default',
    ['S4.19'],
  ],
  'classes-by-default': ['resnet18', 'classes = 3', 'classes = 1000', '1000 classes by default', ['S4.21']],
});
const lenet5 = bugsOf('models', 'models/lenet5.ts', {
  'not-padded': ['lenet5', ', options: { padding: 2 } }', ' }', '28×28 pixels without padding', ['E3.1']],
  'years-swapped': ['lenet5', 'original ? ([', '!original ? ([', 'the net of 1998 for the drawing', ['E3.1']],
  'flat-256': ['lenet5', '[120, 400]', '[120, 256]', '256 inputs of the first linear layer', ['E3.1']],
  'activation-lost': [
    'lenet5',
    "{ name: 'act2', layer: activation },",
    '',
    'no activation after the second convolution',
    ['E3.1'],
  ],
});
const tanhAvg = bugsOf('models', 'models/tanhAvg.ts', {
  'tanh-lost': [
    'tanhAvg',
    "{ name: 'tanh1', layer: 'tanh' },",
    '',
    'the convolution is pooled, not its tanh',
    ['E2.11'],
  ],
  'pool-apart': ['tanhAvg', 'kernel: 3, stride: 1', 'kernel: 3', 'the windows do not overlap', ['24', 'S2.9']],
  'pool-of-maxima': ['tanhAvg', "'avgPool2d'", "'maxPool2d'", 'maxima for means', ['S2.9']],
  'flat-784': ['tanhAvg', '[32, 3456]', '[32, 784]', 'as many inputs as the picture has pixels', ['E2.15']],
});
const page3 = bugsOf('models', 'models/page3.ts', {
  'channels-as-pixels': ['page3', '[64, 1352]', '[64, 1152]', 'a flattened picture of another size', ['S0.32']],
  'relu-lost': ['page3', "{ name: 'relu1', layer: 'relu' },", '', 'no relu after the convolution', ['S0.26']],
});
const page3TwoConv = bugsOf('models', 'models/page3TwoConv.ts', {
  'one-channel': [
    'page3TwoConv',
    '[16, 8, 3, 3]',
    '[16, 1, 3, 3]',
    'the second convolution has kernels of one channel',
    ['E0.4'],
  ],
});
const mnistNet = bugsOf('models', 'models/mnistNet.ts', {
  'mean-and-std-swapped': [
    'mnistNet',
    'mean: [0.1307], std: [0.3081]',
    'mean: [0.3081], std: [0.1307]',
    'mean and std have changed places',
    ['54', 'S3.14'],
  ],
  'not-normalised': [
    'mnistNet',
    'normalize: { mean: [0.1307], std: [0.3081] },',
    '',
    'pixels are not normalised',
    ['69', 'S3.14'],
  ],
  'initialization-lost': ['mnistNet', "initialization: 'fanInUniform',", '', 'weights start by He et al.', ['66']],
});
const cnnWithBn = bugsOf('models', 'models/cnnWithBn.ts', {
  'single-numbers-dropped': [
    'cnnWithBn',
    ', wholeChannels: true',
    '',
    'dropout leaves out numbers, not channels',
    ['58', 'S3.24'],
  ],
  'running-biased': ['running', '{ unbiased: true }', '{}', 'running variances are biased', ['48']],
  'relu-before-norm': [
    'cnnWithBn',
    "{ name: 'bn2', layer: 'batchNorm', parameters: { gamma: [128], beta: [128] }, running },\n    { name: 'relu2', layer: 'relu' },",
    "{ name: 'relu2', layer: 'relu' },\n    { name: 'bn2', layer: 'batchNorm', parameters: { gamma: [128], beta: [128] }, running },",
    'batch norm after relu',
    ['S3.22'],
  ],
});
const cifar10Net = bugsOf('models', 'models/cifar10Net.ts', {
  'dropout-lost': [
    'cifar10Net',
    "{ name: 'classifier.3', layer: 'dropout', options: { p: 0.5 } },",
    '',
    'one dropout of two',
    ['57'],
  ],
  'norm-lost': [
    'block',
    "  {\n    name: `features.${at + 1}`,\n    layer: 'batchNorm',\n    parameters: { gamma: [O], beta: [O] },\n    running: { unbiased: true },\n  },\n",
    '',
    'no batch norm',
    ['S3.26'],
  ],
});

export const models = [
  ...named(resnet18, 'resnet18'),
  ...named(lenet5, 'lenet5'),
  ...named(tanhAvg, 'tanhavg'),
  ...named(page3, 'page3'),
  ...named(page3TwoConv, 'page3twoconv'),
  ...named(mnistNet, 'mnistnet'),
  ...named(cnnWithBn, 'cnnwithbn'),
  ...named(cifar10Net, 'cifar10net'),
];
