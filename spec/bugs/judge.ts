import assert from 'node:assert/strict';
import fc from 'fast-check';
import { implementations, type LayerName, type Layers } from '../../src/layers.ts';
import { optimizers, type OptimizerName } from '../../src/optimizer.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import { expectGolden, lawsOfEveryLayer } from '../every-layer.ts';
import { expectFunction, functionFixtures } from '../functions.ts';
import { goldenFile, type GoldenRunning, type GoldenSteps, type GoldenTraining } from '../golden.ts';
import { layerOf, type Law } from '../law.ts';
import { plant } from '../plant.ts';
import { specifications } from '../specify.ts';
import { lawsOf, type ModuleLaw } from '../specifyModule.ts';
import { expectNetwork, expectRunning, expectSteps, expectTraining, networkFixtures } from '../traces.ts';
import { parts, type Bug, type Part } from './bug.ts';

type Check = { readonly id: string; readonly numbers: number; readonly hold: () => void | Promise<void> };
const fails = async (hold: Check['hold']): Promise<boolean> => {
  try {
    await hold();
    return false;
  } catch {
    return true;
  }
};
const numbersOf = (tensors: Readonly<Record<string, Tensor>>) =>
  Object.values(tensors).reduce((total, { shape }) => total + size(shape), 0);

/** Every fixture of what a bug is in, to be held by src/ with that bug. */
async function fixturesOf(bug: Bug): Promise<readonly Check[]> {
  const { subject } = bug;
  if (!(subject in parts)) {
    const layer = layerOf(await plant<Layers>([bug], `naive/${subject}.ts`), subject as LayerName);
    return goldenFile(`${subject}.json`).cases.map((golden) => ({
      id: golden.id,
      numbers: numbersOf(golden.inputs),
      // the words of an error are ours alone: a bug shows only where there is no error at all
      hold: () => ('error' in golden ? assert.throws(() => layer.forward(golden)) : expectGolden(layer, golden)),
    }));
  }
  const [file] = parts[subject as Part];
  const planted = await plant<object>([bug], file);
  const functions = functionFixtures(subject).map((golden) => ({
    ...{ id: golden.id, numbers: JSON.stringify(golden).length, hold: () => expectFunction(planted, golden) },
  }));
  return [...functions, ...(await tracesOf(bug, planted))];
}

/** Those of several steps. */
async function tracesOf(bug: Bug, planted: object): Promise<readonly Check[]> {
  const { subject } = bug;
  if (subject in optimizers) {
    const optimizer = (planted as typeof import('../../src/optimizer.ts')).optimizers[subject as OptimizerName];
    const cases = goldenFile<GoldenSteps>('optimizers.json').cases.filter(({ optimizer }) => optimizer === subject);
    return cases.map((golden) => ({
      ...{ id: golden.id, numbers: numbersOf(golden.gradients), hold: () => expectSteps(optimizer, golden) },
    }));
  }
  if (subject === 'batchStatistics')
    return goldenFile<GoldenRunning>('batchStatistics.json').cases.map((golden) => ({
      ...{ id: golden.id, numbers: size(golden.x.shape), hold: () => expectRunning(planted as Layers, golden) },
    }));
  if (subject !== 'network' && subject !== 'train') return [];
  const training = await plant<typeof import('../../src/train.ts')>([bug], 'train.ts');
  const traces = goldenFile<GoldenTraining>('training.json').cases.map((golden) => ({
    ...{ id: golden.id, numbers: numbersOf(golden.parameters), hold: () => expectTraining(training, golden) },
  }));
  if (subject === 'train') return traces;
  const network = planted as typeof import('../../src/network.ts');
  const networks = networkFixtures.map((fixture) => ({
    id: fixture.golden.id,
    numbers: numbersOf(fixture.golden.inputs),
    hold: () => expectNetwork(network, implementations.vectorized, fixture),
  }));
  return [...networks, ...traces];
}

/** The fixtures that fail under a bug, the smallest first, all of them held in the order of the file and then in reverse. */
export async function killingFixtures(bug: Bug): Promise<readonly string[]> {
  const checks = await fixturesOf(bug);
  const killers = [];
  for (const check of [...checks, ...checks.toReversed()]) if (await fails(check.hold)) killers.push(check);
  return [...new Set(killers.toSorted((a, b) => a.numbers - b.numbers).map(({ id }) => id))];
}

export interface LawVerdict {
  /** The sentence of a law that kills the bug, those of the twin and the fixtures left out; null if there is none. */
  readonly laws: string | null;
  /** Whether the slopes of the wrong forward give the wrong backward away. */
  readonly gradient: boolean;
  readonly twin: boolean;
}

/**
 * The laws that judge a bug: slopes are those of the planted layer itself. For a program of its own: under vitest a spec
 * file makes tests and no laws.
 */
async function lawsAgainst(bug: Bug) {
  const name = bug.subject as LayerName;
  await import(`../${name}.spec.ts`);
  const specification = specifications.get(name)!;
  const layer = layerOf(await plant<Layers>([bug], `naive/${name}.ts`), name);
  const leaningOn = (leansOn: Law['leansOn'], definition?: typeof layer) =>
    lawsOfEveryLayer(name, specification, definition).filter((law) => law.leansOn === leansOn);
  const gradient = leaningOn('slopes', layer);
  return {
    own: [...specification.laws, ...leaningOn(undefined), ...gradient],
    gradient,
    twin: leaningOn('twin'),
    dies: ({ property, numRuns }: Law, seed: number) =>
      fc.check(property(layer), { seed, numRuns, endOnFailure: true }).failed,
  };
}

/** What the laws make of a bug, under every seed. The modules beside the layers have no slopes and no twin. */
export async function killingLaws(bug: Bug, seeds: readonly number[]): Promise<LawVerdict> {
  if (bug.subject in parts) return { ...(await killingModuleLaw(bug, seeds)), gradient: false, twin: false };
  const { own, gradient, twin, dies } = await lawsAgainst(bug);
  const always = (law: Law) => seeds.every((seed) => dies(law, seed));
  return { laws: own.find(always)?.sentence ?? null, gradient: gradient.some(always), twin: twin.some(always) };
}

export interface Power {
  /** The share of the seeds under which at least one law kills the bug, those of the twin and the fixtures left out. */
  readonly share: number;
  /** The law that was the first to kill it under most of them; null if there is none. */
  readonly law: string | null;
}

/** How reliably the laws of a layer kill a bug. */
export async function powerOf(bug: Bug, seeds: readonly number[]): Promise<Power> {
  const { own, dies } = await lawsAgainst(bug);
  const kills = new Map<Law, number>();
  let inTurn = own; // the law that killed last goes first: most seeds then need no other
  for (const seed of seeds) {
    const killer = inTurn.find((law) => dies(law, seed));
    if (killer === undefined) continue;
    kills.set(killer, (kills.get(killer) ?? 0) + 1);
    inTurn = [killer, ...inTurn.filter((law) => law !== killer)];
  }
  const [law] = [...kills].toSorted(([, a], [, b]) => b - a)[0] ?? [];
  const killed = [...kills.values()].reduce((sum, count) => sum + count, 0);
  return { share: killed / seeds.length, law: law?.sentence ?? null };
}

async function killingModuleLaw(bug: Bug, seeds: readonly number[]): Promise<Pick<LawVerdict, 'laws'>> {
  const [file, name] = parts[bug.subject as Part];
  await import(`../${name.split(' ')[0]}.spec.ts`);
  const real = lawsOf(name, await import(/* @vite-ignore */ new URL(`../../src/${file}`, import.meta.url).href));
  const all = async ({ check }: ModuleLaw, broken: boolean) => {
    for (const seed of seeds) if ((await fails(() => check(seed))) !== broken) return false;
    return true;
  };
  for (const law of lawsOf(name, await plant([bug], file))) {
    if (!(await all(law, true))) continue;
    // A law that the real module breaks, outside vitest, has caught nothing. One that it does not have could not be written down.
    const same = real.find(({ sentence }) => sentence === law.sentence);
    const key = `${name}: ${law.sentence}`;
    if (!upheld.has(key)) upheld.set(key, same === undefined || (await all(same, false)));
    if (upheld.get(key)) return { laws: law.sentence };
  }
  return { laws: null };
}

/** Whether the real module obeys a law, by name and sentence. */
const upheld = new Map<string, boolean>();
