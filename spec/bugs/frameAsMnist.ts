import { bugsOf } from './bug.ts';

export const frameAsMnist = bugsOf('frameAsMnist', 'data/frameAsMnist.ts', {
  'ratio-lost': [
    'frameAsMnist',
    'scaled(ink.height), scaled(ink.width)',
    'BOX, BOX',
    'every digit becomes a square',
    ['E1.6'],
  ],
  'pixels-passed-over': ['frameAsMnist', "'bilinear'", "'nearest'", 'thin strokes are lost', ['E1.6']],
  'box-of-the-field': [
    'frameAsMnist',
    'BOX / Math.max',
    'FIELD / Math.max',
    'the digit fills the whole field',
    ['E1.6'],
  ],
  'box-centred': [
    'corner',
    'start(rows / mass, height), start(columns / mass, width)',
    'start(height / 2, height), start(width / 2, width)',
    'the box lies in the middle, not the centre of mass',
    ['E1.6'],
  ],
  'paper-kept': ['inked', '> paper ? at(i) : 0', '>= 0 ? at(i) : 0', 'paper within the box is ink', ['E1.1']],
  transposed: [
    'corner',
    'start(rows / mass, height), start(columns / mass, width)',
    'start(columns / mass, height), start(rows / mass, width)',
    'the centre’s row and column have changed places',
    ['3'],
  ],
});
