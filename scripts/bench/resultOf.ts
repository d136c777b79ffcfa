import type { ImplementationName, Trainer } from './competitors.ts';
import { ratioOf, speedOf, type Burst, type Measured } from './statistics.ts';
import type { Result } from './tables.ts';
import type { WorkName } from './works.ts';

type Entrant = Pick<Trainer, 'implementation' | 'threads' | 'fma' | 'batch'>;

/** A trainer's speed among those who took turns with it. Whoever suits a peer best, one thread or two, stands for it. */
export function resultOf<T extends Entrant>(
  work: WorkName,
  trainer: T,
  bursts: ReadonlyMap<T, readonly Burst[]>,
): Result {
  const { implementation, threads, fma, batch } = trainer;
  const own = bursts.get(trainer)!;
  const { value: imagesPerSecond, ...measured } = speedOf(own, threads);
  const speed = (other: T) => speedOf(bursts.get(other)!, other.threads).value;
  /** To each other implementation, of its competitors among `rivals` to the fastest. */
  const ratios = (rivals: readonly T[]) => {
    const fastest = new Map<ImplementationName, T>();
    for (const rival of rivals.toSorted((a, b) => speed(a) - speed(b)))
      if (rival.implementation !== implementation) fastest.set(rival.implementation, rival);
    fastest.delete('simd'); // is what is compared, not what others are compared with
    return [...fastest].map(
      ([name, rival]) => [name, ratioOf(own, bursts.get(rival)!, Math.max(threads, rival.threads))] as const,
    );
  };
  const best = ratios([...bursts.keys()]);
  const alike = ratios([...bursts.keys()].filter((other) => other.threads === threads));
  return {
    ...{ work, implementation, threads, fma, batch, imagesPerSecond, ...measured, turns: own.length },
    ...{ ratioTo: valuesOf(best), ratioBasis: basesOf(best) },
    ...{ ratioToSameThreads: valuesOf(alike), sameThreadsBasis: basesOf(alike) },
  };
}

type Ratios = readonly (readonly [ImplementationName, Measured])[];
const valuesOf = (ratios: Ratios) => Object.fromEntries(ratios.map(([name, { value }]) => [name, value]));
const basesOf = (ratios: Ratios) => Object.fromEntries(ratios.map(([name, { basis }]) => [name, basis]));
