import { random, type Random } from '../../src/random.ts';
import type { Build } from '../../src/simd/compile.ts';
import { packedSize, turnedSize, type Convolution } from '../../src/simd/convolution.ts';
import { directWay } from '../../src/simd/engine/directWay.ts';
import type { Program, Share } from '../../src/simd/engine/program.ts';
import { sparseWay } from '../../src/simd/engine/sparseWay.ts';
import { pictureIn } from '../../src/simd/engine/value.ts';
import type { Placed, Way } from '../../src/simd/engine/way.ts';
import { winogradRoom, winogradWay } from '../../src/simd/engine/winogradWay.ts';
import { Workspace } from '../../src/simd/kernels.ts';
import { geometry } from '../../src/window.ts';
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

/** Of the pooled gradients of mnistNet's second layer with its first weights, the share that is not 0. */
const ALIVE = 0.6;

/** About so many operations are done before the clock is looked at. */
const AT_A_TIME = 2e6;

/** The kernels of a build, each with its operations: a multiply-add is two. */
export async function kernelRuns(build: Build, seed: number): Promise<readonly KernelRun[]> {
  const space = await Workspace.of(build);
  const stream = random(seed);
  const make = (program: Program) => {
    for (const [kernel, ...args] of program) space.kernels[kernel](...args);
  };
  const run = (name: string, operations: number, program: Program): KernelRun => {
    const times = Math.max(1, Math.round(AT_A_TIME / operations));
    const step = () => {
      for (let i = 0; i < times; i++) make(program);
      return times * operations;
    };
    return { name, build, work: (seconds) => repeat(seconds, step) };
  };
  const conv2 = place(space, stream, threeByThree(32, 64, 14), 1);
  const stage2 = place(space, stream, threeByThree(128, 128, 28), 1);
  const linear: Geometry = { ...{ groups: 1, slice: 3136, O: 128 }, ...geometry('bench', [1, 1], [1, 1], {}) };
  const fc1 = place(space, stream, linear, 64);
  const quick = winogradWay(stage2.placed, () => stage2.scratch);
  make(quick.moved(alone(1)));
  const sparse = sparseWay(conv2.placed);
  const pooled = pictureIn(space, 1, [7, 7, 64], { top: 0, bottom: 0, left: 0, right: 0 });
  space.floats(pooled.first, 7 * 7 * 64).fill(1);
  const taps = Uint8Array.from({ length: 7 * 7 * 64 }, () => (stream.uniform() < ALIVE ? 4 * stream.uniform() : 4));
  const index = space.room(taps.length / 4);
  new Uint8Array(space.memory.buffer, index, taps.length).set(taps);
  make([sparse.list(0, pooled, index)]);
  const alive = taps.filter((tap) => tap < 4).length / taps.length / 4;

  return [
    run(LIMIT, LIMIT_ROUNDS * LIMIT_OPERATIONS, [['limit', LIMIT_ROUNDS]]),
    ...passes('mnistNet conv2', conv2, directWay(conv2.placed), 1),
    ...passes('mnistNet conv2, sparse', conv2, { ...directWay(conv2.placed), ...sparse }, alive).slice(1),
    ...passes('mnistNet fc1, 64 images', fc1, directWay(fc1.placed), 1),
    ...passes('resnet18 layer2', stage2, directWay(stage2.placed), 1),
    ...passes('resnet18 layer2, Winograd', stage2, quick, 1),
  ];

  /** Forward, dw and dx; of all operations a share is done. */
  function passes(name: string, { placed, y }: ReturnType<typeof place>, way: Way, done: number): readonly KernelRun[] {
    const { images } = placed.plan;
    const operations = done * operationsOf({ ...placed.g, N: images });
    return [
      run(`${name} forward`, operations, way.forward(alone(images), 0, images, y)),
      run(`${name} dw`, operations, way.weightGradient(alone(images))),
      run(`${name} dx`, operations, way.inputGradient(alone(images), 0, images, true)),
    ];
  }
}

/** All of a batch, on one thread. */
const alone = (images: number): Share => ({ thread: 0, threads: 1, from: 0, to: images, images, training: true });

type Geometry = Omit<Convolution, 'N'>;

/** A 3×3 convolution with a pixel of zeros around an image of H rows and columns. */
const threeByThree = (C: number, O: number, H: number): Geometry => ({
  ...{ groups: 1, slice: C, O },
  ...geometry('bench', [H, H], [3, 3], { padding: 1 }),
});

export const operationsOf = ({ N, O, OH, OW, slice, KH, KW }: Convolution): number =>
  2 * N * O * OH * OW * slice * KH * KW;

/** A convolution in memory, of numbers in [−1, 1) that are nowhere 0: denormal ones alone would take another time. */
function place(space: Workspace, { uniform }: Random, g: Geometry, images: number) {
  const { slice, O, KH, KW, OH, OW, H, W } = g;
  const some = (count: number) => space.put({ data: Float64Array.from({ length: count }, () => 2 * uniform() - 1) });
  const picture = (size: readonly [number, number, number], border = none) => {
    const made = pictureIn(space, images, size, border);
    const first = made.first - border.top * made.row - 4 * size[2] * border.left;
    const numbers = space.floats(first, (images * made.image) / 4);
    numbers.forEach((_, i) => (numbers[i] = 2 * uniform() - 1));
    return made;
  };
  const K = slice * KH * KW;
  const { top, bottom, left, right } = g;
  const placed: Placed = {
    plan: { space, images },
    g,
    x: picture([H, W, slice], g),
    dx: picture([H, W, slice], g),
    ...{ rows: top + H + bottom, columns: left + W + right, top, left },
    dy: picture([OH, OW, O]),
    weights: { theta: some(packedSize(O, K)), gradient: space.room(packedSize(O, K)) },
    bias: { theta: some(O) },
    turned: [some(turnedSize(O, g))],
    panels: () => ({ first: 0, end: O / 8 }),
  };
  return { placed, y: space.room(images * OH * OW * O), scratch: space.room(winogradRoom(g)) };
}

const none = { top: 0, bottom: 0, left: 0, right: 0 };
