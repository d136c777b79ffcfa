import { bugsOf } from './bug.ts';

const set = 'images.pixels.set(bytes.subarray(at + 1, at + RECORD), n * PIXELS);';
const moved = (place: string) =>
  `for (let i = 0; i < PIXELS; i++) images.pixels[n * PIXELS + ${place}] = bytes[at + 1 + i];`;

export const cifar10 = bugsOf('cifar10', 'data/cifar10.ts', {
  'channels-interleaved': [
    'read',
    set,
    moved('(i % 3) * 1024 + Math.floor(i / 3)'),
    'the colours of a pixel are taken to lie side by side',
    ['2'],
  ],
  'blue-first': ['read', set, moved('(2 - Math.floor(i / 1024)) * 1024 + (i % 1024)'), 'blue, green, red', ['2']],
  'columns-first': [
    'read',
    set,
    moved('Math.floor(i / 1024) * 1024 + (i % 32) * 32 + (Math.floor(i / 32) % 32)'),
    'pixels are taken column by column',
    ['3'],
  ],
  'label-among-pixels': ['read', 'at + 1, at + RECORD', 'at, at + PIXELS', 'the label is the first pixel', ['E2.8']],
  'label-last': ['read', 'bytes[at]', 'bytes[at + PIXELS]', 'the last pixel is the label', ['68']],
  'labels-of-first-file': [
    'read',
    'images.labels[n] = bytes[at]',
    'images.labels[n] = files[0][at]',
    'the labels of the first file serve all',
    ['68'],
  ],
  'first-file-only': [
    'cifar10',
    'read(directory, TRAIN)',
    'read(directory, TRAIN.slice(0, 1))',
    'one file of five is read',
    ['69'],
  ],
  'test-is-train': ['cifar10', 'read(directory, TEST)', 'read(directory, TRAIN)', 'the training set is tested', ['69']],
});
