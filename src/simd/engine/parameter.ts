import { size, type Tensor } from '../../tensor.ts';
import type { Workspace } from '../kernels.ts';
import type { Part, Share } from './program.ts';

/** What learns, or follows the batches: a tensor, as it lies in memory for the kernels. */
export interface Parameter {
  readonly name: string;
  readonly shape: readonly number[];
  /** The addresses of its numbers, of their gradient, and of what the optimizer remembers of them. */
  readonly theta: number;
  readonly gradient: number;
  readonly moments: number[];
  /** How many numbers there are in memory. */
  readonly count: number;
  /** Those of them that a thread sums up the gradients of, and moves. */
  readonly part: (share: Share) => Part;
  /** Where number i of the tensor lies. */
  readonly position: (i: number) => number;
}

/** Writes a tensor to where a parameter lies. */
export function write(space: Workspace, { theta, count, position }: Parameter, { data }: Tensor, at = theta): void {
  const numbers = space.floats(at, count);
  for (let i = 0; i < data.length; i++) numbers[position(i)] = data[i];
}

/** The tensor of a parameter, or what lies in memory as it does. */
export function read(space: Workspace, { theta, shape, count, position }: Parameter, at = theta): Tensor {
  const numbers = space.floats(at, count);
  return { shape, data: Float64Array.from({ length: size(shape) }, (_, i) => numbers[position(i)]) };
}

/**
 * Where number i of (O, C, KH, KW) lies in panels of 8 kernels: [panel][kh][kw][c][o], o < 8; panels end with their group.
 */
export function packedPosition([O, C, KH, KW]: readonly number[], groups: number): (i: number) => number {
  const [ofGroup, K] = [O / groups, C * KH * KW];
  return (i) => {
    const [o, c, kh, kw] = [Math.floor(i / K), Math.floor(i / (KH * KW)) % C, Math.floor(i / KW) % KH, i % KW];
    const panel = Math.floor(o / ofGroup) * Math.ceil(ofGroup / 8) + Math.floor((o % ofGroup) / 8);
    return (panel * K + (kh * KW + kw) * C + c) * 8 + ((o % ofGroup) % 8);
  };
}

/** Where number i of a flattened (C, H, W) lies, which memory has as (H, W, C). */
export const lastPosition =
  ([C, H, W]: readonly number[]) =>
  (i: number): number =>
    (i % (H * W)) * C + Math.floor(i / (H * W));
