import type { LayerName, Layers } from '../src/layers.ts';
import { layerOf, type Call, type Layer } from './law.ts';
import { layerNames, PortError, roundings, type Direction, type Introduction } from './port/protocol.ts';
import { refusal } from './port/refusal.ts';
import { asked, specifications } from './specify.ts';
import { uphold } from './uphold.ts';

/** What tests are written with, as vitest and node:test have it. */
export interface Tests {
  readonly describe: (title: string, body: () => void) => unknown;
  readonly it: (title: string, body: (context: { skip: (why?: string) => unknown }) => Promise<void>) => unknown;
}

export interface JudgeOptions {
  /** Whose functions they are. */
  readonly name?: string;
  /** The type of their numbers: it decides how near they must come. Default float64. */
  readonly dtype?: Introduction['dtype'];
}

/**
 * Makes tests of functions that have the names and signatures of src/naive: all laws and fixtures of every layer that is among
 * them. A layer without its Backward is asked forward alone, and what needs more is skipped.
 *
 *     import { judge } from 'cnn-spec';
 *     import { describe, it } from 'vitest';
 *     await judge({ conv2d, conv2dBackward }, { describe, it });
 *
 * @throws RangeError if a function has no name of a layer
 */
export async function judge(
  functions: Partial<Layers>,
  { describe, it }: Tests,
  { name = 'yours', dtype = 'float64' }: JudgeOptions = {},
): Promise<void> {
  const names = Object.keys(functions);
  const unknown = names.find((each) => !layerNames.includes(each.replace(/Backward$/, '') as LayerName));
  if (unknown || names.length === 0)
    throw new RangeError(
      `judge: ${unknown ?? 'nothing'} is no layer, expected functions named ${layerNames.join(', ')}`,
    );
  const { u } = roundings[dtype];
  for (const layerName of layerNames.filter((each) => each in functions)) {
    const { laws } = await import(`./${layerName}.spec.ts`);
    const { cases, precision } = specifications.get(layerName)!;
    const layer = whole(layerName, functions, u);
    describe(`${layerName} > ${name}`, () => {
      for (const law of asked(laws, layer))
        it(law.sentence, async (context) => {
          const again = 'the same test';
          const done = await uphold(law, { name: layerName, implementation: name, layer, cases, ...precision, again });
          if (done) context.skip(done.skipped);
        });
    });
  }
}

/** The layer of these functions; what is not among them is skipped. */
function whole(name: LayerName, functions: Partial<Layers>, u: number): Layer {
  const layer = layerOf(functions as Layers, name, u);
  const asked = <C extends Call, R>(direction: Direction, call: C, ask: (call: C) => R): R => {
    const what = direction === 'forward' ? name : (`${name}Backward` as const);
    if (!functions[what]) throw new PortError('skip', `there is no function ${what}`);
    try {
      return ask(call);
    } catch (error) {
      throw refusal(error as Error, name, direction, call);
    }
  };
  return {
    u,
    forward: (call) => asked('forward', call, layer.forward),
    backward: (call) => asked('backward', call, layer.backward),
  };
}
