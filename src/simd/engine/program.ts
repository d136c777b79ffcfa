/** A kernel and its arguments; or 'wait': for all threads. */
export type Call = readonly [kernel: string, ...args: number[]];

/** What one thread does. */
export type Program = readonly Call[];

/** Waits until all threads have come so far: what they have written can be read. */
export const wait: Call = ['wait'];

/** One thread's part of a batch. */
export interface Share {
  readonly thread: number;
  readonly threads: number;
  /** Its images: from ≤ n < to. */
  readonly from: number;
  readonly to: number;
  /** How many images the batch has. */
  readonly images: number;
  readonly training: boolean;
}

/** What a thread does of many things: first ≤ i < end. */
export interface Part {
  readonly first: number;
  readonly end: number;
}

/** The part of `count` things, in whole units, that a thread does. */
export function part(count: number, unit: number, { thread, threads }: Pick<Share, 'thread' | 'threads'>): Part {
  const units = Math.ceil(count / unit);
  const at = (i: number) => Math.min(count, unit * Math.round((units * i) / threads));
  return { first: at(thread), end: at(thread + 1) };
}

/** A thread's images, so many at a time; or all in one go, even if there are none. */
export function chunksOf({ from, to }: Share, most?: number): readonly { n: number; count: number }[] {
  if (most === undefined) return [{ n: from, count: to - from }];
  const starts = Array.from({ length: Math.ceil((to - from) / most) }, (_, i) => from + i * most);
  return starts.map((n) => ({ n, count: Math.min(most, to - n) }));
}

/** One layer, or some that are done together, as calls of kernels. Whoever makes one says which values it reads. */
export interface Stage {
  /** What its time is counted under. */
  readonly name: string;
  /** Takes what memory it needs. The values are there already. */
  readonly allocate?: () => void;
  readonly forward: (share: Share) => Program;
  /** From the gradient of y to that of x. */
  readonly backward?: (share: Share) => Program;
  /** The gradients of the parameters, of which each thread sums up its part over the whole batch. */
  readonly sums?: (share: Share) => Program;
  /** What follows when each thread has moved its part of the parameters. */
  readonly moved?: (share: Share) => Program;
}
