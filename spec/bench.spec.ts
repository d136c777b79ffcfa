import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { interleave, repeat } from '../scripts/bench/interleave.ts';
import { kernelRuns, LIMIT, operationsOf } from '../scripts/bench/kernels.ts';
import { multiplyAdds } from '../scripts/bench/multiplyAdds.ts';
import type { ImplementationName } from '../scripts/bench/competitors.ts';
import { Peer } from '../scripts/bench/peer.ts';
import { resultOf } from '../scripts/bench/resultOf.ts';
import { isQuiet, median, quantile, ratioOf, speedOf, spread, type Burst } from '../scripts/bench/statistics.ts';
import { works, type Work, type WorkName } from '../scripts/bench/works.ts';
import { profileTable } from '../scripts/profileTable.ts';
import { random } from '../src/random.ts';
import { bestBuild } from '../src/simd/instantiate.ts';
import { Workspace } from '../src/simd/kernels.ts';
import { geometry } from '../src/window.ts';

// Nothing here is timed, and no speed is expected of anyone.

const root = fileURLToPath(new URL('..', import.meta.url));
const run = (args: readonly string[], env: NodeJS.ProcessEnv = process.env) => {
  const command = ['--import', 'tsx', 'scripts/bench.ts', ...args];
  return spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8', env });
};

/** A burst of one second. */
const burst = (amount: number, others: number | undefined, cpuSeconds = 1): Burst => ({
  ...{ amount, seconds: 1, cpuSeconds, others },
});

describe('medians and spreads', () => {
  it('the median is the value in the middle, or half-way between the two that are', () => {
    expect([median([5, 1, 2]), median([8, 1, 2, 4]), median([7])]).toEqual([2, 3, 7]);
    expect(quantile([0, 10, 20, 30], 0.25)).toBe(7.5);
  });

  it('the spread is half of what the middle half spans, as a share of the median: one wild value changes little', () => {
    expect(spread([90, 95, 100, 105, 110])).toBe(0.05);
    expect(spread([90, 95, 100, 105, 1000])).toBe(0.05);
    expect(spread([7])).toBe(0);
  });

  it('quiet is a burst in which others took little, and none where the system does not tell', () => {
    expect([0, 0.06, 0.07, undefined].map((others) => isQuiet(burst(1, others)))).toEqual([true, true, false, false]);
  });

  it('a speed rests on the quiet bursts, if there are three, or as many as there are', () => {
    const bursts = [burst(100, 0), burst(40, 0.5), burst(110, 0), burst(90, 0)];
    expect(speedOf(bursts, 2)).toMatchObject({ value: 100, quiet: 3, basis: 'quiet' });
    expect(speedOf([burst(100, 0)], 2)).toMatchObject({ value: 100, quiet: 1, basis: 'quiet' });
  });

  it('with too few, on seconds of its own CPU time, if it has one thread, else on all', () => {
    const bursts = [burst(100, 0), burst(50, 0.5, 0.5), burst(30, 0.5, 0.3), burst(20, 0.5, 0.2)];
    expect(speedOf(bursts, 1)).toEqual({ value: 100, spread: expect.closeTo(0, 9), quiet: 1, basis: 'cpu' });
    expect(speedOf(bursts, 2)).toMatchObject({ value: 40, quiet: 1, basis: 'all' });
  });

  it('where the system does not tell, on all', () => {
    const bursts = [burst(100, undefined, 0.5), burst(50, undefined, 0.5), burst(30, undefined, 0.5)];
    expect(speedOf(bursts, 1)).toMatchObject({ value: 50, quiet: 0, basis: 'all' });
  });

  it('a ratio is the median of those of each round, of rounds in which both were quiet', () => {
    const own = [burst(300, 0), burst(30, 0), burst(3, 0), burst(999, 0)]; // a machine that slows down
    const theirs = [burst(100, 0), burst(10, 0), burst(1, 0), burst(1, 0.5)];
    expect(ratioOf(own, theirs, 1)).toEqual({ value: 3, spread: 0, quiet: 3, basis: 'quiet' });
    const loud = theirs.map(({ amount }) => burst(amount, 0.5, 0.5));
    expect(ratioOf(own.slice(0, 3), loud.slice(0, 3), 1)).toMatchObject({ value: 1.5, quiet: 0, basis: 'cpu' });
    expect(ratioOf(own.slice(0, 3), loud.slice(0, 3), 2)).toMatchObject({ value: 3, quiet: 0, basis: 'all' });
  });
});

it('others are compared with the better of a peer, and with as many threads', () => {
  const entrant = (implementation: ImplementationName, threads: number, speed: number) =>
    [{ implementation, threads, fma: null, batch: 1 }, [burst(speed, 0)]] as const;
  const bursts = new Map([
    entrant('pytorch', 1, 100),
    entrant('simd', 1, 125),
    entrant('simd', 2, 240),
    entrant('pytorch', 2, 120),
    entrant('vectorized', 1, 2),
  ]);
  const results = [...bursts.keys()].map((one) => resultOf('M2', one, bursts));
  expect(results.map(({ ratioTo, ratioToSameThreads }) => [ratioTo, ratioToSameThreads])).toEqual([
    [{ vectorized: 50 }, { vectorized: 50 }],
    [
      { pytorch: 125 / 120, vectorized: 62.5 },
      { pytorch: 1.25, vectorized: 62.5 },
    ],
    [{ pytorch: 2, vectorized: 120 }, { pytorch: 2 }],
    [{ vectorized: 60 }, {}],
    [{ pytorch: 1 / 60 }, { pytorch: 0.02 }],
  ]);
});

describe('turns', () => {
  it('a turn has at least one step, and ends with the first after its time', async () => {
    expect(await repeat(0, () => 16)).toEqual({ amount: 16, seconds: expect.any(Number) });
    const { amount, seconds } = await repeat(0.01, () => 1);
    expect(amount).toBeGreaterThan(1);
    expect(seconds).toBeGreaterThanOrEqual(0.01);
  });

  it('everyone has one each round, prepared, after a step; in an order of the seed; and first one that does not count', async () => {
    const turns = async (seed: number) => {
      const said: string[] = [];
      const competitors = ['a', 'b', 'c'].map((name) => ({
        name,
        prepare: async () => void said.push(`prepare ${name}`),
        work: async (seconds: number) => ({ amount: said.push(`${name} ${seconds}`), seconds: 1, cpuSeconds: 0.5 }),
      }));
      const bursts = await interleave(competitors, 4, 0.5, random(seed), () => {});
      return { said, bursts: [...bursts.values()] };
    };
    const { said, bursts } = await turns(0);
    const turn = (name: string) => [`prepare ${name}`, `${name} 0`, `prepare ${name}`, `${name} 0.5`];
    const order = said.filter((word) => word.endsWith('0.5')).map(([name]) => name);
    expect(said).toEqual(order.flatMap(turn));
    expect(order).toHaveLength(5 * 3);
    for (let round = 0; round < 5; round++)
      expect(order.slice(3 * round, 3 * round + 3).toSorted()).toEqual(['a', 'b', 'c']);
    expect(bursts.map((own) => own.length)).toEqual([4, 4, 4]);
    expect(Math.min(...bursts.flat().map(({ amount }) => amount))).toBeGreaterThan(12); // none of the first round
    for (const { cpuSeconds } of bursts.flat()) expect(cpuSeconds).toBe(0.5);
    expect((await turns(0)).said).toEqual(said);
    expect((await turns(1)).said).not.toEqual(said);
  });
});

describe('works', () => {
  it.each<[WorkName, number]>([
    ['M1', 8 * 26 * 26 * 9 + 64 * 1352 + 10 * 64],
    ['M2', 32 * 28 * 28 * 9 + 64 * 14 * 14 * 32 * 9 + 128 * 3136 + 10 * 128],
    ['M3', 6 * 26 * 26 * 9 + 32 * 3456 + 10 * 32],
    // The stem; four 3×3 convolutions; one that halves and three; the same again twice; three 1×1 ones that halve; the last layer.
    ['M4/64', 64 * 32 * 32 * 147 + 256 * 64 * (4 * 576) + 64 * 128 * (576 + 3 * 1152) + 16 * 256 * (1152 + 3 * 2304) + 4 * 512 * (2304 + 3 * 4608) + 64 * 128 * 64 + 16 * 256 * 128 + 4 * 512 * 256 + 3 * 512], // prettier-ignore
  ])('the multiply-adds of %s, forward, of one image', (name, count) => {
    expect(multiplyAdds(works[name].model)).toBe(count);
  });

  it('scripts/bench/pytorch.py has the same ones', () => {
    const text = readFileSync(join(root, 'scripts/bench/pytorch.py'), 'utf8');
    const rows = text.matchAll(/^ {4}"(M[^"]+)": \((\w+), \(([\d, ]+)\), (\d+), (\d+), (.*)\),$/gm);
    const theirs = Array.from(rows, ([, name, net, shape, batch, classes, optimizer]) => ({
      ...{ name, net: net.replaceAll('_', '').toLowerCase(), shape: shape.replaceAll(' ', '') },
      ...{ batch: Number(batch), classes: Number(classes), optimizer: /adam|sgd/i.exec(optimizer)![0].toLowerCase() },
      rate: Number(/lr=([\d.]+)/.exec(optimizer)![1]),
      momentum: Number(/momentum=([\d.]+)/.exec(optimizer)?.[1] ?? 0),
    }));
    const ours = Object.entries<Work>(works).map(([name, { model, batch, optimizer, rate, optimizerOptions }]) => {
      const last = model.nodes.at(-1)!;
      const classes = 'layer' in last && last.parameters!.b[0];
      const net = model.name.toLowerCase();
      return { name, net, shape: `${model.input}`, batch, classes, optimizer, rate, momentum: optimizerOptions?.momentum ?? 0 }; // prettier-ignore
    });
    expect(theirs).toEqual(ours);
  });
});

describe('kernels', () => {
  it('a convolution has two operations for each multiply-add', () => {
    const g = { ...{ N: 1, groups: 1, slice: 32, O: 64 }, ...geometry('bench', [14, 14], [3, 3], { padding: 1 }) };
    expect(operationsOf(g)).toBe(2 * 64 * 196 * 288);
  });

  it.each(bestBuild() === 'fma' ? (['plain', 'fma'] as const) : (['plain'] as const))(
    '%s: the limit really multiplies and adds: 13 sums, each halved and a half more, round after round',
    async (build) => {
      const { kernels } = await Workspace.of(build);
      expect([0, 1, 3].map((count) => kernels.limit(count))).toEqual([0, 13 * 0.5, 13 * 0.875]);
    },
  );

  it('each computes, without complaint', async () => {
    for (const { work } of await kernelRuns('plain', 0)) expect((await work(0)).amount).toBeGreaterThan(0);
  });
});

describe('scripts/bench.ts', () => {
  it('--json: results and kernels on stdout and nothing else', () => {
    const { stdout, status } = run(['--work', 'M1,kernels', '--rounds', '1', '--seconds', '0.01', '--json']);
    expect(status).toBe(0);
    const { machine, date, seed, results, kernels, notes, ...rest } = JSON.parse(stdout);
    expect(rest).toEqual({});
    expect([machine, date, seed]).toEqual([expect.any(String), expect.stringMatching(/^\d{4}-\d\d-\d\d$/), 0]);
    for (const note of notes) expect(note).toMatch(/^M1: (naive|vectorized|simd) has /); // so few images a step, no fma
    const builds = bestBuild() === 'fma' ? [false, true] : [false];
    const simd = builds.flatMap((fma) => [1, 2].map((threads) => ({ implementation: 'simd', threads, fma })));
    const ours = [
      ...['naive', 'vectorized'].map((implementation) => ({ implementation, threads: 1, fma: false })),
      ...simd,
    ];
    const positive = expect.toSatisfy((value) => typeof value === 'number' && value > 0, 'a number above 0');
    expect(results).toEqual(
      ours.map((one) => {
        const to = ['naive', 'vectorized'].filter((name) => name !== one.implementation);
        const each = (value: unknown) => Object.fromEntries(to.map((name) => [name, value]));
        return {
          ...{ work: 'M1', ...one, batch: one.implementation === 'simd' ? 16 : positive, imagesPerSecond: positive },
          ...{ spread: 0, quiet: expect.any(Number), turns: 1, basis: expect.any(String) },
          ...{ ratioTo: each(positive), ratioBasis: each(expect.any(String)) },
          ratioToSameThreads: one.threads === 1 ? each(positive) : {},
          sameThreadsBasis: one.threads === 1 ? each(expect.any(String)) : {},
        };
      }),
    );
    expect(kernels.map(({ fma }: { fma: boolean }) => fma)).toEqual(
      [...builds].reverse().flatMap((fma) => Array(kernels.length / builds.length).fill(fma)),
    );
    for (const kernel of kernels)
      expect(kernel).toEqual({
        ...{ name: expect.any(String), fma: expect.any(Boolean), gflops: positive },
        percentOfLimit: kernel.name === LIMIT ? 100 : positive,
        ...{ spread: 0, quiet: expect.any(Number), turns: 1, basis: expect.any(String) },
      });
  });

  it('in words: the seed, a line for each, none wider than 80 columns', () => {
    const few = ['--rounds', '1', '--seconds', '0.01', '--seed', '7', '--implementation', 'simd'];
    const { stdout, status } = run(['--work', 'M1,kernels', ...few]);
    expect(status).toBe(0);
    expect(stdout).toContain(', seed 7, 1 turn of 0.01 s each; --help');
    expect(stdout).toMatch(
      /^M1: page3 1×28×28, batches of 16, sgd at rate 0\.005\n +threads +images\/s +spread +quiet\nsimd /m,
    );
    expect(stdout).toMatch(/^kernels: /m);
    expect(stdout.split('\n').filter((line) => line.length > 80 && !line.includes('Node '))).toEqual([]);
  });

  it('who would take too long is left out, and the reason is said', () => {
    const { stdout, status } = run(['--work', 'M4/64', '--implementation', 'naive', '--seconds', '0.01', '--json']);
    expect(status).toBe(0);
    const reason = /^M4\/64: naive is left out: going by M1, an image would take it up to \d+ s$/;
    expect(JSON.parse(stdout)).toMatchObject({ results: [], notes: [expect.stringMatching(reason)] });
  });

  it('--profile: milliseconds of a step by layer', () => {
    const { stdout, status } = run(['--work', 'M1', '--profile', '--seconds', '0.01', '--json']);
    expect(status).toBe(0);
    const [{ work, milliseconds }] = JSON.parse(stdout).profiles;
    expect(work).toBe('M1');
    expect(Object.keys(milliseconds)).toEqual(expect.arrayContaining(['conv1 forward', 'fc2 backward', 'optimizer']));
  });

  it('--port says how many calls a port answers, and whose it is', () => {
    const port = 'node spec/port/misbehaving.js right';
    const none = run(['--port', port, '--rounds', '1', '--seconds', '0.01']);
    expect([none.stderr.split('\n').at(-2), none.status]).toEqual([
      'bench: misbehaving does not claim conv2d forward',
      2,
    ]);
    const missing = run(['--port', './no-such-port']);
    expect(missing.stderr).toMatch(/^bench: .*no-such-port/m);
    expect([missing.stdout, missing.status]).toEqual(['', 2]);
  });

  it('--help shows every option, and every work', () => {
    const { stdout, status } = run(['--help']);
    expect(status).toBe(0);
    for (const option of [
      'work',
      'implementation',
      'peer',
      'seed',
      'rounds',
      'seconds',
      'profile',
      'port',
      'json',
      'help',
    ])
      expect(stdout).toContain(`  --${option} `);
    for (const work of Object.keys(works)) expect(stdout).toContain(`\n    ${work} `);
  });

  it.each([
    [['--work', 'M5'], '--work is "M5", expected one of M1, M2, M3, M4/64, M4/224, kernels'],
    [['--implementation', 'simd,numpy'], '--implementation is "numpy", expected one of naive, vectorized, simd'],
    [['--peer', 'torch'], '--peer is "torch", did you mean pytorch? Expected one of pytorch, tfjs'],
    [['--rounds', '0'], '--rounds is "0", expected an integer ≥ 1'],
    [['--seconds', '0'], '--seconds is "0", expected a number above 0'],
    [['--seed', '-1x'], "Option '--seed' argument is ambiguous, expected --seed=VALUE"],
    [['--profile', '--peer', 'tfjs'], '--peer tfjs is given with --profile, which is of the engine alone'],
    [['--work', 'kernels', '--profile'], '--profile is of networks, expected --work with one'],
  ])('error: %j', (args, message) => {
    const { stdout, stderr, status } = run(args);
    expect([stdout, stderr, status]).toEqual(['', `bench: ${message}\n`, 2]);
  });
});

describe('peers', () => {
  const node = (program: string) => [process.execPath, '-e', program];
  const dies = `console.log('{"version":"1"}'); process.stdin.once('data', () => { console.error('a\\nout of memory'); process.exit(3); });`;
  const question = { work: 'M1', threads: 1, seconds: 0 } as const;

  it('is asked and answers, line by line; the first command that runs is taken', async () => {
    const echo = `console.log('{"version":"2"}'); process.stdin.on('data', (line) => process.stdout.write(line));`;
    const peer = await Peer.start('pytorch', [['no-such-python'], node('process.exit(1)'), node(echo)]);
    expect([peer.name, peer.version]).toEqual(['pytorch', '2']);
    expect([await peer.ask(question), await peer.ask({ ...question, batch: 3 })]).toEqual([question, { ...question, batch: 3 }]); // prettier-ignore
    peer.close();
  });

  it.each([
    ['pytorch', '--peer pytorch: PyTorch is not installed, expected a python3 that can import torch'],
    ['tfjs', '--peer tfjs: TensorFlow.js is not installed, expected it after npm install --no-save @tensorflow/tfjs'],
  ] as const)('%s that is not installed is an error', async (name, message) => {
    const commands = [['no-such-python'], node('import("no-such-package")')];
    await expect(Peer.start(name, commands)).rejects.toThrow(new RangeError(message));
  });

  it('one that dies says its last words, and answers no more', async () => {
    const peer = await Peer.start('tfjs', [node(dies)]);
    await expect(peer.ask(question)).rejects.toThrow('the peer tfjs has died: out of memory');
    expect(peer.died).toBeInstanceOf(Error);
    await expect(peer.ask(question)).rejects.toThrow('the peer tfjs has died: out of memory');
  });

  it('dies while all take turns: one sentence, and exit code 1', () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-bench-'));
    try {
      const python = join(directory, 'python3');
      writeFileSync(python, `#!${process.execPath}\n${dies}`);
      chmodSync(python, 0o755);
      const args = ['--work', 'M1', '--rounds', '1', '--seconds', '0.01', '--implementation', 'simd'];
      const env = { ...process.env, PATH: `${directory}${delimiter}${process.env.PATH}` };
      const { stderr, status } = run([...args, '--peer', 'pytorch'], env);
      expect([stderr, status]).toEqual(['bench: the peer pytorch has died: out of memory\n', 1]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

it('a profile is a line for each layer, what goes back together, with bars as long as their shares', () => {
  const spent = { images: 2, 'layer1.0.conv1 forward': 40, 'layer1.0.conv1 backward': 30, 'layer1.0.conv1 gradients': 10, optimizer: 20 }; // prettier-ignore
  expect(profileTable(new Map(Object.entries(spent)), 10)).toBe(
    [
      'ms of a step           forward  backward',
      'images                   0.200             2.0 %  █',
      'layer1.0.conv1           4.000     4.000  78.4 %  ██████████████████████████',
      'optimizer                2.000            19.6 %  ███████',
      'all                               10.200',
    ].join('\n'),
  );
});
