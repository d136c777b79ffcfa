import { conv2dShape } from '../../naive/conv2d.ts';
import { groupedConv2dShape, type GroupedConv2dOptions } from '../../naive/groupedConv2d.ts';
import { linearShape } from '../../naive/linear.ts';
import { maxPool2dShape } from '../../naive/maxPool2d.ts';
import { named, type Node, type Residual } from '../../network.ts';
import { zeros } from '../../tensor.ts';
import { geometry, type PoolOptions } from '../../window.ts';
import { indices, numberUnder, packedSize, putGeometry, turnedSize, type Convolution } from '../convolution.ts';
import { packedPosition, type Parameter } from './parameter.ts';
import type { Plan } from './plan.ts';
import { chunksOf, part, type Call, type Program, type Share } from './program.ts';
import { imageOf, pictureIn, Value, type Picture } from './value.ts';
import { winograd, winogradCalls, winogradRoom, type Winograd } from './winograd.ts';

/** About so many places of a window are done in one call: what comes next finds them in the cache. */
const PLACES = 256;

const sizesOf = ({ H, W, C }: Value) => ({ H, W, C });

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
 * all of it; behind a pool three quarters or more, and they run over lists of the others: see assembly/sparse.ts.
 */
export function convolutionStage(plan: Plan, node: Node, input: Value, { relu = false, pool = false }): Value {
  const x = node.layer === 'linear' ? input.flat() : input;
  const g = convolutionOf(node, x);
  const { space } = plan;
  const { groups, slice, O, KH, KW, OH, OW, top, left } = g;
  const [places, K, ofGroup] = [OH * OW, slice * KH * KW, O / groups];
  const sparse = pool && groups === 1 && slice % 4 === 0;
  const y = new Value(pool ? [O, OH >> 1, OW >> 1] : [O, OH, OW], { learns: true, bordered: pool });
  plan.values.push(y);
  const reader = {};
  x.readBy(reader, node.layer === 'linear' ? undefined : g);

  const shape = node.layer === 'linear' && x.flattened ? [O, ...x.flattened] : [O, slice, KH, KW];
  const ofGroupPanels = Math.ceil(ofGroup / 8);
  const panels = groups * ofGroupPanels;
  const names = Object.fromEntries(named(node));
  const weights = plan.parameter(names.w, node.parameters!.w, panels * 8 * K, 8 * K, packedPosition(shape, groups));
  const bias: Pick<Parameter, 'theta' | 'gradient'> = names.b
    ? plan.parameter(names.b, [O], panels * 8, 8, packedPosition([O, 1, 1, 1], groups))
    : { theta: space.room(panels * 8), gradient: space.room(panels * 8) };
  const turned = Array.from({ length: groups }, () => (x.learns ? space.room(turnedSize(ofGroup, g)) : 0));

  /** Of each group: the bytes at which it begins in x, w, b and y; which of its kernels are in this thread's panels. */
  const groupsOf = (share: Share) =>
    Array.from({ length: groups }, (_, i) => {
      const panel = part(panels, 1, share);
      const kernels = (end: number) => Math.min(ofGroup, Math.max(0, 8 * (end - i * ofGroupPanels)));
      return {
        x: 4 * i * slice,
        w: 4 * i * packedSize(ofGroup, K),
        b: 4 * i * ofGroupPanels * 8,
        y: 4 * i * ofGroup,
        turned: turned[i],
        first: kernels(panel.first),
        end: kernels(panel.end),
      };
    });

  // What the memory of x looks like is known once all its readers are.
  let [own, ownGradient]: (Picture | undefined)[] = [];
  let [index, lists, counts, offsets, sparseGeometry, dense, slopes] = [0, 0, 0, 0, 0, 0, 0];
  const enough = () => (['top', 'bottom', 'left', 'right'] as const).every((side) => x.border[side] >= g[side]);
  const border = () => (own ? g : x.border);
  const lie = () => ({ rows: border().top + x.H + border().bottom, columns: border().left + x.W + border().right });
  /** The address under the first tap at the first place of image n. */
  const under = (picture: Picture, n: number) => imageOf(picture, n) - top * picture.row - 4 * left * x.C;
  const geometries = new Map<number, number>();
  function geometryFor(N: number): number {
    if (!geometries.has(N)) geometries.set(N, putGeometry(space, { ...g, N }, lie()));
    return geometries.get(N)!;
  }
  const most = Math.max(1, Math.floor(PLACES / places));
  // 3×3 taps next to each other, and enough channels: a quarter of the products for each number of y, and some sums.
  const dense9 = KH === 3 && KW === 3 && g.row(1, 1) + top === 2 && g.column(1, 1) + left === 2;
  const patches = plan.images * Math.ceil(OH / 2) * Math.ceil(OW / 2); // fewer do not pay for changing the kernels
  const quick = dense9 && groups === 1 && slice % 8 === 0 && O % 8 === 0 && slice >= 16 && patches >= 100;
  let [forwards, backwards]: (Winograd | undefined)[] = [];
  const unpooled = pool ? most * places * O : 0;
  const scratch = plan.scratch(unpooled + (quick ? winogradRoom(slice, O) : 0));
  const quickRoom = (share: Share) => scratch(share) + 4 * unpooled;

  plan.stages.push({
    name: node.name,
    allocate() {
      const { images } = plan;
      if (!enough()) {
        own = pictureIn(space, images, [x.H, x.W, x.C], g);
        if (x.learns) ownGradient = pictureIn(space, images, [x.H, x.W, x.C], g);
      }
      if (quick) {
        const { picture } = x;
        const [ofX, ofY] = [
          { ...picture, ...sizesOf(x) },
          { H: OH, W: OW, C: O, row: 4 * OW * O, image: 4 * places * O },
        ];
        forwards = winograd(plan, ofX, ofY, top, left);
        if (x.learns && !sparse) backwards = winograd(plan, ofY, { ...x.gradient, ...sizesOf(x) }, 2 - top, 2 - left);
      }
      if (!pool) return;
      index = space.room((images * y.numbers) / 4);
      if (!sparse) return void (slopes = space.room(images * places * O));
      const number = numberUnder({ ...g, N: 1 }, lie());
      const room = (OH >> 1) * (OW >> 1);
      lists = space.room(images * O * room * 2);
      counts = space.room(images * O);
      dense = space.room(O * K);
      offsets = space.putIntegers(indices(OH, OW).map(([oh, ow]) => 4 * number(0, oh, ow)));
      const taps = space.putIntegers(indices(KH, KW).map(([kh, kw]) => 4 * number(0, 0, 0, kh, kw)));
      sparseGeometry = space.putIntegers([slice, O, KH * KW, room, taps, (own ?? x.picture).image]);
    },

    forward(share) {
      return chunksOf(share, most).flatMap(({ n, count }): Program => {
        const from = own ?? x.picture;
        const to = pool ? scratch(share) : imageOf(y.picture, n);
        const calls: Call[] = own ? copy('copyPictures', x.picture, own, n, count) : [];
        if (forwards)
          calls.push(...winogradCalls(forwards, imageOf(x.picture, n), to, count, bias.theta, quickRoom(share)));
        else
          for (const at of groupsOf(share))
          calls.push(['convolve', under(from, n) + at.x, weights.theta + at.w, bias.theta + at.b, to + at.y, geometryFor(count)]); // prettier-ignore
        if (relu && !pool) calls.push(['relu', to, to, count * places * O]);
        for (let i = 0; pool && i < count; i++)
          calls.push(['reluMaxPool', to + 4 * i * places * O, imageOf(y.picture, n + i), index + (n + i) * y.numbers, OH, OW, O, y.picture.row]); // prettier-ignore
        return calls;
      });
    },

    backward(share) {
      const to = ownGradient ?? (x.learns ? x.gradient : undefined);
      const fresh = ownGradient !== undefined || x.firstBack(reader);
      return chunksOf(share, most).flatMap(({ n, count }): Program => {
        const calls: Call[] = [];
        const images = Array.from({ length: count }, (_, i) => n + i);
        const { row } = y.gradient;
        if (relu && !pool)
          calls.push(['reluBackward', imageOf(y.gradient, n), imageOf(y.picture, n), imageOf(y.gradient, n), count * places * O]); // prettier-ignore
        for (const i of pool ? images : []) {
          const [dy, at] = [imageOf(y.gradient, i), index + i * y.numbers];
          if (sparse)
            calls.push(['listGradients', dy, row, at, offsets, OW, OH >> 1, OW >> 1, O, ...listOf(i), y.numbers / O]);
          else calls.push(['reluMaxPoolBackward', dy, row, at, slopes + 4 * i * places * O, OH, OW, O]);
        }
        if (to === undefined) return calls;
        if (backwards) {
          const b = x.firstBack(reader) ? backwards.zeros : 0;
          const [dy, dx] = [slopesAt(n), imageOf(x.gradient, n)];
          return [...calls, ...winogradCalls(backwards, dy, dx, count, b, quickRoom(share))];
        }
        const { first } = groundOf(to);
        if (fresh) calls.push(['clear', first + n * to.image, count * to.image]);
        if (sparse)
          for (const i of images) calls.push(['sparseInputGradient', ...listOf(i), turned[0], under(to, i), sparseGeometry]);
        else
          for (const at of groupsOf(share))
            calls.push(['convolveInputGradient', slopesAt(n) + at.y, at.turned, under(to, n) + at.x, geometryFor(count)]); // prettier-ignore
        if (ownGradient)
          calls.push(...copy(x.firstBack(reader) ? 'copyPictures' : 'addPictures', ownGradient, x.gradient, n, count));
        return calls;
      });
    },

    sums(share) {
      const { images } = share;
      const from = own ?? x.picture;
      return groupsOf(share).flatMap((at): Program => {
        const { first, end } = at;
        if (end === first) return [];
        const theirs = weights.gradient + at.w + 4 * first * K;
        if (sparse)
          return [
            ['clear', dense + 4 * first * K, 4 * (end - first) * K],
            [
              'sparseWeightGradient',
              lists,
              counts,
              under(from, 0),
              dense,
              bias.gradient,
              images,
              first,
              end,
              sparseGeometry,
            ],
            ['pack', dense + 4 * first * K, theirs, end - first, K],
          ];
        const [dy, x] = [slopesAt(0) + at.y, under(from, 0) + at.x];
        const calls: Call[] = [['clear', theirs, 4 * packedSize(end - first, K)]];
        for (const { n, count } of chunksOf({ ...share, from: 0, to: images }, most)) {
          const [theirDy, theirX] = [dy + 4 * n * places * O, x + n * from.image];
          calls.push([
            'convolveWeightGradient',
            theirDy,
            theirX,
            weights.gradient + at.w,
            geometryFor(count),
            first,
            end,
          ]);
        }
        calls.push(['sumRows', dy, bias.gradient + at.b, images * places, O, first, end]);
        return calls;
      });
    },

    moved: (share) =>
      groupsOf(share)
        .filter(({ first, end }) => first < end)
        .flatMap(({ w, turned, first, end }): Program => {
          const calls: Call[] = [];
          if (turned) calls.push(['turn', weights.theta + w, turned, ofGroup, slice, KH * KW, first, end]);
          if (forwards) {
            const [panels, tapStep] = [O / 8, 8 * slice];
            const mine = [first / 8, Math.ceil(end / 8), 0, slice];
            calls.push([
              'changeKernels',
              weights.theta,
              forwards.kernels,
              panels,
              slice,
              9 * tapStep,
              tapStep,
              0,
              ...mine,
            ]);
          }
          if (backwards) {
            const [panels, panelStep] = [slice / 8, 8 * O];
            const mine = [0, panels, first, end];
            calls.push([
              'changeKernels',
              turned,
              backwards.kernels,
              panels,
              O,
              panelStep,
              panels * panelStep,
              1,
              ...mine,
            ]);
          }
          return calls;
        }),
  });
  return y;

  /** Of the convolution's own y, before the pool. */
  function slopesAt(n: number): number {
    return pool ? slopes + 4 * n * places * O : imageOf(y.gradient, n);
  }

  function listOf(n: number): [lists: number, counts: number] {
    return [lists + 8 * n * O * (y.numbers / O), counts + 4 * n * O];
  }

  /** Where the border of the first image begins. */
  function groundOf({ first, row }: Picture) {
    const { top, left } = border();
    return { first: first - top * row - 4 * left * x.C };
  }

  function copy(kernel: 'copyPictures' | 'addPictures', from: Picture, to: Picture, n: number, count: number): Call[] {
    return [[kernel, imageOf(from, n), imageOf(to, n), count, x.H, x.W * x.C, from.row, from.image, to.row, to.image]];
  }
}
