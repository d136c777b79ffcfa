import fc from 'fast-check';
import { specifications } from '../spec/specify.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import { initialize } from '../src/initialize.ts';
import { random } from '../src/random.ts';
import { interleave, machine, repeat, tellsOthers, type Competitor } from './bench/interleave.ts';
import { kernelRuns, LIMIT, type KernelRun } from './bench/kernels.ts';
import { Peer, peers, type PeerName } from './bench/peer.ts';
import { median, QUIET, ratioOf, speedOf, spread, type Burst } from './bench/statistics.ts';
import { trainers, type ImplementationName, type Trainer } from './bench/competitors.ts';
import { resultOf } from './bench/resultOf.ts';
import { kernelTable, tableOf, type KernelResult, type Result } from './bench/tables.ts';
import { describe, picturesFor, works, type Work, type WorkName } from './bench/works.ts';
import { profileTable } from './profileTable.ts';
import { progressBar } from './progressBar.ts';
import { choose, commandLine, integer, positive, RunError, script } from './script.ts';
import { startPort } from './startPort.ts';

const KERNELS = 'kernels';
const implementations = ['naive', 'vectorized', 'simd'] as const;

const help = `Measures how fast networks train, everyone in turn, so that what disturbs one disturbs all.

  npm run bench                                     everything of ours: some minutes
  npm run bench -- --work M1,M2 --peer pytorch      two networks, and PyTorch on the same ones
  npm run bench -- --work M2 --profile              what a step of the engine spends its time on
  npm run bench -- --work kernels                   the kernels alone, and the machine's limit

What
  --work A,B,…            of the networks below, and kernels (default all)
${Object.entries<Work>(works)
  .map(([name, work]) => `    ${name.padEnd(8)} ${describe(work)}`)
  .join('\n')}
  --implementation A,B,…  of ${implementations.join(', ')} (default all)
  --peer A,B,…            also ${Object.keys(peers).join(', ')}: pytorch needs a python3 with torch, tfjs
                          npm install --no-save @tensorflow/tfjs
  --seed N                of first weights, random pictures, and the order of turns (default 0)

How long
  --rounds N              turns of each (default 10)
  --seconds X             of a turn, at least one step (default 0.5)

  --profile               instead, milliseconds of a step by layer, of the engine on one thread
  --port COMMAND          instead, how many small calls of conv2d check-port and this port
                          make in a second; pin both to one core by taskset -c 0
  --json                  { machine, date, seed, results, kernels, notes } on stdout and nothing else
  --help                  this text

A turn begins with the first weights, and is quiet if others took at most ${QUIET * 100} % of the CPUs: numbers are medians over
quiet turns, ± half of what the middle half of them spans. A ratio is the median of those of each round. Where fewer
than three turns are quiet, what one thread did in a second of its own CPU time stands, marked c; with several threads, or
where the system does not tell, all turns count, marked a. Of a peer, the number of threads it is better with is compared.
`;

interface Options {
  readonly rounds: number;
  readonly seconds: number;
  readonly seed: number;
  readonly bar: ReturnType<typeof progressBar>;
  /** Where text goes: nowhere with --json. */
  readonly say: (line: string) => void;
}

async function main(): Promise<void> {
  const { values } = commandLine({
    options: {
      work: { type: 'string', default: [...Object.keys(works), KERNELS].join() },
      implementation: { type: 'string', default: implementations.join() },
      peer: { type: 'string' },
      seed: { type: 'string', default: '0' },
      rounds: { type: 'string', default: '10' },
      seconds: { type: 'string', default: '0.5' },
      profile: { type: 'boolean', default: false },
      port: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const list = <T extends string>(option: string, names: readonly T[], text: string): readonly T[] => {
    const choices = Object.fromEntries(names.map((name) => [name, name])) as Readonly<Record<string, T>>;
    return [...new Set(text.split(',').map((name) => choose<T>(option, choices, name)))];
  };
  const chosen = list('--work', [...(Object.keys(works) as WorkName[]), KERNELS], values.work);
  const names = chosen.filter((name) => name !== KERNELS);
  const ours = list('--implementation', implementations, values.implementation);
  const theirs = values.peer === undefined ? [] : list('--peer', Object.keys(peers) as PeerName[], values.peer);
  const options: Options = {
    rounds: integer('--rounds', values.rounds, 1),
    seconds: positive('--seconds', values.seconds),
    seed: integer('--seed', values.seed, 0, 2 ** 32 - 1),
    bar: progressBar(process.stderr),
    say: (line) => void (values.json || process.stdout.write(`${line}\n`)),
  };
  if (values.profile && names.length === 0) throw new RangeError('--profile is of networks, expected --work with one');
  if (values.profile && theirs.length > 0)
    throw new RangeError(`--peer ${values.peer} is given with --profile, which is of the engine alone`);
  if (values.port !== undefined && values.profile)
    throw new RangeError('--port and --profile are both there, expected one of them');
  const { say, rounds, seconds, seed, bar } = options;
  const date = new Date().toISOString().slice(0, 10);
  if (values.profile) {
    const profiles = [];
    for (const name of names) profiles.push(await profile(name, options));
    return report({ machine: machine(), date, seed, profiles });
  }
  if (values.port !== undefined) {
    const port = await callsOf(values.port, options);
    return report({ machine: machine(), date, seed, port });
  }

  const running: Peer[] = [];
  try {
    for (const name of theirs) running.push(await Peer.start(name));
    const versions = running.map(({ name, version }) => `${name} ${version}`);
    const where = [machine(), ...versions].join(', ');
    const turns = `${rounds} ${rounds === 1 ? 'turn' : 'turns'} of ${seconds} s each`;
    say(`${where}\n${date}, seed ${seed}, ${turns}; --help says what the numbers are`);
    if (!tellsOthers) say('This system does not tell what others do: all turns count.');
    const [results, notes]: [Result[], string[]] = [[], []];
    for (const name of names) {
      const found = await compete(name, ours, running, options);
      results.push(...found.results);
      notes.push(...found.notes.map((note) => `${name}: ${note}`));
    }
    const kernels = chosen.includes(KERNELS) ? await measureKernels(options) : [];
    report({ machine: where, date, seed, results, kernels, notes });
  } catch (error) {
    if (!(error instanceof Error && running.some(({ died }) => died === error))) throw error;
    bar.clear();
    throw new RunError(error.message);
  } finally {
    for (const peer of running) peer.close();
  }

  function report(result: object): void {
    if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  }
}

// ── Networks ────────────────────────────────────────────────────────────────

/** One network: everyone in turn, and a table of it. */
async function compete(
  name: WorkName,
  ours: readonly ImplementationName[],
  running: readonly Peer[],
  options: Options,
) {
  const { say, bar } = options;
  bar.show(0, name, ['first trials']);
  const { trainers: all, notes } = await trainers(name, ours, running, options);
  try {
    const nameOf = ({ implementation, threads }: Trainer) => `${implementation} on ${threads}`;
    const bursts = await inTurn(name, all, nameOf, options);
    const results = all.map((trainer) => resultOf(name, trainer, bursts));
    say(`\n${name}: ${describe(works[name])}`);
    if (results.length > 0) say(tableOf(results));
    for (const note of notes) say(note);
    return { results, notes };
  } finally {
    for (const trainer of all) await trainer.close();
  }
}

type Bursts<C> = ReadonlyMap<C, readonly Burst[]>;

function inTurn<C extends Competitor>(
  what: string,
  competitors: readonly C[],
  nameOf: (competitor: C) => string,
  { rounds, seconds, seed, bar }: Options,
): Promise<Bursts<C>> {
  const progress = (share: number, competitor: C) =>
    bar.show(share, what, [`${Math.floor(100 * share)} %`, nameOf(competitor)]);
  return interleave(competitors, rounds, seconds, random(seed, 2), progress).finally(() => bar.clear());
}

// ── Kernels ─────────────────────────────────────────────────────────────────

/** All kernels of all builds in turn; each as a share of what its build can do at most, found in the same round. */
async function measureKernels(options: Options): Promise<readonly KernelResult[]> {
  const builds = bestBuild() === 'fma' ? (['fma', 'plain'] as const) : (['plain'] as const);
  const runs = (await Promise.all(builds.map((build) => kernelRuns(build, options.seed)))).flat();
  const seconds = options.seconds / 5; // a call takes a millisecond or less
  const nameOf = ({ name, build }: KernelRun) => `${name}, ${build}`;
  const bursts = await inTurn(KERNELS, runs, nameOf, { ...options, seconds });
  const kernels = runs.map((run) => {
    const limit = runs.find(({ name, build }) => name === LIMIT && build === run.build)!;
    const { value, spread, quiet, basis } = speedOf(bursts.get(run)!, 1);
    const { value: share } = ratioOf(bursts.get(run)!, bursts.get(limit)!, 1);
    return {
      ...{ name: run.name, fma: run.build === 'fma', gflops: value / 1e9, percentOfLimit: 100 * share },
      ...{ spread, quiet, turns: options.rounds, basis },
    };
  });
  options.say(`\n${kernelTable(kernels)}`);
  return kernels;
}

// ── --port ──────────────────────────────────────────────────────────────────

/** Small calls a second, from the call to its answer: random ones of conv2d, forward, one after the other. */
async function callsOf(command: string, { rounds, seconds, seed, say, bar }: Options) {
  const port = startPort(['sh', '-c', `exec ${command}`]);
  try {
    if (!port.has('conv2d', 'forward')) throw new RangeError(`${port.name} does not claim conv2d forward`);
    await import('../spec/conv2d.spec.ts');
    const calls = fc.sample(specifications.get('conv2d')!.cases, { seed, numRuns: 100 });
    const { forward } = port.layer('conv2d');
    const ask = async () => calls.map((call) => forward(call)).length;
    await repeat(seconds, ask); // what is compiled while it runs is compiled now
    const speeds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      bar.show(round / rounds, port.name, [`turn ${round + 1} of ${rounds}`]);
      const { amount, seconds: taken } = await repeat(seconds, ask);
      speeds.push(amount / taken);
    }
    bar.clear();
    const result = { name: port.name, callsPerSecond: median(speeds), spread: spread(speeds), turns: rounds };
    say(`${machine()}\n${port.name}: ${Math.round(result.callsPerSecond).toLocaleString('en')} small calls a second, ±${Math.round(100 * result.spread)} %, ${rounds} turns of ${seconds} s`); // prettier-ignore
    return result;
  } finally {
    await port.close();
  }
}

// ── --profile ───────────────────────────────────────────────────────────────

/** What steps of the engine on one thread spend their time on: milliseconds of a step by label. */
async function profile(name: WorkName, { seed, seconds, say }: Options) {
  const work: Work = works[name];
  const { model, batch, optimizer, optimizerOptions = {}, rate } = work;
  const pictures = picturesFor(work, seed);
  const engine = await Engine.of(model, initialize(model, random(seed)), { batch, optimizer, optimizerOptions });
  const positions = Uint32Array.from({ length: batch }, (_, i) => i);
  const step = async () => {
    await engine.step(pictures, positions, random(seed), rate);
    return 1;
  };
  await repeat(seconds, step); // what is compiled while it runs is compiled now
  const spent = (engine.profile = new Map<string, number>());
  const { amount: steps } = await repeat(seconds, step);
  await engine.close();
  say(`${name}: ${describe(work)}; ${engine.build}, ${steps} ${steps === 1 ? 'step' : 'steps'}`);
  say(`${profileTable(spent, steps)}\n`);
  const milliseconds = Object.fromEntries([...spent].map(([label, total]) => [label, total / steps]));
  return { work: name, fma: engine.build === 'fma', steps, milliseconds };
}

await script('bench', main);
