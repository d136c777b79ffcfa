import type { Plan } from './plan.ts';
import type { Call } from './program.ts';
import type { Picture } from './value.ts';

/** About so many patches are done at a time: what they become stays in the cache. */
const PATCHES = 96;

/** Images of one size, where they lie. */
export interface Lying extends Pick<Picture, 'row' | 'image'> {
  readonly H: number;
  readonly W: number;
  readonly C: number;
}

/** Numbers of the memory that `winogradCalls` needs for itself, from images of C channels to some of O. */
export const winogradRoom = (C: number, O: number) => 16 * PATCHES * (C + O) + 64;

/** Where the kernels are, changed, and what all calls have in common. */
export interface Winograd {
  readonly kernels: number;
  readonly zeros: number;
  readonly steps: number;
  readonly from: number;
  readonly to: number;
  readonly C: number;
  readonly O: number;
  /** Patches of an image. */
  readonly ofImage: number;
}

/** A 3×3 convolution of stride 1, from images to images, with so many rows and columns of zeros before: see assembly/winograd.ts. */
export function winograd({ space }: Pick<Plan, 'space'>, from: Lying, to: Lying, top: number, left: number): Winograd {
  const [down, across] = [Math.ceil(to.H / 2), Math.ceil(to.W / 2)];
  const put = ({ H, W, C, row, image }: Lying, before: readonly number[]) =>
    space.putIntegers([H, W, C, row, image, ...before, down, across]);
  return {
    kernels: space.room(16 * from.C * to.C),
    zeros: space.room(Math.max(8, to.C)),
    steps: space.putIntegers(Array.from({ length: from.C }, () => 4)),
    from: put(from, [top, left]),
    to: put(to, [0, 0]),
    C: from.C,
    O: to.C,
    ofImage: down * across,
  };
}

/** The convolution of some images, from and to these addresses; plus b, or plus what is there, if b is 0. `room` is winogradRoom. */
export function winogradCalls(w: Winograd, x: number, y: number, images: number, b: number, room: number): Call[] {
  const total = images * w.ofImage;
  const most = w.ofImage > PATCHES ? PATCHES : Math.floor(PATCHES / w.ofImage) * w.ofImage;
  const [edge, patches] = [room, room + 4 * 64];
  const products = patches + 4 * 16 * PATCHES * w.C;
  return Array.from({ length: Math.ceil(total / most) }, (_, i) => i * most).flatMap((first): Call[] => {
    const count = Math.min(most, total - first);
    return [
      ['changePatches', x, patches, first, count, edge, w.from],
      ['multiplyPatches', patches, w.kernels, products, w.zeros, w.steps, count, w.C, w.O],
      ['changeProducts', products, b, y, first, count, w.to],
    ];
  });
}
