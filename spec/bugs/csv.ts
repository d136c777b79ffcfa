import { bugsOf } from './bug.ts';

export const csv = bugsOf('csv', 'data/csv.ts', {
  'first-line-lost': [
    'csv',
    'number > 1 || !isHeader(where, line)',
    'number > 1',
    'the first line is taken for names, also if it is a picture',
    ['E2.10'],
  ],
  'label-among-pixels': ['csv', 'row.subarray(1)', 'row.subarray(0, PIXELS)', 'the label is the first pixel', ['E2.8']],
  'label-last': ['csv', '([label]) => label', '(row) => row[PIXELS]', 'the last pixel is the label', ['68']],
  'labels-reversed': [
    'csv',
    'Uint8Array.from(rows,',
    'Uint8Array.from(rows.toReversed(),',
    'labels come in the reverse order of their pictures',
    ['68'],
  ],
  'columns-first': [
    'csv',
    'pixels.set(row.subarray(1), n * PIXELS)',
    'row.subarray(1).forEach((value, i) => (pixels[n * PIXELS + (i % 28) * 28 + Math.floor(i / 28)] = value))',
    'pixels are taken column by column',
    ['3', 'E2.15'],
  ],
  'pictures-overwritten': ['csv', 'n * PIXELS', '0', 'every picture takes the place of the first', ['12']],
  'bytes-cut': [
    'row',
    'value = 10 * value + digit',
    'value = (10 * value + digit) & 127',
    'pixels lose their highest bit',
    ['70'],
  ],
  'last-digit-only': ['row', '10 * value + digit', 'digit', 'of a number the last digit counts', ['70']],
  'last-line-lost': [
    'lines',
    'rest.length > 0) yield',
    'rest.length > LONGEST) yield',
    'a last line without a newline is lost',
    ['69'],
  ],
  'chunks-not-joined': [
    'lines',
    'Buffer.concat([rest, chunk])',
    'Buffer.from(chunk)',
    'lines are cut where a chunk of the file ends',
    ['12'],
  ],
  'test-is-train': [
    'csvDirectory',
    'await csv(test, options)',
    'await csv(train, options)',
    'the training set is tested',
    ['69'],
  ],
});
