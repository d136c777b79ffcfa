import { indices, numberUnder } from '../convolution.ts';
import { clear, groupsOf, under } from './directWay.ts';
import type { Call } from './program.ts';
import type { Picture } from './value.ts';
import type { Placed, Way } from './way.ts';

/** Backward from behind relu and a pool of 2×2, over lists of what is not 0: see assembly/sparse.ts. */
export interface SparseWay extends Pick<Way, 'images' | 'inputGradient' | 'weightGradient'> {
  /** Makes the lists of image n, from the gradient of the pool's y and its index. */
  readonly list: (n: number, pooled: Picture, index: number) => Call;
}

export function sparseWay(placed: Placed): SparseWay {
  const { plan, g, x, dx, weights, bias, turned } = placed;
  const { space, images } = plan;
  const { slice, O, KH, KW, OH, OW } = g;
  const K = slice * KH * KW;
  const pooled = (OH >> 1) * (OW >> 1);
  const number = numberUnder({ ...g, N: 1 }, placed);
  const lists = space.room(images * O * pooled * 2);
  const counts = space.room(images * O);
  const db = bias.gradient ?? space.room(O);
  const dense = space.room(O * K);
  const offsets = space.putIntegers(indices(OH, OW).map(([oh, ow]) => 4 * number(0, oh, ow)));
  const taps = space.putIntegers(indices(KH, KW).map(([kh, kw]) => 4 * number(0, 0, 0, kh, kw)));
  const sizes = space.putIntegers([slice, O, KH * KW, pooled, taps, x.image]);
  const listOf = (n: number) => [lists + 8 * n * O * pooled, counts + 4 * n * O];
  return {
    images: 1,

    list: (n, { first, row, image }, index) =>
      ['listGradients', first + n * image, row, index, offsets, OW, OH >> 1, OW >> 1, O, ...listOf(n), pooled], // prettier-ignore

    inputGradient: (_, n, count, fresh) => [
      ...clear(placed, n, count, fresh),
      ...Array.from({ length: count }, (_, i): Call => {
        return ['sparseInputGradient', ...listOf(n + i), turned[0], under(placed, dx!, n + i), sizes];
      }),
    ],

    weightGradient(share) {
      const [{ first, end }] = groupsOf(placed, share);
      if (end === first) return [];
      const [sums, packed, pixels] = [dense + 4 * first * K, weights.gradient + 4 * first * K, under(placed, x, 0)];
      return [
        ['clear', sums, 4 * (end - first) * K],
        ['sparseWeightGradient', lists, counts, pixels, dense, db, share.images, first, end, sizes],
        ['pack', sums, packed, end - first, K],
      ];
    },
  };
}
