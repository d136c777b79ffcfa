import { bugsOf } from './bug.ts';

export const relu = bugsOf('relu', 'naive/relu.ts', {
  'mask-product': [
    'relu',
    'Math.max(0, value)',
    'value * (value > 0 ? 1 : 0)',
    'x times its mask: −∞ becomes NaN, a negative number −0',
    ['36', 'E4.16'],
  ],
  'nan-dropped': ['relu', 'Math.max(0, value)', 'value > 0 ? value : 0', 'NaN becomes 0', ['36']],
  absolute: ['relu', 'Math.max(0, value)', 'Math.abs(value)', 'y is |x|', ['36']],
  'up-to-six': ['relu', 'Math.max(0, value)', 'Math.min(6, Math.max(0, value))', 'y ends at 6', ['36']],
  float32: ['relu', 'Math.max(0, value)', 'Math.fround(Math.max(0, value))', 'y is rounded to float32', ['E4.23']],
  flushed: ['relu', 'Math.max(0, value)', '(value < 2 ** -1022 ? 0 : value)', 'subnormal numbers become 0', ['36']],
  'slope-one-at-zero': ['reluBackward', 'x.data[i] <= 0', 'x.data[i] < 0', 'at 0 dy passes', ['28']],
  'slope-half-at-zero': [
    'reluBackward',
    'x.data[i] <= 0 ? 0 : slope',
    'x.data[i] < 0 ? 0 : x.data[i] === 0 ? slope / 2 : slope',
    'at 0 half of dy passes',
    ['28'],
  ],
  'nan-blocks': [
    'reluBackward',
    'x.data[i] <= 0 ? 0 : slope',
    'x.data[i] > 0 ? slope : 0',
    'where x is NaN no dy passes',
    ['36', '25'],
  ],
  'dx-mask-product': [
    'reluBackward',
    'x.data[i] <= 0 ? 0 : slope',
    '(x.data[i] <= 0 ? 0 : 1) * slope',
    'dy times a mask: an infinite dy that should stop becomes NaN',
    ['E4.16'],
  ],
  'mask-of-dy': ['reluBackward', 'x.data[i] <= 0', 'slope <= 0', 'the mask is taken from dy, not from x', ['E4.5']],
  'dy-passes': ['reluBackward', 'x.data[i] <= 0 ? 0 : slope', 'slope', 'all of dy passes', ['20', 'E2.11']],
  'unknown-option': [
    'reluShape',
    "knownOptions('relu', options, []);",
    '',
    'an option that does not exist is ignored',
    ['71'],
  ],
});
