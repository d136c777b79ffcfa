import { conv2dShape } from '../../naive/conv2d.ts';
import { groupedConv2dShape, type GroupedConv2dOptions } from '../../naive/groupedConv2d.ts';
import { linearShape } from '../../naive/linear.ts';
import { maxPool2dShape } from '../../naive/maxPool2d.ts';
import { named, type Node, type Residual } from '../../network.ts';
import { zeros } from '../../tensor.ts';
import { geometry, type PoolOptions } from '../../window.ts';
import { turnedSize, type Convolution } from '../convolution.ts';
import { directWay } from './directWay.ts';
import { packedPosition } from './parameter.ts';
import type { Plan } from './plan.ts';
import { chunksOf, type Call, type Part, type Program, type Stage } from './program.ts';
import { kernelsWay, sharedByKernels } from './kernelsWay.ts';
import { sparseWay } from './sparseWay.ts';
import { imageOf, pictureIn, Value, type Picture } from './value.ts';
import type { Placed } from './way.ts';
import { winogradPays, winogradRoom, winogradWay } from './winogradWay.ts';

/** A layer that is a convolution of x: conv2d, groupedConv2d; or linear, of images of one pixel. */
function convolutionOf({ name, layer, parameters, zero, options = {} }: Node, x: Value): Omit<Convolution, 'N'> {
  const shapes = { ...parameters, ...zero };
  const [w, b] = [zeros(shapes.w), zeros(shapes.b)];
  if (layer === 'linear') {
    const { O, D } = linearShape(zeros([1, x.numbers]), w, b, {});
    return { ...geometry(name, [1, 1], [1, 1], {}), groups: 1, slice: D, O };
  }
  const one = zeros([1, x.C, x.H, x.W]);
  if (layer === 'conv2d') {
    const { C, O, ...g } = conv2dShape(one, w, b, options);
    return { ...g, groups: 1, slice: C, O };
  }
  return groupedConv2dShape(one, w, b, options as GroupedConv2dOptions);
}

/** Whether `pool`, after a convolution of x and relu, has a kernel of its own: 2×2 places side by side, none in a border. */
export function poolsPairs(convolution: Node, x: Value, pool: Node | Residual): boolean {
  if (!('layer' in pool) || pool.layer !== 'maxPool2d') return false;
  const { OH, OW } = convolutionOf(convolution, x);
  const g = maxPool2dShape(zeros([1, 1, OH, OW]), pool.options as PoolOptions);
  const taps = [g.KH, g.KW, g.row(0, 1), g.column(0, 1)];
  const places = [g.row(1, 0), g.column(1, 0), g.OH - (OH >> 1), g.OW - (OW >> 1)];
  return `${[taps, places]}` === `${[2, 2, 1, 1, 2, 2, 0, 0]}` && g.top + g.left + g.bottom + g.right === 0;
}

/**
 * y = x convolved with w, or x·wᵀ, plus b; and relu and a maximum pool of 2×2 in the same go, image by image, if they follow.
 *
 * Backward dy is 0 where relu or the pool let nothing through. Without a pool that is half of it or less, and dx and dw run over
 * all of it; behind a pool three quarters or more, and they run over lists of the others.
 */
export function convolutionStage(plan: Plan, node: Node, input: Value, { relu = false, pool = false }): Value {
  const x = node.layer === 'linear' ? input.flat() : input;
  const g = convolutionOf(node, x);
  const { groups, slice, O, OH, OW } = g;
  const places = OH * OW;
  const y = new Value(pool ? [O, OH >> 1, OW >> 1] : [O, OH, OW], { learns: true, bordered: pool });
  plan.values.push(y);
  const [quick, lists] = [winogradPays({ plan, g }), pool && groups === 1 && slice % 4 === 0];
  const bordered = lists || !quick;
  const reader = {};
  x.readBy(reader, bordered && node.layer !== 'linear' ? g : undefined);
  const panels = groups * Math.ceil(O / groups / 8);
  const K = slice * g.KH * g.KW;
  let panelsOf: Placed['panels'];
  const parameters = parametersOf();
  plan.stages.push({ name: node.name, ...passes() });
  return y;

  /** What is done, once it is known how x lies in memory: when all its readers are. */
  function passes(): Omit<Stage, 'name'> {
    let made: ReturnType<typeof allocated>;
    return {
      allocate: () => void (made = allocated()),
      forward: (share) => made.forward(share),
      backward: (share) => made.backward(share),
      sums: (share) => made.sums(share),
      moved: (share) => made.moved(share),
    };
  }

  function allocated(): Required<Omit<Stage, 'name' | 'allocate'>> {
    const { space, images } = plan;
    panelsOf = plan.cut(panels, 8 * K * (images * places * (lists ? 1 / 4 : quick ? 1 / 2 : 1) + OF_A_WEIGHT));
    const border = (['top', 'bottom', 'left', 'right'] as const).every((side) => x.border[side] >= g[side]);
    const copied = bordered && !border;
    const bordersOf = copied ? g : x.border;
    const copy = () => pictureIn(space, images, [x.H, x.W, x.C], g);
    const unpooledSlopes = (): Picture =>
      ({ first: lists ? 0 : space.room(images * places * O), row: 4 * OW * O, image: 4 * places * O }); // prettier-ignore
    const placed: Placed = {
      ...{ plan, g, ...parameters, panels: panelsOf },
      x: copied ? copy() : x.picture,
      dx: x.learns ? (copied ? copy() : x.gradient) : undefined,
      rows: bordersOf.top + x.H + bordersOf.bottom,
      columns: bordersOf.left + x.W + bordersOf.right,
      ...{ top: bordersOf.top, left: bordersOf.left },
      dy: pool ? unpooledSlopes() : y.gradient,
      turned: Array.from({ length: groups }, () => (x.learns ? space.room(turnedSize(O / groups, g)) : 0)),
    };
    const index = pool ? space.room((images * y.numbers) / 4) : 0;
    const direct = directWay(placed);
    const sparse = lists ? sparseWay(placed) : undefined;
    const onlyForward = { ...placed, dx: undefined }; // what is done over lists needs no kernels for dx
    const winograd = quick ? winogradWay(sparse ? onlyForward : placed, (share) => scratch(share)) : undefined;
    const kernels = sharedByKernels(plan, node, g) ? kernelsWay(placed, direct) : undefined;
    const forward = kernels ?? winograd ?? direct;
    const unpooled = quick ? winogradRoom(g) : 0; // what winogradWay needs is before it
    const scratch = plan.scratch(unpooled + (pool ? (forward.images ?? images) * places * O : 0));
    const back = kernels ?? sparse ?? winograd ?? direct;

    return {
      forward: (share) =>
        chunksOf(share, forward.images).flatMap(({ n, count }): Program => {
          const to = pool ? scratch(share) + 4 * unpooled : imageOf(y.picture, n);
          return [
            ...(copied ? [between('copyPictures', x.picture, placed.x, n, count)] : []),
            ...forward.forward(share, n, count, to),
            ...(relu && !pool ? [['relu', to, to, count * places * O] as Call] : []),
            ...(pool ? each(n, count, (i) => {
              const of = to + 4 * (i - n) * places * O;
              return ['reluMaxPool', of, imageOf(y.picture, i), index + i * y.numbers, OH, OW, O, y.picture.row];
            }) : []), // prettier-ignore
          ];
        }),

      backward: (share) =>
        chunksOf(share, back.images).flatMap(({ n, count }): Program => {
          const [dy, row] = [imageOf(y.gradient, n), y.gradient.row];
          const first = x.firstBack(reader);
          return [
            ...(relu && !pool ? [['reluBackward', dy, imageOf(y.picture, n), dy, count * places * O] as Call] : []),
            ...(pool ? each(n, count, (i) => {
              const at = index + i * y.numbers;
              if (sparse) return sparse.list(i, y.gradient, at);
              return ['reluMaxPoolBackward', imageOf(y.gradient, i), row, at, imageOf(placed.dy, i), OH, OW, O];
            }) : []), // prettier-ignore
            ...(placed.dx ? back.inputGradient(share, n, count, first || copied) : []),
            ...(placed.dx && copied ? [between(first ? 'copyPictures' : 'addPictures', placed.dx, x.gradient, n, count)] : []), // prettier-ignore
          ];
        }),

      sums: (share) => back.weightGradient(share),
      moved: (share) => [...direct.moved(share), ...(winograd?.moved(share) ?? [])],
    };
  }

  /** Weights in panels of 8 kernels, as assembly/convolution.ts has them, and bias: room for one if the layer has none. */
  function parametersOf(): Pick<Placed, 'weights' | 'bias'> {
    const names = Object.fromEntries(named(node));
    const shape = x.flattened && node.layer === 'linear' ? [O, ...x.flattened] : [O, slice, g.KH, g.KW];
    const inPanels = (name: string, shape: readonly number[], position: readonly number[], ofPanel: number) =>
      plan.parameter({
        ...{ name, shape, count: panels * ofPanel, position: packedPosition(position, groups) },
        part: (share) => times(ofPanel, panelsOf(share)),
      });
    return {
      weights: inPanels(names.w, node.parameters!.w, shape, 8 * K),
      bias: names.b ? inPanels(names.b, [O], [O, 1, 1, 1], 8) : { theta: plan.space.room(panels * 8) },
    };
  }

  /** Images of x without their borders, from one picture to another. */
  function between(kernel: 'copyPictures' | 'addPictures', from: Picture, to: Picture, n: number, count: number): Call {
    return [kernel, imageOf(from, n), imageOf(to, n), count, x.H, x.W * x.C, from.row, from.image, to.row, to.image];
  }
}

/** About what a weight costs beside its sum, to be moved, and packed for the next step: in terms of the sum. */
const OF_A_WEIGHT = 16;

const times = (count: number, { first, end }: Part): Part => ({ first: count * first, end: count * end });

const each = (n: number, count: number, call: (i: number) => Call): Program =>
  Array.from({ length: count }, (_, i) => call(n + i));
