import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import type { Random } from '../../src/random.ts';
import type { Burst } from './statistics.ts';

/** Who is measured. All stay alive, and take turns. */
export interface Competitor {
  /** What is not counted: begins with the first weights again. */
  readonly prepare?: () => Promise<void>;
  /** Works until so many seconds have passed, at least one step. */
  readonly work: (seconds: number) => Promise<Done>;
}

export interface Done extends Pick<Burst, 'amount' | 'seconds'> {
  /** CPU time of another process that did it. */
  readonly cpuSeconds?: number;
}

/** Step after step, each of which says how much it did, until so many seconds have passed. */
export async function repeat(seconds: number, step: () => Promise<number> | number): Promise<Done> {
  const began = performance.now();
  for (let amount = 0; ;) {
    amount += await step();
    const passed = (performance.now() - began) / 1000;
    if (passed >= seconds) return { amount, seconds: passed };
  }
}

/**
 * The bursts of each competitor, round after round, in an order that is drawn for every round; a step that does not count comes
 * before each. One burst of each comes first, that does not count either: what is compiled while it runs is compiled then.
 */
export async function interleave<C extends Competitor>(
  competitors: readonly C[],
  rounds: number,
  seconds: number,
  { shuffled }: Random,
  progress: (share: number, competitor: C) => void,
): Promise<ReadonlyMap<C, readonly Burst[]>> {
  const bursts = new Map<C, Burst[]>(competitors.map((competitor) => [competitor, []]));
  const all = (rounds + 1) * competitors.length;
  let done = 0;
  for (let round = 0; round <= rounds; round++)
    for (const i of shuffled(competitors.length)) {
      const competitor = competitors[i];
      progress(done++ / all, competitor);
      await setImmediate(); // lets Ctrl-C through, and the news that a peer has died
      for (const wake of [true, false]) {
        await competitor.prepare?.();
        if (wake) await competitor.work(0); // caches, and pages that the system took while others had their turn
      }
      const burst = await watched(() => competitor.work(seconds));
      if (round > 0) bursts.get(competitor)!.push(burst);
    }
  return bursts;
}

/** A burst, and what others did meanwhile: what all CPUs were busy with, but not we, nor a process that worked for us. */
export async function watched(work: () => Promise<Done>): Promise<Burst> {
  const [busy, own, began] = [busySeconds(), process.cpuUsage(), performance.now()];
  const { amount, seconds, cpuSeconds: theirs } = await work();
  const { user, system } = process.cpuUsage(own);
  const ours = (user + system) / 1e6;
  const capacity = (cpus().length * (performance.now() - began)) / 1000;
  const others = busy === undefined ? undefined : (busySeconds()! - busy - ours - (theirs ?? 0)) / capacity;
  return { amount, seconds, cpuSeconds: theirs ?? ours, others: others && Math.min(1, Math.max(0, others)) };
}

const STAT = '/proc/stat';
/** Linux counts CPU time there in hundredths of a second, whatever the machine. */
const JIFFY = 0.01;

/** Whether the system tells what others do: Linux does. */
export const tellsOthers = existsSync(STAT);

/** Since the machine started, of all CPUs: seconds in which they were not idle, or another machine had them. */
function busySeconds(): number | undefined {
  if (!tellsOthers) return undefined;
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync(STAT, 'utf8').split('\n', 1)[0].split(/\s+/);
  return [user, nice, system, irq, softirq, steal].reduce((sum, jiffies) => sum + Number(jiffies), 0) * JIFFY;
}

/** '2 × Intel(R) Xeon(R) Processor, Linux, Node 20.20.2' */
export const machine = (): string => {
  const platform = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }[process.platform as string];
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? process.arch}, ${platform ?? process.platform}, Node ${process.versions.node}`;
};
