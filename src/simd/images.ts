import { size, type Tensor } from '../tensor.ts';
import type { Border } from '../window.ts';
import { kernels, put, room, take } from './kernels.ts';

// Kernels have the channels of a pixel side by side: (N, H, W, C). Here images change from (N, C, H, W) and back.

const none: Border = { top: 0, bottom: 0, left: 0, right: 0 };

/** (N, C, H, W), or (N, C) as images of one pixel. */
const sizes = ([N, C, H = 1, W = 1]: readonly number[], { top, bottom, left, right }: Border) =>
  [N, C, H, W, top, left, top + H + bottom, left + W + right] as const;

/** The address of zeros in which images of this shape lie with a border around them. */
export function roomForImages(shape: readonly number[], border = none): number {
  const [N, C, , , , , rows, columns] = sizes(shape, border);
  return room(size([N, C, rows, columns]));
}

/** The address of the images x, with zeros around them. */
export function putImages(x: Tensor, border = none): number {
  const [from, to] = [put(x), roomForImages(x.shape, border)];
  kernels.channelsLast(from, to, ...sizes(x.shape, border));
  return to;
}

/** The images at an address, without their border. */
export function takeImages(at: number, shape: readonly number[], border = none): Tensor {
  const to = room(size(shape));
  kernels.channelsFirst(at, to, ...sizes(shape, border));
  return take(to, shape);
}
