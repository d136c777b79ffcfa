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
    file: 'naive/softmaxCrossEntropy.ts',
    within: 'softmaxCrossEntropyShape',
    from: 'if (Math.abs(sum - 1) > ROUNDED)',
    to: 'if (Math.abs(sum - 1) >= ROUNDED)',
    why: 'sum − 1 is a multiple of 2⁻⁵³, and the float64 number ROUNDED is none: the two are never equal.',
  },
  ...(['sgd', 'adamW', 'rmsProp'] as const).map((within) => ({
    file: 'optimizer.ts',
    within,
    from: 'for (let i = 0; i < theta.length; i++) {',
    to: 'for (let i = 0; i <= theta.length; i++) {',
    why: 'What is written beyond the end of a Float64Array is lost.',
  })),
  {
    file: 'optimizer.ts',
    within: 'adam',
    from: 'for (let i = 0; i < theta.length; i++) theta[i] -= rate * step(moments, i, gradient[i] + weightDecay * theta[i]);',
    to: 'for (let i = 0; i <= theta.length; i++) theta[i] -= rate * step(moments, i, gradient[i] + weightDecay * theta[i]);',
    why: 'What is written beyond the end of a Float64Array is lost.',
  },
];
