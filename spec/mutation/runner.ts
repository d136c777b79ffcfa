import { startTests, type File, type Suite, type Task, type Test, type VitestRunner } from '@vitest/runner';
import fc from 'fast-check';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// Stryker's own runner begins a vitest, and loads everything, for every mutant: seven tenths of a second. Here the sources
// stay, with all their mutants in them, one of which Stryker wakes; only the spec is read again, and stops at its first
// failure. A mutant then takes a tenth of that. It runs inside Stryker's processes, in a copy of the project.

/** What the instrumented sources read and write. */
interface Instrument {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  /** How often the active mutant was come by; beyond the limit it throws. */
  hitCount?: number;
  hitLimit?: number;
  /** How often, without an active one, each mutant was come by in each test. */
  mutantCoverage?: { readonly static: object; readonly perTest: Hits };
}
type Hits = Readonly<Record<string, Readonly<Record<string, number>>>>;

const instrument: Instrument = ((globalThis as { __stryker__?: Instrument }).__stryker__ ??= {});

/** How Stryker asks for one mutant; without a filter all tests run. */
interface MutantRun {
  readonly activeMutant: { readonly id: string };
  readonly testFilter?: readonly string[];
}

/** Of Stryker's options, what is mutated; and our own one. */
interface Options {
  readonly mutate: readonly string[];
  readonly specs: readonly string[];
}

/** What a run without a mutant leaves for those with one: in the copy of the project, which all processes share. */
const RECORD = 'record.json';
interface Recorded {
  readonly hits: Hits;
  /** The faster half of the tests. */
  readonly fast: readonly string[];
}

/** What happens between tests, while a spec is read: that may matter to any of them. */
const READING = 'reading';

let runs = 0;

/** The tests of some specs, in order, up to the first that fails. `before` says whether to run one. */
async function run(specs: readonly string[], before: (id: string) => boolean) {
  let failed = false;
  const ids = new Map<Task, string>();
  const runner: VitestRunner = {
    config: {
      root: process.cwd(),
      setupFiles: [],
      sequence: { shuffle: false, concurrent: false, hooks: 'stack', setupFiles: 'list' },
      maxConcurrency: 1,
      testTimeout: 0, // Stryker looks at the time
      hookTimeout: 0,
      retry: 0,
      allowOnly: false,
      tags: [],
    } as unknown as VitestRunner['config'],
    importFile: (path) => import(`${pathToFileURL(path)}?${runs}`),
    onCollected: (files) => {
      files.flatMap(testsOf).forEach((test, i) => ids.set(test, `${i} ${test.fullName}`)); // names may come twice
    },
    onBeforeRunTask: (test) => {
      const id = ids.get(test)!;
      if (failed || !before(id)) test.mode = 'skip';
      else instrument.currentTestId = id;
    },
    onAfterRunTask: (test) => {
      instrument.currentTestId = READING;
      failed ||= test.result?.state === 'fail';
    },
  };
  runs++;
  Object.assign(instrument, { hitLimit: Infinity, hitCount: 0 });
  const files = await startTests(
    specs.map((spec) => ({ filepath: resolve(spec) })),
    runner,
  );
  const tests = files
    .flatMap(testsOf)
    .filter(({ result }) => result !== undefined)
    .map((test) => ({
      id: ids.get(test)!,
      name: ids.get(test)!,
      timeSpentMs: test.result?.duration ?? 0,
      failure: test.result?.state === 'fail' ? `${test.result.errors?.[0]?.message}` : undefined,
    }));
  const unread = files.find(({ result }) => result?.state === 'fail' && !failed);
  return { tests, unread: unread && `${unread.filepath}: ${unread.result?.errors?.[0]?.message}` };
}

const testsOf = (suite: File | Suite): readonly Test[] =>
  suite.tasks.flatMap((task) => (task.type === 'test' ? [task] : testsOf(task)));

function testRunner({ mutate, specs }: Options) {
  return {
    // What is computed while the sources are read, once, needs a process of its own for each of its mutants.
    capabilities: () => ({ reloadEnvironment: false }),

    async init() {
      process.env.VITEST = '1';
      await import(pathToFileURL(resolve('spec/seed.ts')).href);
      // Nobody reads the smallest case on which a mutant fails.
      fc.configureGlobal({ ...fc.readConfigureGlobal(), endOnFailure: true });
    },

    /** Without a mutant: which test comes by which. */
    async dryRun() {
      for (const file of mutate) await import(pathToFileURL(resolve(file)).href);
      instrument.currentTestId = READING;
      const { tests, unread } = await run(specs, () => true);
      if (unread) return { status: 'error', errorMessage: unread };
      const { static: once, perTest } = instrument.mutantCoverage!;
      const hits: Hits = Object.fromEntries(tests.map(({ id }) => [id, { ...perTest[READING], ...perTest[id] }]));
      const byTime = tests.toSorted((a, b) => a.timeSpentMs - b.timeSpentMs).map(({ id }) => id);
      const fast = byTime.slice(0, byTime.length / 2);
      writeFileSync(RECORD, JSON.stringify({ hits, fast } satisfies Recorded));
      return {
        status: 'complete',
        tests: tests.map(({ failure, ...test }) =>
          failure === undefined ? { ...test, status: 0 } : { ...test, status: 1, failureMessage: failure },
        ),
        mutantCoverage: { static: once, perTest: hits },
      };
    },

    async mutantRun({ activeMutant: { id: mutant }, testFilter }: MutantRun) {
      const { hits, fast }: Recorded = JSON.parse(readFileSync(RECORD, 'utf8'));
      instrument.activeMutant = mutant;
      let nrOfTests = 0;
      // The fast tests of all specs first, for they are enough for most.
      for (const isNow of [(id: string) => fast.includes(id), (id: string) => !fast.includes(id)]) {
        const { tests, unread } = await run(specs, (id) => {
          // A loop that never ends comes by far more often than without the mutant; one step too many is no such loop.
          instrument.hitLimit = 1000 + 3 * (hits[id]?.[mutant] ?? Infinity);
          instrument.hitCount = 0;
          return isNow(id) && (testFilter?.includes(id) ?? true);
        });
        nrOfTests += tests.length;
        const killer = tests.find(({ failure }) => failure !== undefined);
        if (instrument.hitCount! > instrument.hitLimit!) return { status: 'timeout', reason: 'a loop without end' };
        if (killer) return { status: 'killed', killedBy: [killer.id], failureMessage: killer.failure, nrOfTests };
        if (unread) return { status: 'killed', killedBy: [], failureMessage: unread, nrOfTests };
      }
      return { status: 'survived', nrOfTests };
    },
  };
}
testRunner.inject = ['options'] as const;

export const strykerPlugins = [{ kind: 'TestRunner', name: 'specs', factory: testRunner }];
