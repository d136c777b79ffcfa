import { bugsOf } from './bug.ts';

export const predict = bugsOf('predict', 'predict.ts', {
  'confidence-of-first': [
    'readings',
    'subarray(n * K, (n + 1) * K)',
    'subarray(0, K)',
    'every picture has the probabilities of the first',
    ['E1.2'],
  ],
  'confidence-of-all': [
    'readings',
    'subarray(n * K, (n + 1) * K)',
    'subarray(0)',
    'the confidence is the largest of the whole batch',
    ['E1.2', '39'],
  ],
  'least-confidence': ['readings', 'Math.max(...row)', 'Math.min(...row)', 'the smallest probability', ['S1.18']],
  'digit-one-late': ['readings', 'return { digit,', 'return { digit: digit + 1,', 'classes are counted from 1', ['68']],
  'logits-for-probabilities': ['predict', 'layers.softmax(logits)', 'logits', 'the confidence is a logit', ['S1.18']],
  'not-normalised': [
    'predict',
    'inputOf(model, x)',
    'x',
    'pixels are not normalised as they were in training',
    ['E1.4'],
  ],
  'normalised-twice': [
    'predict',
    'inputOf(model, x)',
    'inputOf(model, inputOf(model, x))',
    'pixels are normalised twice',
    ['69'],
  ],
});
