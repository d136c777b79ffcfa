import { bugsOf } from './bug.ts';

export const leakyRelu = bugsOf('leakyRelu', 'naive/leakyRelu.ts', {
  'default-tenth': ['leakyReluShape', '= 0.01', '= 0.1', 'the default slope is 0.1', ['24']],
  'largest-of-both': [
    'leakyRelu',
    'value > 0 ? value : negativeSlope * value',
    'Math.max(value, negativeSlope * value)',
    'the larger of x and its product with the slope, another function where the slope exceeds 1',
    ['36'],
  ],
  relu: ['leakyRelu', ': negativeSlope * value', ': 0 * value', 'nothing leaks', ['36']],
  'nan-dropped': [
    'leakyRelu',
    ': negativeSlope * value',
    ': value <= 0 ? negativeSlope * value : 0',
    'NaN becomes 0',
    ['36'],
  ],
  'dx-relu': ['leakyReluBackward', '? negativeSlope * slope', '? 0', 'no gradient leaks', ['20', '36']],
  'slope-one-at-zero': ['leakyReluBackward', 'x.data[i] <= 0', 'x.data[i] < 0', 'at 0 all of dy passes', ['28']],
  'nan-leaks': ['leakyReluBackward', 'x.data[i] <= 0', '!(x.data[i] > 0)', 'where x is NaN dy is made smaller', ['25']],
  float32: [
    'leakyRelu',
    ': negativeSlope * value',
    ': Math.fround(negativeSlope) * value',
    'the slope is a float32: 0.01 has other digits',
    ['E4.23'],
  ],
  'unknown-option': [
    'leakyReluShape',
    "knownOptions('leakyRelu', options, ['negativeSlope']);",
    '',
    'an option that does not exist is ignored',
    ['71'],
  ],
  'slope-unchecked': [
    'leakyReluShape',
    "between('leakyRelu: negativeSlope', negativeSlope, 0);",
    '',
    'a negative slope is taken',
    ['71'],
  ],
});
