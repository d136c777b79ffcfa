import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, setPriority, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { equivalents, type Equivalent } from '../spec/mutation/equivalents.ts';
import { commandLine, RunError, script } from './script.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

/** The random cases are the same every time: a mutant that survives today must not be killed by luck tomorrow. */
const environment = { ...process.env, CNN_SPEC_SEED: '1' };

/** What is mutated: the two files of every layer together, and what they stand on. */
const subjects = [
  ...readdirSync('src/naive')
    .filter((name) => name !== 'index.ts')
    .map((name) => [`naive/${name}`, `vectorized/${name}`]),
  ['window.ts'],
  ['ndarray.ts'],
  ['network.ts'],
  ['optimizer.ts'],
];

/** Every file answers to the spec of its name, window.ts to two layers too that look through windows. */
const judgesOf = (file: string) =>
  [basename(file, '.ts'), ...(file === 'window.ts' ? ['conv2d', 'maxPool2d'] : [])].map(
    (name) => `spec/${name}.spec.ts`,
  );

const help = `Changes the sources one small step at a time, and says which of the changes no test notices.

  npm run mutate                all of them, a quarter of an hour on two cores
  npm run mutate -- conv2d      only files with conv2d in their name
  npm run mutate -- --again     also those whose result is stored: spec/mutation/reports keeps it until the file, or
                                anything that judges it, is another
  npm run mutate -- --help      this text

score: killed / (mutants − equivalent − timed out). Exit code 1 if a mutant survives that spec/mutation/equivalents.ts does
not explain, or if it explains one that does not.
`;

interface Mutant extends Omit<Equivalent, 'file' | 'why'> {
  readonly line: number;
  /** Stryker's: Killed, Survived, NoCoverage, Timeout, … */
  readonly status: string;
}

interface Report {
  /** What the result depends on. */
  readonly of: string;
  readonly mutants: readonly Mutant[];
}

await script('mutate', async () => {
  const { values, positionals } = commandLine({
    options: { again: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  const isChosen = (file: string) => positionals.length === 0 || positionals.some((part) => file.includes(part));
  if (!subjects.flat().some(isChosen))
    throw new RangeError(
      `no file has a name with ${positionals.join(' or ')}, expected one of ${subjects.flat().join(', ')}`,
    );
  if (!existsSync('spec/mutation/node_modules')) install();
  setPriority(10);

  const say = (cells: readonly (string | number)[]) =>
    process.stdout.write(
      `| ${cells.map((cell, i) => (i ? `${cell}`.padStart(10) : `${cell}`.padEnd(34))).join(' | ')} |\n`,
    );
  const row = (name: string, mutants: readonly Mutant[], equivalent: number) => {
    const count = (wanted: string) => mutants.filter(({ status }) => status === wanted).length;
    const [killed, timedOut] = [count('Killed'), count('Timeout')];
    const survived = mutants.length - killed - timedOut - equivalent;
    const score = (100 * killed) / (mutants.length - timedOut - equivalent);
    say([name, mutants.length, killed, survived, timedOut, equivalent, `${score.toFixed(1)} %`]);
  };
  say(['file', 'mutants', 'killed', 'survived', 'timed out', 'equivalent', 'score']);
  say(['---', ...Array<string>(6).fill('--:')]);
  const [all, complaints]: [Mutant[], string[]] = [[], []];
  let explained = 0;
  for (const subject of subjects) {
    const files = subject.filter(isChosen);
    for (const [file, mutants] of Object.entries(await report(files, values.again))) {
      const found = judge(file, mutants);
      row(file, mutants, found.equivalent);
      all.push(...mutants);
      explained += found.equivalent;
      complaints.push(...found.complaints);
    }
  }
  row('all', all, explained);
  if (complaints.length === 0) return;
  process.stdout.write(`\n${complaints.join('\n')}\n`);
  process.exitCode = 1;
});

/** How many survivors are explained, and a sentence for each that is not, and for each explanation without one. */
function judge(file: string, mutants: readonly Mutant[]) {
  const known = equivalents.filter((equivalent) => equivalent.file === file);
  const isSame = (a: Mutant, b: Equivalent) => a.within === b.within && a.from === b.from && a.to === b.to;
  const survivors = mutants.filter(({ status }) => status !== 'Killed' && status !== 'Timeout');
  const unexplained = survivors.filter((mutant) => !known.some((equivalent) => isSame(mutant, equivalent)));
  const stale = known.filter((equivalent) => {
    const same = mutants.filter((mutant) => isSame(mutant, equivalent));
    return same.length === 0 || !same.every((mutant) => survivors.includes(mutant));
  });
  const show = (what: string, { from, to }: Mutant | Equivalent) => `${what}\n    ${from}\n    ${to}`;
  return {
    equivalent: survivors.length - unexplained.length,
    complaints: [
      ...unexplained.map((mutant) => show(`src/${file}:${mutant.line}: survives in ${mutant.within}`, mutant)),
      ...stale.map((equivalent) =>
        show(`src/${file}: equivalents.ts explains a survivor in ${equivalent.within} that is none`, equivalent),
      ),
    ],
  };
}

/** Stryker is a hundred packages that nothing else here needs: its home is spec/mutation. */
function install(): void {
  process.stderr.write('installing what spec/mutation/package.json lists\n');
  const { status } = spawnSync('npm', ['ci', '--prefix', 'spec/mutation'], { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new RunError('npm ci --prefix spec/mutation failed: its message is above');
}

/** The mutants of some files that one spec judges, stored or new. */
async function report(files: readonly string[], again: boolean): Promise<Readonly<Record<string, readonly Mutant[]>>> {
  const stored = (file: string) => `spec/mutation/reports/${file.replace(/ts$/, 'json')}`;
  const read = (file: string): Report => JSON.parse(readFileSync(stored(file), 'utf8'));
  const outdated = files.filter((file) => again || !existsSync(stored(file)) || read(file).of !== fingerprint(file));
  const of = outdated.map(fingerprint);
  const found = outdated.length > 0 ? await mutate(outdated) : {};
  outdated.forEach((file, i) => {
    mkdirSync(dirname(stored(file)), { recursive: true });
    writeFileSync(stored(file), `${JSON.stringify({ of: of[i], mutants: found[file] } satisfies Report, null, 2)}\n`);
  });
  return Object.fromEntries(files.map((file) => [file, read(file).mutants]));
}

/** Another one when the file is, or what judges it: its specs, what specs share, the sources and the fixtures. */
function fingerprint(file: string): string {
  const files = (folder: string) =>
    readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  const shared = readdirSync('spec')
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
    .map((name) => `spec/${name}`);
  const all = [...files('src'), ...files('golden'), ...shared, 'spec/mutation/package-lock.json'];
  const hash = createHash('sha256');
  for (const path of [...all.sort(), ...judgesOf(file)]) hash.update(path).update(readFileSync(path));
  return hash.digest('hex');
}

/** What of Stryker's report is read here. */
interface StrykerReport {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly StrykerMutant[] }>>;
}
interface StrykerMutant {
  readonly status: string;
  readonly replacement: string;
  readonly location: Readonly<Record<'start' | 'end', { readonly line: number; readonly column: number }>>;
}

/** Runs Stryker. */
async function mutate(changing: readonly string[]): Promise<Record<string, readonly Mutant[]>> {
  const folder = mkdtempSync(join(tmpdir(), 'cnn-spec-mutate-'));
  try {
    const fileName = join(folder, 'report.json');
    const options = {
      mutate: changing.map((file) => `src/${file}`),
      plugins: [join(root, 'spec/mutation/runner.ts')],
      testRunner: 'specs',
      testRunnerNodeArgs: ['--import', 'tsx'],
      specs: judgesOf(changing[0]),
      coverageAnalysis: 'perTest',
      concurrency: availableParallelism(),
      timeoutMS: 60_000, // beside other work a test takes seconds
      dryRunTimeoutMinutes: 60,
      tsconfigFile: 'none', // Stryker does not know TypeScript 7
      disableTypeChecks: false, // nobody checks types here
      ignorePatterns: ['spec/mutation/reports'],
      reporters: ['json', 'progress-append-only'],
      jsonReporter: { fileName },
    };
    const config = join(folder, 'stryker.json');
    writeFileSync(config, JSON.stringify(options));
    const bin = 'spec/mutation/node_modules/@stryker-mutator/core/bin/stryker.js';
    const stryker = spawn(process.execPath, ['--import', 'tsx', bin, 'run', config], {
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const said: string[] = [];
    for await (const line of createInterface(stryker.stdout)) {
      said.push(line);
      if (line.startsWith('Mutation testing')) process.stderr.write(`${changing.join(', ')}: ${line}\n`);
    }
    if (!existsSync(fileName))
      throw new RunError(`Stryker has no report on ${changing.join(', ')}:\n${said.join('\n')}`);
    const { files }: StrykerReport = JSON.parse(readFileSync(fileName, 'utf8'));
    return Object.fromEntries(
      changing.map((file) => {
        const { source, mutants } = files[`src/${file}`];
        return [file, mutants.map((mutant) => described(source, mutant))];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A mutant by what it changes, not where: lines move. */
function described(source: string, { status, replacement, location: { start, end } }: StrykerMutant): Mutant {
  const lines = source.split('\n');
  const [first, last] = [lines[start.line - 1], lines[end.line - 1]];
  const to = first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1);
  const functions = lines.slice(0, start.line).map((line) => /^(?:export )?(?:function|const) (\w+)/.exec(line)?.[1]);
  const within = functions.findLast((name) => name !== undefined) ?? '';
  const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();
  return { line: start.line, within, from: oneLine(first), to: oneLine(to), status };
}
