import { bugsOf } from './bug.ts';

/** A reshape in the place of a permutation: the numbers stay where they are. */
const reshaped = (axes: string, fitted: string) =>
  `((t: Tensor): Tensor => ({ shape: ${axes}.map((axis) => t.shape[axis]), data: t.data }))(${fitted})`;
const images = "fit('toNCHW: x', x, ['N', 'H', 'W', 'C'])";
const nhwc = "fit('toNHWC: x', x, ['N', 'C', 'H', 'W'])";

export const layout = bugsOf('layout', 'layout.ts', {
  'nchw-reshaped': [
    'toNCHW',
    `permute(${images}, [0, 3, 1, 2])`,
    reshaped('[0, 3, 1, 2]', images),
    'a reshape: right for one channel only',
    ['2', 'E4.3'],
  ],
  'nhwc-reshaped': [
    'toNHWC',
    `permute(${nhwc}, [0, 2, 3, 1])`,
    reshaped('[0, 2, 3, 1]', nhwc),
    'a reshape: right for one channel only',
    ['2', 'E4.3'],
  ],
  'nchw-transposed': ['toNCHW', '[0, 3, 1, 2]', '[0, 3, 2, 1]', 'rows and columns have changed places', ['3']],
  'nhwc-transposed': ['toNHWC', '[0, 2, 3, 1]', '[0, 3, 2, 1]', 'rows and columns have changed places', ['3']],
  'hwio-transposed': [
    'toHWIO',
    '[2, 3, 1, 0]',
    '[3, 2, 1, 0]',
    'rows and columns of kernels have changed places',
    ['3'],
  ],
  hwoi: ['toHWIO', '[2, 3, 1, 0]', '[2, 3, 0, 1]', 'input and output channels have changed places', ['2', 'E4.1']],
  'oihw-from-hwoi': [
    'toOIHW',
    '[3, 2, 0, 1]',
    '[2, 3, 0, 1]',
    'input and output channels have changed places',
    ['2', 'E4.1'],
  ],
  'out-in-stays': ['toOutIn', '[1, 0]', '[0, 1]', 'weights (in, out) stay as they are', ['45']],
  'in-out-stays': ['toInOut', '[1, 0]', '[0, 1]', 'weights (out, in) stay as they are', ['45']],
});
