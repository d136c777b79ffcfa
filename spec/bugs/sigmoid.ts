import { bugsOf } from './bug.ts';

export const sigmoid = bugsOf('sigmoid', 'naive/sigmoid.ts', {
  'exp-overflow': [
    'sigmoid',
    'value >= 0 ? 1 / (1 + e) : e / (1 + e)',
    'Math.exp(value) / (1 + Math.exp(value)) + 0 * e',
    'exp x / (1 + exp x) on both sides: NaN beyond 709',
    ['37', '38'],
  ],
  'complement-cancels': [
    'sigmoid',
    ': e / (1 + e)',
    ': 1 - 1 / (1 + e)',
    '1 − y of the other side: no right digit below −37',
    ['44'],
  ],
  'sign-lost': ['sigmoid', 'value >= 0 ? 1 / (1 + e) : e / (1 + e)', '1 / (1 + e)', 'y of |x|', ['37']],
  hard: [
    'sigmoid',
    'value >= 0 ? 1 / (1 + e) : e / (1 + e)',
    'Math.max(0, Math.min(1, value / 4 + 0.5))',
    'three straight lines',
    ['37'],
  ],
  'fast-exp': [
    'sigmoid',
    'Math.exp(-Math.abs(value))',
    '(1 - Math.abs(value) / 1024) ** 1024',
    'exp is a power of 1024: right to three digits',
    ['37'],
  ],
  float32: [
    'sigmoid',
    'return value >= 0 ? 1 / (1 + e) : e / (1 + e);',
    'return Math.fround(value >= 0 ? 1 / (1 + e) : e / (1 + e));',
    'y is rounded to float32',
    ['E4.23'],
  ],
  flushed: [
    'sigmoid',
    'Math.exp(-Math.abs(value))',
    '(Math.abs(value) > 87 ? 0 : Math.exp(-Math.abs(value)))',
    'what is below the smallest float32 becomes 0',
    ['37'],
  ],
  'slope-lost': ['sigmoidBackward', ' * slope(value)', '', 'dy passes as if the slope were 1', ['20', 'E2.4']],
  'slope-of-y': [
    'sigmoidBackward',
    'dy.data[i] * slope(value)',
    'dy.data[i] * slope(1 / (1 + Math.exp(-value)))',
    'the slope is taken at y as if it were x',
    ['E2.4'],
  ],
  'slope-cancels': [
    'sigmoidBackward',
    'e / ((1 + e) * (1 + e))',
    '(1 / (1 + e)) * (1 - 1 / (1 + e))',
    'y·(1 − y): no right digit beyond 37',
    ['44'],
  ],
  'slope-overflow': [
    'sigmoidBackward',
    'Math.exp(-Math.abs(value))',
    'Math.exp(-value)',
    'exp −x / (1 + exp −x)² on both sides: NaN below −709',
    ['37', '38'],
  ],
});
