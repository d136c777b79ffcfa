import { random, type Random } from '../../src/random.ts';
import { size } from '../../src/tensor.ts';
import { geometry } from '../../src/window.ts';
import type { Build } from '../../src/simd/compile.ts';
import {
  indices,
  numberUnder,
  packedSize,
  putGeometry,
  turnedSize,
  type Convolution,
} from '../../src/simd/convolution.ts';
import { winograd, winogradCalls, winogradRoom } from '../../src/simd/engine/winograd.ts';
import type { Call } from '../../src/simd/engine/program.ts';
import { Workspace } from '../../src/simd/kernels.ts';
import { repeat, type Competitor } from './interleave.ts';

/** A kernel on numbers of a size that a network has. */
export interface KernelRun extends Competitor {
  readonly name: string;
  readonly build: Build;
}

/** The name of the loop that all others are held against. */
export const LIMIT = 'multiply-adds on registers alone';

/** Of one call of the limit: enough that a call costs nothing, few enough that it is compiled anew soon. */
const [LIMIT_ROUNDS, LIMIT_OPERATIONS] = [2000, 104];

/** Of the pooled gradients of mnistNet's second layer with its first weights, the share that is not 0; a pool lets a quarter through. */
const ALIVE = 0.6 / 4;

/** About so many operations are done before the clock is looked at. */
const AT_A_TIME = 2e6;

/** The kernels of a build, each with its operations: a multiply-add is two. */
export async function kernelRuns(build: Build, seed: number): Promise<readonly KernelRun[]> {
  const space = await Workspace.of(build);
  const stream = random(seed);
  const run = (name: string, operations: number, calls: readonly Call[]): KernelRun => {
    const times = Math.max(1, Math.round(AT_A_TIME / operations));
    const bound = calls.map(([kernel, ...args]) => [space.kernels[kernel], args] as const);
    const step = () => {
      for (let i = 0; i < times; i++) for (const [kernel, args] of bound) kernel(...args);
      return times * operations;
    };
    return { name, build, work: (seconds) => repeat(seconds, step) };
  };
  return [
    run(LIMIT, LIMIT_ROUNDS * LIMIT_OPERATIONS, [['limit', LIMIT_ROUNDS]]),
    ...convolutions(space, stream, run),
    ...sparseGradients(space, stream, run),
    linear(space, stream, run),
    ...resnetLayer(space, stream, run),
  ];
}

type Run = (name: string, operations: number, calls: readonly Call[]) => KernelRun;

/** A 3×3 convolution with a pixel of zeros around an image of H rows and columns. */
const threeByThree = (C: number, O: number, H: number): Convolution => ({
  ...{ N: 1, groups: 1, slice: C, O },
  ...geometry('bench', [H, H], [3, 3], { padding: 1 }),
});

export const operationsOf = ({ N, O, OH, OW, slice, KH, KW }: Convolution): number =>
  2 * N * O * OH * OW * slice * KH * KW;

/** The address of so many numbers in [−1, 1), nowhere 0: what is multiplied takes its time whatever it is, unless it is denormal. */
const some = (space: Workspace, { uniform }: Random, count: number): number =>
  space.put({ data: Float64Array.from({ length: count }, () => 2 * uniform() - 1) });

const paddedSize = ({ top, H, bottom, left, W, right, slice }: Convolution) =>
  (top + H + bottom) * (left + W + right) * slice;

/** mnistNet's second layer, an image at a time. */
function convolutions(space: Workspace, stream: Random, run: Run): readonly KernelRun[] {
  const g = threeByThree(32, 64, 14);
  const K = g.slice * g.KH * g.KW;
  const x = some(space, stream, paddedSize(g));
  const [w, b, y] = [packedSize(g.O, K), g.O, g.O * g.OH * g.OW].map((count) => some(space, stream, count));
  const [dw, dx] = [packedSize(g.O, K), paddedSize(g)].map((count) => space.room(count));
  const turned = some(space, stream, turnedSize(g.O, g));
  const at = putGeometry(space, g);
  const operations = operationsOf(g);
  return [
    run('mnistNet conv2 forward', operations, [['convolve', x, w, b, y, at]]),
    run('mnistNet conv2 dw', operations, [
      ['clear', dw, 4 * packedSize(g.O, K)],
      ['convolveWeightGradient', y, x, dw, at, 0, g.O],
    ]),
    run('mnistNet conv2 dx', operations, [
      ['clear', dx, 4 * paddedSize(g)],
      ['convolveInputGradient', y, turned, dx, at],
    ]),
  ];
}

/** The same layer's gradients through lists of what relu and pool let through; only what is computed is counted. */
function sparseGradients(space: Workspace, stream: Random, run: Run): readonly KernelRun[] {
  const g = threeByThree(32, 64, 14);
  const { slice, O, OH, OW, KH, KW } = g;
  const rows = { rows: g.top + g.H + g.bottom, columns: g.left + g.W + g.right };
  const under = numberUnder(g, rows);
  const places = indices(OH, OW).map(([oh, ow]) => 4 * under(0, oh, ow));
  const taps = space.putIntegers(indices(KH, KW).map(([kh, kw]) => 4 * under(0, 0, 0, kh, kw)));
  const room = places.length / 4;
  const length = Math.round(ALIVE * places.length);
  const [lists, counts] = [space.room(O * room * 2), space.putIntegers(Array<number>(O).fill(length))];
  for (let o = 0; o < O; o++) {
    const drawn = stream.shuffled(places.length).slice(0, length).toSorted();
    drawn.forEach((place, i) => {
      const entry = lists + 8 * (o * room + i);
      space.integers(entry, 1)[0] = places[place];
      space.floats(entry + 4, 1)[0] = 2 * stream.uniform() - 1;
    });
  }
  const K = slice * KH * KW;
  const x = some(space, stream, paddedSize(g));
  const turned = some(space, stream, turnedSize(O, g));
  const [dw, db, dx] = [O * K, O, paddedSize(g)].map((count) => space.room(count));
  const sparse = space.putIntegers([slice, O, KH * KW, room, taps, 4 * paddedSize(g)]);
  const operations = 2 * O * length * K;
  return [
    run('mnistNet conv2 dw, sparse', operations, [
      ['clear', dw, 4 * O * K],
      ['sparseWeightGradient', lists, counts, x, dw, db, 1, 0, O, sparse],
    ]),
    run('mnistNet conv2 dx, sparse', operations, [
      ['clear', dx, 4 * paddedSize(g)],
      ['sparseInputGradient', lists, counts, turned, dx, sparse],
    ]),
  ];
}

/** mnistNet's first linear layer, for the batch of a step. */
function linear(space: Workspace, stream: Random, run: Run): KernelRun {
  const g: Convolution = { ...{ N: 1, groups: 1, slice: 3136, O: 128 }, ...geometry('bench', [1, 64], [1, 1], {}) };
  const [x, w, b] = [g.slice * g.OW, packedSize(g.O, g.slice), g.O].map((count) => some(space, stream, count));
  const y = space.room(g.O * g.OW);
  return run('mnistNet fc1 forward, 64 images', operationsOf(g), [['convolve', x, w, b, y, putGeometry(space, g)]]);
}

/** A layer of ResNet-18's second stage: directly, and with Winograd's fewer products, for which as many operations are counted. */
function resnetLayer(space: Workspace, stream: Random, run: Run): readonly KernelRun[] {
  const g = threeByThree(128, 128, 28);
  const K = g.slice * g.KH * g.KW;
  const padded = some(space, stream, paddedSize(g));
  const image = { H: g.H, W: g.W, C: g.slice, row: 4 * g.W * g.slice, image: 4 * g.H * g.W * g.slice };
  const x = some(space, stream, size([image.H, image.W, image.C]));
  const [w, b] = [packedSize(g.O, K), g.O].map((count) => some(space, stream, count));
  const [y, scratch] = [g.O * g.OH * g.OW, winogradRoom(g.slice, g.O)].map((count) => space.room(count));
  const quick = winograd({ space }, image, { ...image, C: g.O }, g.top, g.left);
  const [panels, tapStep] = [g.O / 8, 8 * g.slice];
  space.kernels.changeKernels(w, quick.kernels, panels, g.slice, 9 * tapStep, tapStep, 0, 0, panels, 0, g.slice);
  return [
    run('ResNet 3×3, 128 channels, 28×28', operationsOf(g), [['convolve', padded, w, b, y, putGeometry(space, g)]]),
    run('the same by Winograd', operationsOf(g), winogradCalls(quick, x, y, 1, b, scratch)),
  ];
}
