import type { Tensor } from '../tensor.ts';
import type { Geometry } from '../window.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, putIntegers, room, take, type Workspace } from './kernels.ts';

/** A convolution of x (N, groups·slice, H, W) with w (O, slice, KH, KW). One group is conv2d. */
export interface Convolution extends Geometry {
  readonly N: number;
  readonly groups: number;
  readonly slice: number;
  readonly O: number;
}

/**
 * The address of y (N, OH, OW, O), of x (N, H, W, C) with its padding, w (O, KH, KW, slice) and b (O), all addresses too.
 */
export function convolve(x: number, w: number, b: number, g: Convolution): number {
  const [y, geometry] = [room(g.N * g.OH * g.OW * g.O), putGeometry({ putIntegers }, g)];
  for (const at of groups(g)) {
    const packed = room(packedSize(at.O, at.K));
    kernels.pack(w + at.w, packed, at.O, at.K);
    kernels.convolve(x + at.x, packed, b + at.b, y + at.y, geometry);
  }
  return y;
}

/** The addresses of dx, with the padding of x, of dw and of db. */
export function convolveBackward(dy: number, x: number, w: number, g: Convolution) {
  const dx = room(g.N * (g.top + g.H + g.bottom) * (g.left + g.W + g.right) * g.groups * g.slice);
  const [dw, db, geometry] = [room(g.O * g.KH * g.KW * g.slice), room(g.O), putGeometry({ putIntegers }, g)];
  for (const at of groups(g)) {
    const [packed, turned, sums] = [packedSize(at.O, at.K), turnedSize(at.O, g), packedSize(at.O, at.K)].map(room);
    kernels.pack(w + at.w, packed, at.O, at.K);
    kernels.turn(packed, turned, at.O, g.slice, g.KH * g.KW, 0, at.O);
    kernels.convolveInputGradient(dy + at.y, turned, dx + at.x, geometry);
    kernels.convolveWeightGradient(dy + at.y, x + at.x, sums, geometry, 0, at.O, 1);
    kernels.unpack(sums, dw + at.w, at.O, at.K);
  }
  kernels.sumRows(dy, db, g.N * g.OH * g.OW, g.O, 0, g.O);
  return { dx, dw, db };
}

/** conv2d and groupedConv2d, of tensors. */
export function convolution(x: Tensor, w: Tensor, b: Tensor, g: Convolution): Tensor {
  clear();
  return takeImages(convolve(putImages(x, g), putImages(w), put(b), g), [g.N, g.O, g.OH, g.OW]);
}

/** conv2dBackward and groupedConv2dBackward, of tensors. */
export function convolutionBackward(dy: Tensor, x: Tensor, w: Tensor, g: Convolution) {
  clear();
  const { dx, dw, db } = convolveBackward(putImages(dy), putImages(x, g), putImages(w), g);
  return { dx: takeImages(dx, x.shape, g), dw: takeImages(dw, w.shape), db: take(db, [g.O]) };
}

/** Of each group: how many bytes on it begins in x, w, b and y; how many kernels it has, of how many numbers. */
function groups({ groups, slice, O, KH, KW }: Convolution) {
  const [ofGroup, K] = [O / groups, slice * KH * KW];
  return Array.from({ length: groups }, (_, group) => {
    const first = 4 * group * ofGroup;
    return { x: 4 * group * slice, w: first * K, b: first, y: first, O: ofGroup, K };
  });
}

/** Numbers of O packed kernels of K numbers: whole panels of 8 kernels. */
export const packedSize = (O: number, K: number) => 8 * Math.ceil(O / 8) * K;

/** Numbers of O kernels turned for dx: whole panels of 8 channels. */
export const turnedSize = (O: number, { slice, KH, KW }: Pick<Convolution, 'slice' | 'KH' | 'KW'>) =>
  8 * Math.ceil(slice / 8) * KH * KW * O;

/** Where x lies: rows and columns of each image, its border included, of which convolutions see a part. */
interface Lie {
  readonly rows: number;
  readonly columns: number;
}

/** As layers lay x out: with the padding that the convolution has. */
const padded = ({ top, H, bottom, left, W, right }: Geometry): Lie => ({
  rows: top + H + bottom,
  columns: left + W + right,
});

/** The number in x under tap (kh, kw) at place (oh, ow) of image n, after that under the first tap at the first place. */
export const numberUnder =
  ({ groups, slice, row, column }: Convolution, { rows, columns }: Lie) =>
  (n: number, oh: number, ow: number, kh = 0, kw = 0) =>
    ((n * rows + row(oh, kh) - row(0, 0)) * columns + column(ow, kw) - column(0, 0)) * groups * slice;

/** The address of the Geometry of assembly/convolution.ts; of all channels of x and y of a group, or of a part of them. */
export function putGeometry(
  space: Pick<Workspace, 'putIntegers'>,
  g: Convolution,
  lie = padded(g),
  channels: { readonly x?: number; readonly y?: number } = {},
): number {
  const { N, groups, slice, O, KH, KW, OH, OW, top, left, row, column } = g;
  const number = numberUnder(g, lie);
  const ofKernel = indices(KH, KW, slice).map(([kh, kw, c]) => number(0, 0, 0, kh, kw) + c);
  const ofPlaces: number[] = [];
  for (let n = 0; n < N; n++)
    for (let oh = 0; oh < OH; oh++) for (let ow = 0; ow < OW; ow++) ofPlaces.push(number(n, oh, ow));
  const ofChannels = indices(O / groups).map(([o]) => o);
  const tables = [ofKernel, ofPlaces, ofChannels].map((numbers) => space.putIntegers(steps(numbers)));
  return space.putIntegers([
    ...[N, channels.x ?? slice, groups * slice, lie.rows, lie.columns, channels.y ?? O / groups, O, OH, OW, KH, KW],
    ...[row(1, 0) + top, column(1, 0) + left, row(0, 1) + top, column(0, 1) + left],
    ...tables,
  ]);
}

/** Bytes from each of these numbers to the next; the last goes nowhere. */
const steps = (numbers: readonly number[]) => numbers.map((from, i) => 4 * ((numbers[i + 1] ?? from) - from));

/** (0, …, 0), (0, …, 1), …: every index into this shape, the last axis fastest. */
export const indices = (...shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<number[][]>(
    (before, count) => before.flatMap((i) => Array.from({ length: count }, (_, j) => [...i, j])),
    [[]],
  );
