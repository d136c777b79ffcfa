import { putGeometry } from '../convolution.ts';
import type { Node } from '../../network.ts';
import { clear, type directWay } from './directWay.ts';
import type { Plan } from './plan.ts';
import { part, wait, type Part, type Program, type Share } from './program.ts';
import type { Placed, Way } from './way.ts';

/**
 * Whether threads share a linear layer by its kernels, and going backward by the numbers of x, not by images: where it has more
 * weights than x has numbers. Then each thread reads its part of the weights, and its tiles have the rows of the whole batch.
 */
export const sharedByKernels = (
  { threads, images }: Pick<Plan, 'threads' | 'images'>,
  { layer }: Node,
  { O }: Placed['g'],
) => layer === 'linear' && threads > 1 && O > images;

/** A linear layer shared by kernels. All threads wait for x and dy of each other before, and for y and dx after. */
export function kernelsWay(placed: Placed, direct: ReturnType<typeof directWay>): Way {
  const { plan, g, x, dx, dy, weights, bias, turned } = placed;
  const { slice: D, O } = g;

  /** y = x·wᵀ + b, or dx = dy·w, of a part of its columns. */
  const columns = ({ first, end }: Part, call: Program[number]): Program => (end === first ? [] : [call]);

  return {
    forward(share, n, _, y) {
      const mine = part(O, 8, share);
      const geometry = putGeometry(plan.space, { ...g, N: share.images }, placed, { y: mine.end - mine.first });
      const at = [weights.theta + 4 * mine.first * D, bias.theta + 4 * mine.first, y + 4 * (mine.first - n * O)];
      return [wait, ...columns(mine, ['convolve', x.first, ...at, geometry]), wait];
    },

    inputGradient(share, n, count, fresh) {
      const mine = part(D, 8, share);
      const geometry = putGeometry(plan.space, { ...g, N: share.images }, placed, { x: mine.end - mine.first });
      const at = [turned[0] + 4 * mine.first * O, dx!.first + 4 * mine.first];
      return [
        ...clear(placed, n, count, fresh),
        wait,
        ...columns(mine, ['convolveInputGradient', dy.first, ...at, geometry]),
        wait,
      ];
    },

    weightGradient: (share: Share) => direct.weightGradient(share),
    moved: (share: Share) => direct.moved(share),
  };
}
