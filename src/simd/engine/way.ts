import type { Convolution } from '../convolution.ts';
import type { Parameter } from './parameter.ts';
import type { Plan } from './plan.ts';
import type { Part, Program, Share } from './program.ts';
import type { Picture } from './value.ts';

/** A convolution whose numbers all have their places in memory. */
export interface Placed {
  readonly plan: Pick<Plan, 'space' | 'images'>;
  /** Its geometry, for any number of images. */
  readonly g: Omit<Convolution, 'N'>;
  /** x, and dx if anybody asks for it: with as much of a border as the way needs that reads it. */
  readonly x: Picture;
  readonly dx: Picture | undefined;
  /** Rows and columns of an image of x, its border included; where in it the first pixel is. */
  readonly rows: number;
  readonly columns: number;
  readonly top: number;
  readonly left: number;
  /** The gradient of the convolution's own y, before relu and pools. */
  readonly dy: Picture;
  readonly weights: Pick<Parameter, 'theta' | 'gradient'>;
  /** Without a gradient if it does not learn: then it is 0. */
  readonly bias: { readonly theta: number; readonly gradient?: number };
  /** Of the panels of 8 kernels, those of all groups one after the other, a thread's: it sums up their dw and db. */
  readonly panels: (share: Share) => Part;
  /** The weights, turned for dx, of each group: see assembly/convolution.ts. */
  readonly turned: readonly number[];
}

/** How a convolution is computed, forward and backward. */
export interface Way {
  /** About so many images at a time: what comes next finds them in the cache. None: all that a thread has in one go. */
  readonly images?: number;
  /** y of the images n ≤ i < n + count, to this address. */
  readonly forward: (share: Share, n: number, count: number, y: number) => Program;
  /** dx of these images: written if nothing is there yet (`fresh`), else added. */
  readonly inputGradient: (share: Share, n: number, count: number, fresh: boolean) => Program;
  /** dw and db of a thread's kernels, over the whole batch. */
  readonly weightGradient: (share: Share) => Program;
  /** What follows when a thread's kernels have moved. */
  readonly moved: (share: Share) => Program;
}
