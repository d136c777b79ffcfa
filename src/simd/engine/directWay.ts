import { packedSize, putGeometry } from '../convolution.ts';
import { chunksOf, type Call, type Program, type Share } from './program.ts';
import { imageOf, type Picture } from './value.ts';
import type { Placed, Way } from './way.ts';

/** About so many places of a window are done in one call. */
const PLACES = 256;

/** Any convolution, as its sum is written: see assembly/convolution.ts. */
export function directWay(placed: Placed): Way {
  const { plan, g, x, dx, dy, weights, bias, turned } = placed;
  const { slice, O, KH, KW, OH, OW } = g;
  const [places, ofGroup] = [OH * OW, O / g.groups];
  const images = Math.max(1, Math.floor(PLACES / places));
  const geometries = new Map<number, number>();
  function geometryFor(N: number): number {
    if (!geometries.has(N)) geometries.set(N, putGeometry(plan.space, { ...g, N }, placed));
    return geometries.get(N)!;
  }
  return {
    images,

    forward: (share, n, count, y) =>
      groupsOf(placed, share).map((at) => {
        const [w, b] = [weights.theta + at.w, bias.theta + at.b];
        return ['convolve', under(placed, x, n) + at.x, w, b, y + at.y, geometryFor(count)];
      }),

    inputGradient: (share, n, count, fresh) => [
      ...clear(placed, n, count, fresh),
      ...groupsOf(placed, share).map((at, i): Call => {
        const to = under(placed, dx!, n) + at.x;
        return ['convolveInputGradient', imageOf(dy, n) + at.y, turned[i], to, geometryFor(count)];
      }),
    ],

    weightGradient: (share) =>
      groupsOf(placed, share).flatMap((at): Program => {
        const { first, end } = at;
        if (end === first) return [];
        const [slopes, pixels, sums] = [dy.first + at.y, under(placed, x, 0) + at.x, weights.gradient + at.w];
        return [
          ...chunksOf({ ...share, from: 0, to: share.images }, images).map(({ n, count }): Call => {
            const [theirs, under] = [slopes + n * dy.image, pixels + n * x.image];
            return ['convolveWeightGradient', theirs, under, sums, geometryFor(count), first, end, n === 0 ? 1 : 0];
          }),
          ...sumOfSlopes(placed, share, at),
        ];
      }),

    moved: (share) =>
      groupsOf(placed, share).flatMap(({ w, first, end }, i): Program => {
        if (dx === undefined || end === first) return [];
        return [['turn', weights.theta + w, turned[i], ofGroup, slice, KH * KW, first, end]];
      }),
  };
}

/** Of each group: the bytes at which it begins in x, w, b and y; which of its kernels are in this thread's panels of 8. */
export function groupsOf({ g, panels: panelsOf }: Placed, share: Share) {
  const { groups, slice, O, KH, KW } = g;
  const ofGroup = O / groups;
  const panels = Math.ceil(ofGroup / 8);
  const mine = panelsOf(share);
  return Array.from({ length: groups }, (_, i) => {
    const kernels = (end: number) => Math.min(ofGroup, Math.max(0, 8 * (end - i * panels)));
    return {
      x: 4 * i * slice,
      w: 4 * i * packedSize(ofGroup, slice * KH * KW),
      b: 4 * i * panels * 8,
      y: 4 * i * ofGroup,
      first: kernels(mine.first),
      end: kernels(mine.end),
    };
  });
}

/** db of a thread's kernels of a group, if there is a bias. */
export function sumOfSlopes(
  { g, dy, bias }: Placed,
  { images }: Share,
  at: ReturnType<typeof groupsOf>[number],
): Program {
  if (bias.gradient === undefined) return [];
  return [['sumRows', dy.first + at.y, bias.gradient + at.b, images * g.OH * g.OW, g.O, at.first, at.end]];
}

/** Bytes of a pixel of x. */
const pixel = ({ g }: Placed) => 4 * g.groups * g.slice;

/** The address under the first tap at the first place of image n, in a picture like x. */
export const under = (placed: Placed, picture: Picture, n: number): number =>
  imageOf(picture, n) - placed.g.top * picture.row - placed.g.left * pixel(placed);

/** dx of some images with its border is 0, if nothing is there yet. */
export function clear(placed: Placed, n: number, count: number, fresh: boolean): Program {
  const { dx, top, left } = placed;
  if (!fresh) return [];
  return [['clear', imageOf(dx!, n) - top * dx!.row - left * pixel(placed), count * dx!.image]];
}
