/** A mutant that no test can kill, since nobody can see it. */
export interface Equivalent {
  /** In src/. */
  readonly file: string;
  /** The function it is in. */
  readonly within: string;
  /** The line it begins in. */
  readonly from: string;
  /** What becomes of it. */
  readonly to: string;
  readonly why: string;
}

/** A loop that goes one step too far: `less` becomes ≤. */
const oneMore = (file: string, within: string, from: string, less: string, why: string): Equivalent => ({
  file,
  within,
  from,
  to: from.replace(less, less.replace('<', '<=')),
  why,
});

const LOST = 'The step too many reads nothing, and writes beyond the end of a typed array, where it is lost.';

/** Every one of them is checked: npm run mutate fails if it is not there any more, or if a test kills it. */
export const equivalents: readonly Equivalent[] = [
  {
    file: 'naive/batchNorm.ts',
    within: 'normalise',
    from: "const { N, C, P, flat } = batchStatisticsShape('batchNorm', x);",
    to: 'const { N, C, P, flat } = batchStatisticsShape("", x);',
    why: 'The name is for error messages, and batchNormShape has been through them already.',
  },
  {
    file: 'vectorized/batchNorm.ts',
    within: 'normalise',
    from: "const { flat } = batchStatisticsShape('batchNorm', x);",
    to: 'const { flat } = batchStatisticsShape("", x);',
    why: 'The name is for error messages, and batchNormShape has been through them already.',
  },
  ...['running', 'batch'].map((statistics) => ({
    file: 'naive/batchStatistics.ts',
    within: 'updateRunningShape',
    from: `dims('updateRunning: ${statistics}.variance', ${statistics}?.variance, [C]);`,
    to: `dims('updateRunning: ${statistics}.variance', ${statistics}.variance, [C]);`,
    why: 'Where there are no statistics, the mean has been missed already.',
  })),
  ...['dropout', 'dropoutBackward'].map((within) =>
    oneMore(
      'naive/dropout.ts',
      within,
      'for (let n = 0; n < N; n++)',
      'n < N',
      'The mask has no 1 where it has nothing.',
    ),
  ),
  ...[
    [
      'naive/leakyRelu.ts',
      'return { shape: x.shape, data: x.data.map((value) => (value > 0 ? value : negativeSlope * value)) };',
    ],
    ['vectorized/leakyRelu.ts', 'return map(x, (value) => (value > 0 ? value : negativeSlope * value));'],
  ].map(([file, from]) => ({
    file,
    within: 'leakyRelu',
    from,
    to: from.replace('value > 0', 'value >= 0'),
    why: '0 and −0 times a slope ≥ 0 are what they were.',
  })),
  oneMore(
    'naive/maxPool2d.ts',
    'maxPool2dBackward',
    'search: for (let kh = 0; kh < KH; kh++)',
    'kh < KH',
    'The search ends before: the window holds its maximum.',
  ),
  oneMore(
    'naive/meanSquaredError.ts',
    'meanSquaredErrorBackward',
    'for (let i = 0; i < count; i++) dx.data[i] = (2 * (x.data[i] - target.data[i]) * get(dy)) / count;',
    'i < count',
    LOST,
  ),
  ...[
    ['naive/sigmoid.ts', 'return value >= 0 ? 1 / (1 + e) : e / (1 + e);'],
    ['vectorized/sigmoid.ts', 'return zip(x, powers(x), (value, e) => (value >= 0 ? 1 : e) / (1 + e));'],
  ].map(([file, from]) => ({
    file,
    within: 'sigmoid',
    from,
    to: from.replace('value >= 0', 'value > 0'),
    why: 'At 0 e is 1, and 1 / (1 + 1) is e / (1 + e).',
  })),
  {
    file: 'naive/softmaxCrossEntropy.ts',
    within: 'softmaxCrossEntropyShape',
    from: 'if (Math.abs(sum - 1) > ROUNDED)',
    to: 'if (Math.abs(sum - 1) >= ROUNDED)',
    why: 'sum − 1 is a multiple of 2⁻⁵³, and the float64 number ROUNDED is none: the two are never equal.',
  },

  ...['sgd', 'adamW', 'rmsProp'].map((optimizer) =>
    oneMore('optimizer.ts', optimizer, 'for (let i = 0; i < theta.length; i++) {', 'i < theta', LOST),
  ),
  oneMore(
    'optimizer.ts',
    'adam',
    'for (let i = 0; i < theta.length; i++) theta[i] -= rate * step(moments, i, gradient[i] + weightDecay * theta[i]);',
    'i < theta',
    LOST,
  ),

  {
    file: 'ndarray.ts',
    within: 'transpose',
    from: "if (x.shape.length < 2) throw new RangeError(`transpose: x has shape (${x.shape.join(', ')}), expected (…, A, B)`);",
    to: 'if (x.shape.length < 2) throw new RangeError(`transpose: x has shape (${x.shape.join("")}), expected (…, A, B)`);',
    why: 'A shape of less than two axes has no comma.',
  },
  oneMore('ndarray.ts', 'transpose', 'for (let start = 0; start < x.data.length; start += A * B)', 'start < x', LOST),
  oneMore(
    'ndarray.ts',
    'transpose',
    'for (let a = 0; a < A; a++) for (let b = 0; b < B; b++) y.data[start + b * A + a] = x.data[start + a * B + b];',
    'b < B',
    'Row B of yᵀ lies where the next matrix will be written, or beyond the end.',
  ),
  oneMore(
    'ndarray.ts',
    'permute',
    'for (let i = 0; i < from.length; i++) y.data[i] = x.data[from[i]];',
    'i < from',
    LOST,
  ),
  oneMore('ndarray.ts', 'zip', 'for (let row = 0, at = 0; row < ra.starts.length; row++)', 'row < ra', LOST),
  oneMore(
    'ndarray.ts',
    'reduce',
    'for (let row = 0, at = 0; row < starts.length; row++)',
    'row < starts',
    'A row that starts nowhere is no number of the result.',
  ),
  oneMore(
    'ndarray.ts',
    'firstMax',
    'for (let n = 0; n < N; n++)',
    'n < N',
    'What is not there is not larger than −∞: it wins nothing.',
  ),
  {
    file: 'ndarray.ts',
    within: 'firstMax',
    from: 'if (winner >= 0) y.data[winner] = 1;',
    to: 'if (true) y.data[winner] = 1;',
    why: 'A column without a winner has the winner −1, and a typed array has no place −1.',
  },
  {
    file: 'ndarray.ts',
    within: 'matmul',
    from: 'const [long, short] = batchA.length > batchB.length ? [batchA, batchB] : [batchB, batchA];',
    to: 'const [long, short] = batchA.length >= batchB.length ? [batchA, batchB] : [batchB, batchA];',
    why: 'Of two batches with as many axes it does not matter which counts as the short one: they are equal, or an error.',
  },
  {
    file: 'ndarray.ts',
    within: 'matmul',
    from: 'if (a.shape.length < 2 || b.shape.length < 2 || K !== K2 || !repeats)',
    to: 'if (false || b.shape.length < 2 || K !== K2 || !repeats)',
    why: 'Where a has less than two axes, K is undefined, and K2 is not, unless b has less than two axes as well.',
  },
  oneMore('ndarray.ts', 'matmul', 'for (let entry = 0; entry < size(long); entry++) {', 'entry < size', LOST),
  ...['for (; false; k += 4) {', 'for (; k + 4 < K; k += 4) {'].map((to) => ({
    file: 'ndarray.ts',
    within: 'matmul',
    from: 'for (; k + 4 <= K; k += 4) {',
    to,
    why: 'What is not done four at a time is done one by one: the same products, added up in another order.',
  })),
  ...['unfold', 'fold'].map((within) =>
    oneMore('ndarray.ts', within, 'for (let image = 0, at = 0; image < N * C; image++)', 'image < N', LOST),
  ),
  oneMore('ndarray.ts', 'taps', 'for (let kh = 0; kh < g.KH; kh++)', 'kh < g', LOST),
  ...['i < at', 'k < count'].map((less) =>
    oneMore(
      'ndarray.ts',
      'walk',
      'for (let i = 0; i < at.length; i++) for (let k = 0; k < count; k++) next[i * count + k] = at[i] + k * step;',
      less,
      'The place is that of the next i, which writes it again, or beyond the end.',
    ),
  ),
];
