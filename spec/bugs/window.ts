import { bugsOf } from './bug.ts';

export const window = bugsOf('window', 'window.ts', {
  'sizes-truncated': [
    'places',
    'return Math.floor(steps) + 1;',
    'return Math.trunc(steps) + 1;',
    'a window that is larger than the image by less than a stride stops once',
    ['E2.13', '26'],
  ],
  'larger-window-allowed': [
    'geometry',
    'OH < 1 || OW < 1',
    'OH < 0 || OW < 0',
    'a window larger than the image gives an empty y',
    ['26'],
  ],
});
