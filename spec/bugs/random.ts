import { bugsOf } from './bug.ts';

export const random = bugsOf('random', 'random.ts', {
  'seed-ignored': ['random', 'xoroshiro128plus(seed)', 'xoroshiro128plus(0)', 'every seed is 0', ['67']],
  'stream-ignored': ['random', 'i < stream', 'i < 0', 'every stream is the first', ['67']],
  'streams-overlap': [
    'random',
    'generator.jump()',
    'generator.next()',
    'a stream is one number behind the one before',
    ['67'],
  ],
  'normal-too-narrow': ['numbersOf', '-2 * Math.log', '-Math.log', 'normal numbers of variance ½', ['66']],
  'normal-quarter-circle': [
    'numbersOf',
    '2 * Math.PI *',
    '(Math.PI / 2) *',
    'angles of a quarter circle: no normal number is below 0',
    ['66'],
  ],
  'normal-from-uniform': [
    'numbersOf',
    'Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())',
    'Math.sqrt(12) * (uniform() - 0.5)',
    'uniform numbers of deviation 1 for normal ones',
    ['66'],
  ],
  'order-uneven': [
    'numbersOf',
    '0, i)',
    '0, count - 1)',
    'every place is swapped with any other: some orders are likelier',
    ['68'],
  ],
  'order-cyclic': ['numbersOf', '0, i)', '0, i - 1)', 'no place keeps its number', ['68']],
  'first-two-kept': ['numbersOf', 'i > 0', 'i > 1', 'the first two places are never swapped', ['68']],
  'order-overwritten': [
    'numbersOf',
    '[order[i], order[j]] = [order[j], order[i]];',
    'order[i] = order[j];',
    'numbers are drawn with replacement: some come twice, others never',
    ['68'],
  ],
});
