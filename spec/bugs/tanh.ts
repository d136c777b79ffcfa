import { bugsOf } from './bug.ts';

export const tanh = bugsOf('tanh', 'naive/tanh.ts', {
  'quotient-overflow': [
    'tanh',
    'Math.tanh(value)',
    '(Math.exp(value) - Math.exp(-value)) / (Math.exp(value) + Math.exp(-value))',
    'the quotient as it is written: NaN beyond 709, and few digits near 0',
    ['37'],
  ],
  'quotient-of-squares': [
    'tanh',
    'Math.tanh(value)',
    '(Math.exp(2 * value) - 1) / (Math.exp(2 * value) + 1)',
    '(e²ˣ − 1) / (e²ˣ + 1): NaN beyond 354, and few digits near 0',
    ['37'],
  ],
  fast: [
    'tanh',
    'Math.tanh(value)',
    'Math.max(-1, Math.min(1, (value * (27 + value * value)) / (27 + 9 * value * value)))',
    'a quotient of polynomials that is right to two digits',
    ['37'],
  ],
  float32: ['tanh', 'Math.tanh(value)', 'Math.fround(Math.tanh(value))', 'y is rounded to float32', ['E4.23']],
  dropped: ['tanh', 'Math.tanh(value)', 'value', 'y is x: the function is computed elsewhere, and not used', ['E2.11']],
  'squared-twice': [
    'tanhBackward',
    'sech(value) * sech(value)',
    '(1 - Math.tanh(Math.tanh(value)) ** 2)',
    'the slope is taken at y as if it were x',
    ['E2.4'],
  ],
  'slope-lost': [
    'tanhBackward',
    ' * sech(value) * sech(value)',
    '',
    'dy passes as if the slope were 1',
    ['20', 'E2.4'],
  ],
  'slope-not-squared': [
    'tanhBackward',
    'sech(value) * sech(value)',
    '(1 - Math.tanh(value))',
    'the slope is 1 − y',
    ['E2.4'],
  ],
  'slope-cancels': [
    'tanhBackward',
    'sech(value) * sech(value)',
    '(1 - Math.tanh(value) ** 2)',
    '1 − y² in the place of sech² x: no right digit beyond 19',
    ['37', '44'],
  ],
  'unknown-option': [
    'tanhShape',
    "knownOptions('tanh', options, []);",
    '',
    'an option that does not exist is ignored',
    ['71'],
  ],
});
