import { bugsOf } from './bug.ts';

export const mnist = bugsOf('mnist', 'data/mnist.ts', {
  'little-endian': [
    'header',
    'view.getUint32(4 + 4 * axis)',
    'view.getUint32(4 + 4 * axis, true)',
    'sizes are read from their last byte on',
    ['70'],
  ],
  'header-as-items': [
    'idx',
    'bytes.subarray(start)',
    'bytes.subarray(0, length - start)',
    'the header is read as pixels',
    ['69'],
  ],
  'header-of-labels': [
    'idx',
    'items: bytes.subarray(start)',
    'items: bytes.subarray(8, 8 + length - start)',
    'the header of images is taken for one of labels',
    ['69'],
  ],
  'magic-unread': ['header', 'magic !== expected', 'false', 'the type of the items is not looked at', ['69', '70']],
  'length-unread': ['idx', 'bytes.length !== length', 'false', 'a file that is cut off is taken as it is', ['69']],
  'rows-for-columns': ['pair', '[count, H, W]', '[count, W, H]', 'height and width have changed places', ['3']],
  'channels-last': ['pair', 'shape: [1, H, W]', 'shape: [H, W, 1]', 'the channel is the last axis', ['2']],
  'counts-unread': ['pair', 'labels.sizes[0] !== count', 'false', 'there may be fewer labels than images', ['68']],
  'labels-unchecked': ['pair', 'label > 9', 'label > 255', 'a label may be any byte', ['69']],
  'test-is-train': [
    'mnist',
    "'t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'",
    "'train-images-idx3-ubyte', 'train-labels-idx1-ubyte'",
    'the training set is tested',
    ['69'],
  ],
  'train-is-test': [
    'mnist',
    "'train-images-idx3-ubyte', 'train-labels-idx1-ubyte'",
    "'t10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'",
    'the test set is used for training',
    ['69'],
  ],
});
