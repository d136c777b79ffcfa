import type { DropoutOptions } from '../../naive/dropout.ts';
import type { LeakyReluOptions } from '../../naive/leakyRelu.ts';
import type { Node } from '../../network.ts';
import type { Plan } from './plan.ts';
import type { Call, Program, Share } from './program.ts';
import { imageOf, Value, type Picture } from './value.ts';

/** Where the mask of a dropout lies, number by number as its x does. */
export interface Mask {
  readonly at: number;
  readonly x: Value;
  readonly p: number;
  readonly wholeChannels: boolean;
}

/** The numbers of a thread's images, x and y dense: [address in x, …, how many]. */
const along = ({ from, to }: Share, { numbers }: Value, ...pictures: readonly Picture[]) => ({
  at: pictures.map((picture) => imageOf(picture, from)),
  count: (to - from) * numbers,
});

/** A y of x's shape, and how the gradient that a kernel writes comes to x, which may have others. */
function likeX(plan: Plan, x: Value) {
  const y = x.flattened
    ? new Value([x.C, x.H, x.W], { learns: x.learns, flattened: x.flattened })
    : new Value([x.C, x.H, x.W], { learns: x.learns });
  plan.values.push(y);
  return { y, into: readAndWrite(plan, x) };
}

/** Registers a reader of x that reads it densely; gives what it does to x's gradient, from a kernel that writes one. */
export function readAndWrite(plan: Plan, x: Value): (share: Share, calls: (dx: Picture) => Program) => Program {
  const reader = {};
  x.readBy(reader);
  let own: Picture | undefined;
  return (share, calls) => {
    if (!x.learns) return [];
    if (x.firstBack(reader)) return calls(x.gradient);
    const { row, image } = x.gradient;
    own ??= { first: plan.space.room(plan.images * x.numbers), row, image };
    return [...calls(own), addImages(share, x, own, x.gradient)];
  };
}

/** to += from, for a thread's images. */
export const addImages = (share: Share, x: Value, from: Picture, to: Picture): Call =>
  images('addPictures', share, x, from, to);

/** to = from, for a thread's images. */
export const copyImages = (share: Share, x: Value, from: Picture, to: Picture): Call =>
  images('copyPictures', share, x, from, to);

function images(kernel: string, share: Share, { H, W, C }: Value, from: Picture, to: Picture): Call {
  const count = share.to - share.from;
  return [
    kernel,
    imageOf(from, share.from),
    imageOf(to, share.from),
    count,
    H,
    W * C,
    from.row,
    from.image,
    to.row,
    to.image,
  ];
}

/** relu, leakyRelu, tanh, sigmoid. */
export function activationStage(plan: Plan, { name, layer, options = {} }: Node, x: Value): Value {
  const { y, into } = likeX(plan, x);
  const constants = layer === 'leakyRelu' ? [(options as LeakyReluOptions).negativeSlope ?? 0.01] : [];
  plan.stages.push({
    name,
    forward(share) {
      const { at, count } = along(share, x, x.picture, y.picture);
      return [[layer, ...at, count, ...constants]];
    },
    backward: (share) =>
      into(share, (dx) => {
        const { at, count } = along(share, x, y.gradient, x.picture, dx);
        return [[`${layer}Backward`, ...at, count, ...constants]];
      }),
  });
  return y;
}

/** Dropout in training; in evaluation y = x. */
export function dropoutStage(plan: Plan, { name, options = {}, wholeChannels = false }: Node, x: Value): Value {
  const { y, into } = likeX(plan, x);
  const { p = 0.5 } = options as DropoutOptions;
  const mask = { at: plan.space.room(plan.images * x.numbers), x, p, wholeChannels };
  plan.masks.push(mask);
  const dropped = (share: Share, from: Picture, to: Picture): Call => {
    const { at, count } = along(share, x, from, { ...to, first: mask.at, image: 4 * x.numbers }, to);
    return ['dropout', ...at, count, 1 - p];
  };
  plan.stages.push({
    name,
    forward: (share) => [
      share.training ? dropped(share, x.picture, y.picture) : copyImages(share, x, x.picture, y.picture),
    ],
    backward: (share) => into(share, (dx) => [dropped(share, y.gradient, dx)]),
  });
  return y;
}
