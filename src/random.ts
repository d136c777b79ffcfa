import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { JumpableRandomGenerator } from 'pure-rand/types/JumpableRandomGenerator';
import { atLeast } from './tensor.ts';

/** A stream of random numbers. Every call takes the next ones. */
export interface Random {
  /** A number in [0, 1), in steps of 2⁻⁵³. */
  readonly uniform: () => number;
  /** A number of mean 0 and standard deviation 1 (Box & Muller 1958). */
  readonly normal: () => number;
  /** 0, 1, …, count − 1 in random order (Fisher & Yates). */
  readonly shuffled: (count: number) => Uint32Array;
  /** What randomFrom goes on from: plain integers. */
  readonly state: () => readonly number[];
}

/**
 * The random numbers of a seed. Streams of the same seed do not overlap: each is 2⁶⁴ numbers behind the one before.
 * @throws RangeError if the seed is not an integer in [0, 2³²)
 */
export function random(seed: number, stream = 0): Random {
  atLeast('random: seed', seed, 0);
  if (seed >= 2 ** 32) throw new RangeError(`random: seed is ${seed}, expected an integer below 2³²`);
  const generator = xoroshiro128plus(seed);
  for (let i = 0; i < stream; i++) generator.jump();
  return numbersOf(generator);
}

/**
 * The random numbers that follow a state of a stream.
 * @throws RangeError if it is no state of one: four 32-bit integers
 */
export function randomFrom(state: readonly number[]): Random {
  if (state.length !== 4 || state.some((value) => !Number.isInteger(value) || value !== (value | 0)))
    throw new RangeError(`random: state is [${state.join(', ')}], expected four 32-bit integers`);
  return numbersOf(xoroshiro128plusFromState(state));
}

function numbersOf(generator: JumpableRandomGenerator): Random {
  const uniform = () => uniformFloat64(generator);
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffled(count) {
      const order = Uint32Array.from({ length: count }, (_, i) => i);
      for (let i = count - 1; i > 0; i--) {
        const j = uniformInt(generator, 0, i);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
    state: () => [...generator.getState()],
  };
}
