/** What was done in a short time. */
export interface Burst {
  /** Images, or operations. */
  readonly amount: number;
  readonly seconds: number;
  /** CPU time of whoever did it, of all its threads. */
  readonly cpuSeconds: number;
  /** The share of all CPUs' time that others took meanwhile, in [0, 1]; undefined where the system does not tell. */
  readonly others: number | undefined;
}

/** A burst is quiet if others took no more of the CPUs. */
export const QUIET = 0.06;

/** With so many quiet rounds, or as many as there are, the others are left out. */
const ENOUGH = 3;

export const isQuiet = ({ others }: Burst): boolean => others !== undefined && others <= QUIET;

/** The value that so much of all is below, in [0, 1]; between two neighbours, in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at % 1);
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Half of what the middle half of the values spans, as a share of their median. */
export const spread = (values: readonly number[]): number =>
  (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);

/**
 * What a number rests on. quiet: the bursts that nobody disturbed. cpu: too few were quiet, so of all bursts what one thread did in a
 * second of its own CPU time, which leaves out the time it waited for a CPU, not that others emptied its caches. all: all bursts,
 * disturbed or not, since there are several threads, or the system does not tell.
 */
export type Basis = 'quiet' | 'cpu' | 'all';

export interface Measured {
  readonly value: number;
  /** See spread. */
  readonly spread: number;
  /** How many bursts, or rounds, were quiet. */
  readonly quiet: number;
  readonly basis: Basis;
}

/** The median of `value` over rounds, each of a burst of everyone it needs; it gets their speeds, amounts in a second. */
function over(
  rounds: readonly (readonly Burst[])[],
  oneThread: boolean,
  value: (...speeds: readonly number[]) => number,
): Measured {
  const quiet = rounds.filter((bursts) => bursts.every(isQuiet));
  const told = rounds.every((bursts) => bursts.every(({ others }) => others !== undefined));
  const enough = told && quiet.length >= Math.min(ENOUGH, rounds.length);
  const basis = enough ? 'quiet' : told && oneThread ? 'cpu' : 'all';
  const speed = ({ amount, seconds, cpuSeconds }: Burst) => amount / (basis === 'cpu' ? cpuSeconds : seconds);
  const values = (enough ? quiet : rounds).map((bursts) => value(...bursts.map(speed)));
  return { value: median(values), spread: spread(values), quiet: quiet.length, basis };
}

/** Amounts in a second. */
export const speedOf = (bursts: readonly Burst[], threads: number): Measured =>
  over(
    bursts.map((burst) => [burst]),
    threads === 1,
    (speed) => speed,
  );

/** How many times as fast as others, round by round: what both find in a round is alike, whatever the machine does just then. */
export const ratioOf = (own: readonly Burst[], theirs: readonly Burst[], threads: number): Measured =>
  over(
    own.map((burst, round) => [burst, theirs[round]]),
    threads === 1,
    (mine, other) => mine / other,
  );
