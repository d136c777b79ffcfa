import { bugsOf } from './bug.ts';

const decided = 'Float64Array.from({ length: size(shape) }, () => (random.uniform() < p ? 0 : 1))';

export const dropoutMask = bugsOf('dropoutMask', 'dropoutMask.ts', {
  'keeps-p': ['dropoutMask', '? 0 : 1', '? 1 : 0', 'a number is 1 with probability p', ['56']],
  'leaves-out-half': ['dropoutMask', '< p', '< 0.5', 'half of the numbers are left out, whatever p is', ['56']],
  'scaled-too': [
    'dropoutMask',
    '? 0 : 1',
    '? 0 : 1 / (1 - p)',
    'the mask has the factor 1 / (1 − p) in it already',
    ['56'],
  ],
  'edge-left-out': ['dropoutMask', '< p', '<= p', 'with p = 0 a random number of 0 still leaves out', ['57']],
  'seed-ignored': [
    'dropoutMask',
    'random.uniform()',
    'Math.random()',
    'the random numbers are not those given',
    ['67'],
  ],
  'one-for-the-batch': [
    'dropoutMask',
    decided,
    `((one) => Float64Array.from({ length: size(shape) }, (_, i) => one[i % one.length]))(${decided.replace('size(shape)', 'size(shape.slice(1))')})`,
    'every image has the mask of the first',
    ['58'],
  ],
});
