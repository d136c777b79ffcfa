import { bugsOf } from './bug.ts';

export const image = bugsOf('image', 'data/image.ts', {
  'alpha-dropped': [
    'grayscale',
    'channels > colours ? pixels[at + colours] : 255',
    '255',
    'black on transparent black is black',
    ['E1.5'],
  ],
  'on-black': [
    'grayscale',
    '255 - (alpha * (255 - pixels[at + colour])) / 255',
    '(alpha * pixels[at + colour]) / 255',
    'transparent pictures lie on black',
    ['E1.5'],
  ],
  'colours-averaged': [
    'grayscale',
    '(19595 * r + 38470 * g + 7471 * b + 32768) >> 16',
    'Math.round((r + g + b) / 3)',
    'the colours count alike',
    ['S1.9'],
  ],
  'blue-for-red': [
    'grayscale',
    '19595 * r + 38470 * g + 7471 * b',
    '19595 * b + 38470 * g + 7471 * r',
    'blue, green, red',
    ['2'],
  ],
  'never-inverted': [
    'whiteOnBlack',
    'darkOnLight(picture) ? invert(picture) : picture',
    'picture',
    'black on white stays as it is',
    ['E1.1'],
  ],
  'always-inverted': [
    'whiteOnBlack',
    'darkOnLight(picture) ? invert(picture) : picture',
    'invert(picture)',
    'white on black becomes black on white',
    ['E1.1'],
  ],
  'paper-where-ink-is': [
    'darkOnLight',
    'row % (height - 1) && column % (width - 1)',
    'row < 0',
    'the mean of all pixels decides, not that of the border',
    ['E1.1'],
  ],
  'inverted-from-256': ['invert', '255 - value', '256 - value', 'black becomes 0 again: 256 is no byte', ['69']],
  'batch-not-scaled': ['toBatch', 'value / 255', 'value', 'pixels from 0 to 255', ['E1.4', '69']],
  'batch-reshaped': [
    'toBatch',
    'toNCHW({ shape: [1, height, width, channels],',
    '({ shape: [1, channels, height, width],',
    'a reshape: right for one channel only',
    ['2', 'E4.3'],
  ],
});
