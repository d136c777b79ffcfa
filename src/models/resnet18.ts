import type { UpdateRunningOptions } from '../naive/batchStatistics.ts';
import type { Model, Node, Nodes, Residual } from '../network.ts';
import { atLeast, between, knownOptions, trueOrFalse } from '../tensor.ts';

export interface Resnet18Options {
  /** How many classes. Default 3, as in "ResNet-18 in NumPy". */
  readonly classes?: number;
  /** The shape (C, H, W) of an image. Training needs more than 32 pixels on a side, or two images. Default [3, 224, 224]. */
  readonly input?: readonly [C: number, H: number, W: number];
  /** Whether convolutions have a bias, which the batch norm after each takes out again. Default false. */
  readonly bias?: boolean;
  /** The p of a dropout before the last layer. Default 0: none. */
  readonly dropout?: number;
  /** How running statistics follow the batches. Default { unbiased: true }, as in torchvision; the document's are biased. */
  readonly running?: UpdateRunningOptions;
  /** The channels of the four stages. Default [64, 128, 256, 512]. */
  readonly widths?: readonly [number, number, number, number];
}

/**
 * ResNet-18: a stem, four stages of two residual blocks, the mean of every channel, one linear layer. 18 layers with
 * weights from x to y, and three 1×1 convolutions beside them.
 *
 *     resnet18()                                           11,178,051 parameters, torchvision's for 3 classes
 *     resnet18({ bias: true, dropout: 0.5, running: {} })  11,182,851, those of "ResNet-18 in NumPy"
 *
 * @throws RangeError if an option is out of range
 * @see He, Zhang, Ren & Sun, Deep residual learning for image recognition, arXiv:1512.03385, table 1 and section 4.1
 */
export function resnet18(options: Resnet18Options = {}): Model {
  knownOptions('resnet18', options, ['classes', 'input', 'bias', 'dropout', 'running', 'widths']);
  const { classes = 3, input = [3, 224, 224], bias = false, dropout = 0, running = { unbiased: true } } = options;
  const { widths = [64, 128, 256, 512] } = options;
  atLeast('resnet18: classes', classes, 1);
  trueOrFalse('resnet18: bias', bias);
  between('resnet18: dropout', dropout, 0, 1);
  for (const [name, sizes, count] of [
    ['input', input, 3],
    ['widths', widths, 4],
  ] as const) {
    if (sizes?.length !== count)
      throw new RangeError(`resnet18: ${name} is ${JSON.stringify(sizes)}, expected ${count} sizes`);
    sizes.forEach((size, i) => atLeast(`resnet18: ${name}[${i}]`, size, 1));
  }
  const [stem, , , last] = widths;

  const convolution = (name: string, C: number, O: number, size: number, stride: number): Node => ({
    name,
    layer: 'conv2d',
    ...(bias
      ? { parameters: { w: [O, C, size, size], b: [O] } }
      : { parameters: { w: [O, C, size, size] }, zero: { b: [O] } }),
    options: { stride, padding: size >> 1 },
  });
  const batchNorm = (name: string, C: number): Node => ({
    name,
    layer: 'batchNorm',
    parameters: { gamma: [C], beta: [C] },
    running,
  });
  /** Two 3×3 convolutions; where the shape changes, a 1×1 convolution beside them. The relu comes after the sum. */
  const block = (name: string, C: number, O: number, stride: number): Nodes => {
    const residual: Residual = {
      name,
      body: [
        convolution('conv1', C, O, 3, stride),
        batchNorm('bn1', O),
        { name: 'relu', layer: 'relu' },
        convolution('conv2', O, O, 3, 1),
        batchNorm('bn2', O),
      ],
      shortcut:
        stride === 1 && C === O ? [] : [convolution('downsample.0', C, O, 1, stride), batchNorm('downsample.1', O)],
    };
    return [residual, { name: `${name}.relu2`, layer: 'relu' }];
  };
  const stage = (i: number): Nodes => [
    ...block(`layer${i + 1}.0`, i === 0 ? stem : widths[i - 1], widths[i], i === 0 ? 1 : 2),
    ...block(`layer${i + 1}.1`, widths[i], widths[i], 1),
  ];

  return {
    name: 'resnet18',
    input,
    nodes: [
      convolution('conv1', input[0], stem, 7, 2), //                                             224 → 112
      batchNorm('bn1', stem),
      { name: 'relu', layer: 'relu' },
      { name: 'maxpool', layer: 'maxPool2d', options: { kernel: 3, stride: 2, padding: 1 } }, // 112 → 56
      ...[0, 1, 2, 3].flatMap(stage), //                                                         56 → 56, 28, 14, 7
      { name: 'avgpool', layer: 'globalAvgPool2d' },
      ...(dropout > 0 ? [{ name: 'dropout', layer: 'dropout', options: { p: dropout } } as const] : []),
      { name: 'fc', layer: 'linear', parameters: { w: [classes, last], b: [classes] } },
    ],
  };
}
