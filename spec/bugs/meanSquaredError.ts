import { bugsOf } from './bug.ts';

export const meanSquaredError = bugsOf('meanSquaredError', 'naive/meanSquaredError.ts', {
  sum: ['meanSquaredError', 'total / count', 'total', 'y is the sum of the squares', ['42']],
  half: ['meanSquaredError', 'total / count', 'total / count / 2', 'y is half the mean', ['42']],
  'per-row': [
    'meanSquaredError',
    'total / count',
    'total / (x.shape[0] ?? 1)',
    'the sum is divided by the rows of the batch only',
    ['41'],
  ],
  root: ['meanSquaredError', 'total / count', 'Math.sqrt(total / count)', 'y is the root of the mean', ['42']],
  absolute: ['meanSquaredError', 'error * error', 'Math.abs(error)', 'y is the mean of the distances', ['42']],
  expanded: [
    'meanSquaredError',
    'error * error',
    'x.data[i] * x.data[i] - 2 * x.data[i] * target.data[i] + target.data[i] * target.data[i] + 0 * error',
    'x² − 2x·t + t² in the place of the square: it cancels far from 0',
    ['46'],
  ],
  float32: ['meanSquaredError', 'total / count', 'Math.fround(total / count)', 'y is rounded to float32', ['E4.23']],
  'dx-half': ['meanSquaredErrorBackward', '2 * (x', '1 * (x', 'the slope of a square lacks its 2', ['42']],
  'dx-per-row': [
    'meanSquaredErrorBackward',
    '/ count',
    '/ (x.shape[0] ?? 1)',
    'backward divides by the rows of the batch only',
    ['42'],
  ],
  'dx-sum': ['meanSquaredErrorBackward', ' / count', '', 'backward does not divide', ['42']],
  'dx-sign': [
    'meanSquaredErrorBackward',
    'x.data[i] - target.data[i]',
    'target.data[i] - x.data[i]',
    'dx points the other way',
    ['42'],
  ],
  'dy-ignored': ['meanSquaredErrorBackward', ' * get(dy)', '', 'dy counts as 1', ['18']],
  'dx-integer': [
    'meanSquaredErrorBackward',
    'dx.data[i] = (2 * (x.data[i] - target.data[i]) * get(dy)) / count',
    'dx.data[i] = Math.trunc((2 * (x.data[i] - target.data[i]) * get(dy)) / count)',
    'gradients are kept as integers',
    ['E0.10'],
  ],
});
