import type { Tensor } from '../tensor.ts';
import type { Geometry } from '../window.ts';
import { putImages, takeImages } from './images.ts';
import { clear, kernels, put, putIntegers, room, take } from './kernels.ts';

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
  const [y, geometry] = [room(g.N * g.OH * g.OW * g.O), putGeometry(g)];
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
  const [dw, db, geometry] = [room(g.O * g.KH * g.KW * g.slice), room(g.O), putGeometry(g)];
  for (const at of groups(g)) {
    const [packed, turned, sums] = [packedSize(at.O, at.K), turnedSize(at.O, g), packedSize(at.O, at.K)].map(room);
    kernels.pack(w + at.w, packed, at.O, at.K);
    kernels.turn(packed, turned, at.O, g.slice, g.KH * g.KW, 0, at.O);
    kernels.convolveInputGradient(dy + at.y, turned, dx + at.x, geometry);
    kernels.convolveWeightGradient(dy + at.y, x + at.x, sums, geometry, 0, at.O);
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
const packedSize = (O: number, K: number) => 8 * Math.ceil(O / 8) * K;

/** Numbers of O kernels turned for dx: whole panels of 8 channels. */
const turnedSize = (O: number, { slice, KH, KW }: Convolution) => 8 * Math.ceil(slice / 8) * KH * KW * O;

/** The address of the Geometry of assembly/convolution.ts. */
function putGeometry(g: Convolution): number {
  const { N, groups, slice, O, KH, KW, OH, OW, row, column } = g;
  const [H, W, C] = [g.top + g.H + g.bottom, g.left + g.W + g.right, groups * slice];
  /** The number in x under tap (kh, kw) at place (oh, ow), after that under the first tap at the first place. */
  const number = (oh: number, ow: number, kh: number, kw: number, c = 0) =>
    ((row(oh, kh) - row(0, 0)) * W + column(ow, kw) - column(0, 0)) * C + c;
  const ofKernel = indices(KH, KW, slice).map(([kh, kw, c]) => number(0, 0, kh, kw, c));
  const ofPlaces = indices(N, OH, OW).map(([n, oh, ow]) => n * H * W * C + number(oh, ow, 0, 0));
  const ofChannels = indices(O / groups).map(([o]) => o);
  const tables = [ofKernel, ofPlaces, ofChannels].map((numbers) => putIntegers(steps(numbers)));
  const [strideH, strideW, dilationH, dilationW] = [row(1, 0), column(1, 0), row(0, 1), column(0, 1)];
  return putIntegers([
    ...[N, slice, C, H, W, O / groups, O, OH, OW, KH, KW],
    ...[strideH + g.top, strideW + g.left, dilationH + g.top, dilationW + g.left],
    ...tables,
  ]);
}

/** Bytes from each of these numbers to the next; the last goes nowhere. */
const steps = (numbers: readonly number[]) => numbers.map((from, i) => 4 * ((numbers[i + 1] ?? from) - from));

/** (0, …, 0), (0, …, 1), …: every index into this shape, the last axis fastest. */
const indices = (...shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<number[][]>(
    (before, count) => before.flatMap((i) => Array.from({ length: count }, (_, j) => [...i, j])),
    [[]],
  );
