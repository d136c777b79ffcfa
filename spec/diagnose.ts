import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { implementations, type LayerName, type Layers } from '../src/layers.ts';
import type { Tensor } from '../src/tensor.ts';
import type { Bug } from './bugs/bug.ts';
import { bugs } from './bugs/index.ts';
import { allowed, expectSameBits, expectTensors, type Compare } from './close.ts';
import { answeredCases } from './golden.ts';
import { layerOf, type Call, type Case, type Layer } from './law.ts';
import { edited } from './plant.ts';
import { planted } from './planted.ts';
import { PortError } from './port/protocol.ts';
import type { Judged } from './uphold.ts';

/** A call that a layer was asked, and what it answered: its outputs by name, or an error. */
export interface Answer {
  readonly call: Call | Case;
  readonly direction: 'forward' | 'backward';
  readonly outputs: Readonly<Record<string, Tensor>> | Error;
}

/** What a layer answers. */
export function answer(layer: Layer, direction: Answer['direction'], call: Call | Case): Answer {
  try {
    const outputs = direction === 'forward' ? { y: layer.forward(call) } : layer.backward(call as Case);
    return { call, direction, outputs };
  } catch (error) {
    return { call, direction, outputs: error as Error };
  }
}

/** Whether two answers to one call are the same, as `compare` allows or to the last bit: errors are, whatever they say. */
export function sameAnswer(a: Answer, b: Answer, compare: Compare | 'bits', u: number): boolean {
  if (a.outputs instanceof Error || b.outputs instanceof Error)
    return a.outputs instanceof Error && b.outputs instanceof Error;
  try {
    if (compare !== 'bits') expectTensors(a.outputs, b.outputs, allowed(compare, u));
    else for (const [k, tensor] of Object.entries(b.outputs)) expectSameBits(k, a.outputs[k], tensor);
    return true;
  } catch {
    return false;
  }
}

const known = new Map<LayerName, Promise<readonly { readonly bug: Bug; readonly layer: Layer }[]>>();

/** The definition with every known bug of a layer, one at a time; planted once. */
function plantedBugs(name: LayerName) {
  if (!known.has(name))
    known.set(
      name,
      Promise.all(
        bugs
          .filter(({ subject, equivalent }) => subject === name && equivalent === undefined)
          .map(async (bug) => ({
            bug,
            layer: layerOf(await planted<Layers>(bug.id, [bug], `naive/${name}.ts`), name),
          })),
      ),
    );
  return known.get(name)!;
}

/** Known bugs that answer as a layer does. */
export interface Diagnosis {
  readonly bugs: readonly Bug[];
  /** Whether they answer so on other calls too. */
  readonly everywhere: boolean;
}

/**
 * The known bugs that give just these answers, one of which the definition does not give; told apart, where there are several, by
 * what they make of other calls. Undefined if there are none.
 */
export async function diagnose(
  answers: readonly Answer[],
  { name, layer, cases }: Judged,
  compare: Compare | 'bits',
): Promise<Diagnosis | undefined> {
  const alike = (given: readonly Answer[]) => (bug: { readonly layer: Layer }) =>
    given.every((each) => sameAnswer(each, answer(bug.layer, each.direction, each.call), compare, layer.u));
  const definition = layerOf(implementations.naive, name);
  const differs = ({ layer }: { readonly layer: Layer }) =>
    answers.some(({ direction, call }) => {
      const [wrong, right] = [layer, definition].map((each) => answer(each, direction, call));
      return !sameAnswer(wrong, right, 'bits', 0);
    });
  const candidates = (await plantedBugs(name)).filter(alike(answers.toReversed())).filter(differs);
  if (candidates.length === 0) return undefined;
  const exact = answeredCases(name).filter(
    ({ tier }) => layer.u === 2 ** -53 || tier === 'exact' || tier === 'default',
  );
  const others = [...exact, ...fc.sample(cases, { seed: 1, numRuns: 30 })]
    .flatMap(({ inputs, constants, options, dy }) => {
      const call = { inputs, ...(constants && { constants }), options, dy };
      return [answer(layer, 'forward', call), answer(layer, 'backward', call)];
    })
    .filter((each) => !isSkip(each));
  const everywhere = candidates.filter(alike(others));
  const found = everywhere.length > 0 ? everywhere : candidates;
  return { bugs: found.map(({ bug }) => bug), everywhere: everywhere.length > 0 };
}

/** Whether it is the answer of a foreign program that does not do this. */
const isSkip = ({ outputs }: Answer) => outputs instanceof PortError && outputs.failure === 'skip';

/** What a diagnosis says. */
export function sentenceOf({ bugs, everywhere }: Diagnosis): string {
  const list = bugs.map(({ id, means }) => `    ${id}: ${means}`).join('\n');
  return everywhere
    ? `It answers like ${bugs.length > 1 ? 'these known bugs' : 'a known bug'}, on other calls too:\n${list}`
    : `On this case, though not on others, it answers like known bugs:\n${list}`;
}

/** The known bugs that stand in the definition word for word: their edits have been made to it. */
export function bugsIn(
  name: LayerName,
  read = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8'),
): readonly Bug[] {
  const stands = (bug: Bug, text: string) => {
    try {
      edited(read(bug.file), { ...bug, find: text });
      return true;
    } catch {
      return false;
    }
  };
  const made = (bug: Bug) => stands(bug, bug.put) && (bug.put.includes(bug.find) || !stands(bug, bug.find));
  return bugs.filter((bug) => bug.subject === name && bug.put !== '' && made(bug));
}
