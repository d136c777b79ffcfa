import { bugsOf } from './bug.ts';

export const flatten = bugsOf('flatten', 'naive/flatten.ts', {
  'channels-last': [
    'flatten',
    'x.data.slice()',
    'x.data.map((_, i) => { const [N, C, ...image] = x.shape; const [D, P] = [size(x.shape) / N, size(image)]; return x.data[i - (i % D) + (i % C) * P + Math.floor((i % D) / C)]; })',
    'features are in the order h, w, c',
    ['62'],
  ],
  'columns-first': [
    'flatten',
    'x.data.slice()',
    'x.data.map((_, i) => { const H = x.shape.at(-2)!; const W = x.shape.at(-1)!; const at = i % (H * W); return x.shape.length < 3 ? x.data[i] : x.data[i - at + (at % H) * W + Math.floor(at / H)]; })',
    'every channel is read column by column',
    ['62', '3'],
  ],
  'batch-last': [
    'flatten',
    'x.data.slice()',
    'x.data.map((_, i) => x.data[(i % x.shape[0]) * (size(x.shape) / x.shape[0]) + Math.floor(i / x.shape[0])])',
    'numbers are laid out entry by entry last, under the right shape',
    ['62'],
  ],
  'one-row': [
    'flattenShape',
    'return [N, size(others)];',
    'return [1, N * size(others)];',
    'the whole batch is one row',
    ['18', 'E3.2'],
  ],
  float32: [
    'flatten',
    'x.data.slice()',
    'Float64Array.from(Float32Array.from(x.data))',
    'numbers pass through float32',
    ['E4.23'],
  ],
  'dx-flat': [
    'flattenBackward',
    'dx: { shape: x.shape,',
    'dx: { shape: dy.shape,',
    'dx keeps the shape of dy',
    ['62', 'E0.1'],
  ],
  'dx-zero': ['flattenBackward', 'dy.data.slice()', 'new Float64Array(dy.data.length)', 'no gradient passes', ['20']],
  'unknown-option': [
    'flattenShape',
    "knownOptions('flatten', options, []);",
    '',
    'an option that does not exist is ignored',
    ['71'],
  ],
});
