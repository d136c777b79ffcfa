/** A mutant that no test can kill, since it computes the same. */
export interface Equivalent {
  /** In src/. */
  readonly file: string;
  /** The function it is in. */
  readonly within: string;
  /** Its first line in the source. */
  readonly from: string;
  /** What becomes of it. */
  readonly to: string;
  readonly why: string;
}

/** Every one of them is checked: npm run mutate fails if it is not there any more, or is killed. */
export const equivalents: readonly Equivalent[] = [];
