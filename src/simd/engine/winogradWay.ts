import { groupsOf, sumOfSlopes } from './directWay.ts';
import type { Program, Share } from './program.ts';
import { imageOf, type Picture } from './value.ts';
import type { Placed, Way } from './way.ts';

/** About so many patches are done at a time: what they become stays in the cache. */
const PATCHES = 132;

/** Numbers of memory between the patches beyond their channels: at powers of two they would push each other out of the cache. */
const APART = 16;

/** Whether it can be done, and pays for changing the kernels: 3×3 taps next to each other, enough channels and patches. */
export function winogradPays({ plan, g }: Pick<Placed, 'plan' | 'g'>): boolean {
  const { groups, slice, O, KH, KW, OH, OW, top, left, row, column } = g;
  const side = KH === 3 && KW === 3 && row(0, 1) + top === 1 && column(0, 1) + left === 1;
  const step = (OH === 1 || row(1, 0) + top === 1) && (OW === 1 || column(1, 0) + left === 1);
  const patches = plan.images * Math.ceil(OH / 2) * Math.ceil(OW / 2);
  return side && step && groups === 1 && slice % 8 === 0 && O % 8 === 0 && slice >= 16 && patches >= 100;
}

/** Room of a thread that winogradWay needs: numbers. */
export const winogradRoom = ({ slice, O }: Placed['g']) => 16 * PATCHES * (slice + O + 2 * APART) + 64;

/** A 3×3 convolution of stride 1 by 16 products for four numbers: see assembly/winograd.ts. Needs no borders. */
export function winogradWay(placed: Placed, room: (share: Share) => number): Way {
  const { plan, g, x, dx, dy, weights, bias, turned } = placed;
  const { space } = plan;
  const { slice, O, H, W, OH, OW } = g;

  /** Images of C channels as patches that begin `top` above and `left` before them. */
  function patchesOf(
    picture: Picture,
    [C, H, W]: readonly number[],
    top: number,
    left: number,
    count: readonly number[],
  ) {
    const sizes = space.putIntegers([H, W, C, picture.row, picture.image, top, left, ...count]);
    return { C, sizes, ofImage: count[0] * count[1] };
  }
  const half = (count: number) => Math.ceil(count / 2);
  const [ofY, ofX] = [
    [half(OH), half(OW)],
    [half(H), half(W)],
  ];
  const own = { first: 0, row: 4 * OW * O, image: 4 * OH * OW * O };
  const from = patchesOf(x, [slice, H, W], g.top, g.left, ofY);
  const to = patchesOf(own, [O, OH, OW], 0, 0, ofY);
  const slopes = patchesOf(dy, [O, OH, OW], 0, 0, ofY);
  const back = dx && {
    from: patchesOf(dy, [O, OH, OW], 2 - g.top, 2 - g.left, ofX),
    to: patchesOf(dx, [slice, H, W], 0, 0, ofX),
    kernels: space.room(16 * slice * O),
  };
  const kernels = space.room(16 * slice * O);
  const sums = space.room(16 * slice * O);
  const zeros = space.room(Math.max(8, slice, O));
  const alongChannels = space.putIntegers(Array<number>(Math.max(slice, O)).fill(4));
  const alongPatches = space.putIntegers(Array<number>(PATCHES).fill(4 * (slice + APART)));

  type Patches = ReturnType<typeof patchesOf>;

  /** Patches of images beginning at one address to those at another, b added to each number, or what is there if b is 0. */
  function products(
    a: Patches,
    c: Patches,
    x: number,
    y: number,
    images: number,
    w: number,
    b: number,
    at: number,
  ): Program {
    const [edge, changed] = [at, at + 4 * 64];
    const result = changed + 4 * 16 * PATCHES * (a.C + APART);
    return blocks(images * a.ofImage).flatMap(({ first, count }): Program => [
      ['changePatches', x, changed, first, count, a.C + APART, edge, a.sizes],
      ['multiplyPatches', changed, a.C + APART, w, result, zeros, alongChannels, count, a.C, c.C],
      ['changeProducts', result, b, y, first, count, c.sizes],
    ]);
  }

  return {
    images: Math.max(1, Math.floor(PATCHES / from.ofImage)),

    forward: (share, n, count, y) => products(from, to, imageOf(x, n), y, count, kernels, bias.theta, room(share)),

    inputGradient: (share, n, count, fresh) =>
      products(back!.from, back!.to, imageOf(dy, n), imageOf(dx!, n), count, back!.kernels, fresh ? zeros : 0, room(share)), // prettier-ignore

    weightGradient(share) {
      const [at] = groupsOf(placed, share);
      const { first, end } = at;
      if (end === first) return [];
      const edge = room(share);
      const changed = edge + 4 * 64;
      const changedSlopes = changed + 4 * 16 * PATCHES * (slice + APART);
      return [
        ...blocks(share.images * from.ofImage).flatMap((block): Program => [
          ['changePatches', x.first, changed, block.first, block.count, slice + APART, edge, from.sizes],
          ['changeSlopes', dy.first, changedSlopes, block.first, block.count, first, end, slopes.sizes],
          ['multiplySlopes', changed, alongPatches, changedSlopes, sums, block.first ? 0 : zeros, block.count, slice, O, first, end], // prettier-ignore
        ]),
        ['changeSums', sums, weights.gradient, slice, O, first, end],
        ...sumOfSlopes(placed, share, at),
      ];
    },

    moved(share) {
      const [{ first, end }] = groupsOf(placed, share);
      if (end === first) return [];
      const forward: Program = [
        ['changeKernels', weights.theta, kernels, O / 8, slice, 72 * slice, 8 * slice, 0, first / 8, end / 8, 0, slice],
      ];
      if (!back) return forward;
      const panels = slice / 8;
      return [
        ...forward,
        ['changeKernels', turned[0], back.kernels, panels, O, 8 * O, 8 * O * panels, 1, 0, panels, first, end],
      ];
    },
  };

  /** The patches of some images, evenly: at most so many at a time, and where they can be a multiple of a tile's 6 rows. */
  function blocks(total: number) {
    const count = 6 * Math.ceil(total / Math.ceil(total / PATCHES) / 6);
    return Array.from({ length: Math.ceil(total / count) }, (_, i) => {
      const first = i * count;
      return { first, count: Math.min(count, total - first) };
    });
  }
}
