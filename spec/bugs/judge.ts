import fc from 'fast-check';
import { implementations, type LayerName, type Layers } from '../../src/layers.ts';
import { optimizers, type OptimizerName } from '../../src/optimizer.ts';
import { size, type Tensor } from '../../src/tensor.ts';
import { expectGolden, lawsOfEveryLayer } from '../every-layer.ts';
import { expectFunction, functionFixtures } from '../functions.ts';
import { goldenFile, type GoldenCase, type GoldenRunning, type GoldenSteps, type GoldenTraining } from '../golden.ts';
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
    return goldenFile<GoldenCase>(`${subject}.json`).cases.map((golden) => ({
      ...{ id: golden.id, numbers: numbersOf(golden.inputs), hold: () => expectGolden(layer, golden) },
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

/**
 * The smallest fixture that fails under a bug. They are held from the smallest on; if none fails, in the order of the file
 * and then in reverse, for bugs that leak from one call to the next.
 */
export async function killingFixture(bug: Bug): Promise<string | null> {
  const checks = await fixturesOf(bug);
  const ascending = checks.toSorted((a, b) => a.numbers - b.numbers);
  for (const { id, hold } of [...ascending, ...checks, ...checks.toReversed()]) if (await fails(hold)) return id;
  return null;
}

export interface LawVerdict {
  /** The sentence of a law that kills the bug, those of the twin and the fixtures left out; null if there is none. */
  readonly laws: string | null;
  /** Whether the slopes of the wrong forward give the wrong backward away. */
  readonly gradient: boolean;
  readonly twin: boolean;
}

/**
 * What the laws make of a bug, under every seed. Of a layer: its own laws and those of every layer; slopes are those of the
 * planted layer itself. Of another part: those of its module, which has no slopes and no twin.
 * For a program of its own: under vitest a spec file makes tests and no laws.
 */
export async function killingLaws(bug: Bug, seeds: readonly number[]): Promise<LawVerdict> {
  if (bug.subject in parts) return { ...(await killingModuleLaw(bug, seeds)), gradient: false, twin: false };
  const name = bug.subject as LayerName;
  await import(`../${name}.spec.ts`);
  const specification = specifications.get(name)!;
  const layer = layerOf(await plant<Layers>([bug], `naive/${name}.ts`), name);
  const dies = ({ property, numRuns }: Law, seed: number) =>
    fc.check(property(layer), { seed, numRuns, endOnFailure: true }).failed;
  const always = (law: Law) => seeds.every((seed) => dies(law, seed));
  const leaningOn = (leansOn: Law['leansOn'], definition?: typeof layer) =>
    lawsOfEveryLayer(name, specification, definition).filter((law) => law.leansOn === leansOn);
  const gradient = leaningOn('slopes', layer);
  const own = [...specification.laws, ...leaningOn(undefined), ...gradient];
  return {
    laws: own.find(always)?.sentence ?? null,
    gradient: gradient.some(always),
    twin: leaningOn('twin').some(always),
  };
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
