import type { LayerName, Layers } from '../../src/layers.ts';
import { size } from '../../src/tensor.ts';
import { layerOf } from '../law.ts';
import { check, kinds, layerOrder, type Verdict } from '../port/check.ts';
import { plant } from '../plant.ts';
import type { Bug } from './bug.ts';
import { bugs } from './index.ts';

/** The bugs that a port can have: of layers, and not equivalent. */
export const bugsOfPorts: readonly Bug[] = bugs.filter(
  ({ subject, equivalent }) => layerOrder.includes(subject as LayerName) && equivalent === undefined,
);

/** What a porter with this bug is told. */
export interface Diagnosed {
  /** The ids of the known bugs that are named, in either direction. */
  readonly named: readonly string[];
  /** The numbers in all inputs and constants of the smallest case; undefined if none was looked for, as of a call that is no error. */
  readonly numbers?: number;
}

/** Judges a port that has exactly this bug, as check-port does. */
export async function diagnosed(bug: Bug, seed = 0): Promise<Diagnosed> {
  const name = bug.subject as LayerName;
  const layer = layerOf(await plant<Layers>([bug], `naive/${name}.ts`), name);
  const port = { name: 'a port', u: layer.u, has: () => true, layer: () => layer };
  const options = { layers: [name], kinds, cases: 100, seed, asked: () => true, progress: () => {} };
  const verdicts: Verdict[] = [];
  for await (const verdict of check(port, options)) verdicts.push(verdict);
  const named = new Set(verdicts.flatMap(({ known }) => known?.bugs.map(({ id }) => id) ?? []));
  const [smallest] = verdicts.flatMap((verdict) => (verdict.smallest ? [verdict.smallest] : []));
  const numbers =
    smallest && Object.values({ ...smallest.inputs, ...smallest.constants }).map(({ shape }) => size(shape));
  return { named: [...named], ...(numbers && { numbers: numbers.reduce((sum, each) => sum + each, 0) }) };
}
