import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../src/tensor.ts';
import { expectTensor } from './close.ts';
import { Port } from './port/port.ts';
import { PortError, read } from './port/protocol.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const misbehaving = join(root, 'spec/port/misbehaving.js');
const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-port-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
/** A port that misbehaves, and that is told from all other programs by the name of a file. */
const command = (mode: string) => [process.execPath, misbehaving, mode, join(directory, `${files++}`)];
/** The processes that have `mark` in their command line. */
const running = (mark: string) =>
  execFileSync('ps', ['-A', '-o', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(mark) && !line.includes('ps -A'));
const gone = (mark: string, own = expect) => own.poll(() => running(mark), { timeout: 60_000 }).toEqual([]);

const of23 = (...data: number[]): Tensor => ({ shape: [2, 3], data: Float64Array.from(data) });
const x = of23(-1, 2, -3, 4, -5, NaN);
const y = of23(0, 2, 0, 4, 0, NaN);
const dy = of23(1, 2, 3, 4, 5, 6);
const call = { inputs: { x }, options: {}, dy };
const flush = 'does it flush stdout after each line?';
const noJson = 'expected one line of JSON: stdout is for answers, stderr for all else';

/** What was said of a port that cannot be judged, or of its third answer. */
function said(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof PortError) return `${error.failure}: ${error.message}`;
    throw error;
  }
  return 'nothing';
}

describe('what is said of a port that', () => {
  /** Seconds: long where the end of it is not waited for. */
  const [LONG, SHORT] = [60, 2];

  it.each<[string, string, number?]>([
    ['crashes', 'crashed: ended with exit code 3'],
    ['dies-by-SIGSEGV', 'crashed: ended by SIGSEGV'],
    ['exits-0', 'crashed: ended with exit code 0'],
    ['exits-in-the-line', 'crashed: wrote "{\\"seq\\":3,\\"ou" without the end of a line, ended with exit code 0'],
    ['closes-stdout', 'crashed: ended by closing its stdout'],
    ['leaves-a-child', 'crashed: ended with exit code 3'],
    ['hangs', `hung: said nothing for 2 s, and was ended: ${flush}`, SHORT],
    ['answers-late', `hung: said nothing for 2 s, and was ended: ${flush}`, SHORT],
    [
      'hangs-in-the-line',
      `hung: wrote "{\\"seq\\":3,\\"outputs\\":{\\"y\\":{\\"shape\\":[2,3],\\"…[0,2,0,4,0,\\"NaN\\"]}}}" without the end of a line, nothing more for 2 s, and was ended: ${flush}`,
      SHORT,
    ],
    ['garbage', `broken: wrote "\\u0000\\u001b[31mÆØ☃ segmentation fault", ${noJson}`],
    ['logs-first', `broken: wrote "loading weights…", ${noJson}`],
    ['empty-line-first', `broken: wrote "", ${noJson}`],
    ['no-object', 'broken: wrote "[1,2,3]", expected a JSON object'],
    ['answers-empty', 'broken: answers seq nothing, expected 3, what it was asked last'],
    ['no-seq', 'broken: answers seq nothing, expected 3, what it was asked last'],
    ['wrong-seq', 'broken: answers seq 4, expected 3, what it was asked last'],
    ['answers-before', 'broken: answers seq 2, expected 3, what it was asked last'],
    ['deep-seq', 'broken: answers seq lists in lists, too deep to be shown, expected 3, what it was asked last'],
    ['outputs-null', 'broken: answers {"seq":3,"outputs":null}, expected outputs, or an error, or a skip'],
    ['no-outputs', 'broken: answers without y, expected y'],
    ['extra-outputs', 'broken: answers with z too, expected y alone'],
    ['no-tensor', 'broken: answers y [0,2,0,4,0,"NaN"], expected {"shape":[…],"data":[…]}'],
    ['no-shape', 'broken: answers y {"data":[0,2,0,4,0,"NaN"]}, expected {"shape":[…],"data":[…]}'],
    ['negative-shape', 'broken: answers y of shape [-1,-6], expected a list of sizes, at most 64'],
    [
      'wrong-rank',
      'broken: answers y of shape [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1…1,1,1,1,1,1,1,1,1,1], expected a list of sizes, at most 64',
    ],
    ['wrong-length', 'broken: answers y of shape (2, 3) with 7 numbers, expected 6 of them'],
    [
      'nested-data',
      'broken: answers y.data[0] [0,2,0,4,0,"NaN"], expected a number or "NaN", "Infinity", "-Infinity", "-0"',
    ],
    ['null-for-NaN', 'broken: answers y.data[0] null, expected a number or "NaN", "Infinity", "-Infinity", "-0"'],
    ['text-for-numbers', 'broken: answers y.data[0] "nan", expected a number or "NaN", "Infinity", "-Infinity", "-0"'],
    ['bare-NaN', 'broken: wrote the number NaN, which JSON has not, expected "NaN", "Infinity" or "-Infinity"'],
    ['writes-100-MB', 'broken: wrote 33554432 bytes without the end of a line, and was ended'],
    ['skips', 'skip: no third calls yet'],
    ['refuses', 'refused: out of memory'],
  ])('%s at the third call: %s', async (mode, sentence, timeout = LONG) => {
    const program = command(mode);
    const port = new Port(program, timeout);
    const relu = port.layer('relu');
    for (let i = 0; i < 2; i++) expectTensor('y', relu.forward(call), y);
    expect(said(() => relu.forward(call))).toBe(sentence);
    expectTensor('y', relu.forward(call), y); // started again, if it had ended
    await port.close();
    await gone(program.at(-1)!);
  });

  it.each<[string, string, number?]>([
    ['ends-at-once', 'crashed: ended with exit code 0'],
    ['says-why-it-ends', 'crashed: ended with exit code 1; its last words: "there is no GPU"'],
    ['never-reads', `hung: said nothing for 2 s, and was ended: ${flush}`, SHORT],
    ['starts-with-garbage', `broken: wrote "Hello!", ${noJson}`],
    ['starts-with-BOM', 'broken: wrote a byte order mark first, expected UTF-8 without one'],
    ['starts-empty', 'broken: answers start with protocol nothing, expected 1'],
    ['protocol-2', 'broken: answers start with protocol 2, expected 1'],
    ['no-name', 'broken: says name "", expected its name'],
    ['no-layers', 'broken: says layers {}, expected such as {"relu":["forward","backward"]}'],
    ['layers-as-list', 'broken: says layers ["relu"], expected such as {"relu":["forward","backward"]}'],
    ['unknown-direction', 'broken: has ["forwards"] of relu, expected ["forward"] or ["forward","backward"]'],
    ['wrong-dtype', 'broken: says dtype "float16", expected "float64" or "float32"'],
    ['wrong-layout', 'broken: says layout "CHWN", expected "NCHW" or "NHWC"'],
  ])('%s: %s', async (mode, sentence, timeout = LONG) => {
    const program = command(mode);
    expect(said(() => new Port(program, timeout))).toBe(sentence);
    await gone(program.at(-1)!); // though nobody has it to close it
  });

  it('claims a layer that is none: which there are', () => {
    expect(said(() => new Port(command('unknown-layer'), LONG))).toMatch(
      /^broken: has a layer "rleu", expected one of .*, relu, .*, tanh$/,
    );
  });

  it('cannot be started: why', () => {
    const at = (name: string, text: string) => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const before = 'crashed: ended before it began:';
    const plain = at('plain', 'text');
    const orphan = at('orphan', '#!/no/such/interpreter\n');
    chmodSync(orphan, 0o755);
    expect(said(() => new Port(['./no-such-port']))).toBe(`${before} there is no program ./no-such-port`);
    expect(said(() => new Port([join(plain, 'below')]))).toBe(`${before} there is no program ${join(plain, 'below')}`);
    expect(said(() => new Port([plain]))).toBe(`${before} ${plain} is no file that may be executed`);
    expect(said(() => new Port([directory]))).toBe(`${before} ${directory} is no file that may be executed`);
    expect(said(() => new Port([orphan]))).toBe(
      `${before} there is no such program as the first line of ${orphan} names`,
    );
    expect(said(() => new Port(['a\0b']))).toMatch(/^crashed: ended before it began: The (argument|property) /);
  });

  it('ends by SIGPIPE, or has last words: which', async () => {
    const introduction = '{"protocol":1,"name":"sh","dtype":"float64","layers":{"relu":["forward"]}}';
    const port = new Port(
      ['sh', '-c', `read x; echo '${introduction}'; read x; echo no pipe >&2; kill -s PIPE $$`],
      LONG,
    );
    expect(said(() => port.run('relu', 'forward', call))).toBe('crashed: ended by SIGPIPE; its last words: "no pipe"');
    expect(said(() => port.run('linear', 'forward', call))).toBe('skip: does not claim linear forward');
    expect(said(() => port.run('relu', 'backward', call))).toBe('skip: does not claim relu backward');
    await port.close();
  });

  it('does not come back: that, of every further call', async () => {
    const port = new Port(command('does-not-come-back'), LONG);
    for (let i = 0; i < 2; i++) port.run('relu', 'forward', call);
    expect(said(() => port.run('relu', 'forward', call))).toBe('crashed: ended with exit code 3');
    for (let i = 0; i < 2; i++)
      expect(said(() => port.run('relu', 'forward', call))).toBe('crashed: ended with exit code 4');
    await port.close();
  });

  it.each([
    ['exits-0-after', 'crashed: ended with exit code 0'],
    ['answers-twice', 'broken: answers seq 3, expected 4, what it was asked last'],
  ])('%s an answer: %s, by the next call', async (mode, sentence) => {
    const program = command(mode);
    const port = new Port(program, LONG);
    for (let i = 0; i < 3; i++) expectTensor('y', port.run('relu', 'forward', call).y, y);
    if (mode === 'exits-0-after') await gone(program.at(-1)!); // while nobody asks
    expect(said(() => port.run('relu', 'forward', call))).toBe(sentence);
    expectTensor('y', port.run('relu', 'forward', call).y, y);
    await port.close();
  });

  it('answers another shape: which, by whoever compares', async () => {
    const port = new Port(command('wrong-shape'), LONG);
    for (let i = 0; i < 2; i++) port.run('relu', 'forward', call);
    expect(() => expectTensor('y', port.run('relu', 'forward', call).y, y)).toThrow(
      'y has shape (2, 3, 1) and 6 numbers, expected (2, 3)',
    );
    await port.close();
  });

  it.each(['right', 'in-many-writes', 'CRLF', 'writes-to-stderr'])('is well behaved (%s): nothing', async (mode) => {
    const program = [...command(mode)];
    const port = new Port(
      mode === 'writes-to-stderr' ? ['sh', '-c', 'exec "$0" "$@" 2>/dev/null', ...program] : program,
      LONG,
    );
    for (let i = 0; i < 7; i++) {
      expectTensor('y', port.run('relu', 'forward', call).y, y);
      expectTensor('dx', port.run('relu', 'backward', call).dx, of23(0, 2, 0, 4, 0, 6));
    }
    expect(readFileSync(program.at(-1)!, 'utf8')).toBe('.'); // never started again
    await port.close();
    await gone(program.at(-1)!);
  });

  it('stands in a shell: what the shell has started ends with it', async () => {
    const program = command('hangs');
    const port = new Port(['sh', '-c', '"$0" "$@"; echo', ...program], SHORT);
    for (let i = 0; i < 2; i++) port.run('relu', 'forward', call);
    expect(running(program.at(-1)!).length).toBe(2); // so the test would notice
    expect(said(() => port.run('relu', 'forward', call))).toMatch(/^hung/);
    await gone(program.at(-1)!);
    await port.close();
  });

  it('spells a number as nobody does: its place', () => {
    for (const text of ['nan', 'inf', '+Infinity', '', '1', 'toString'])
      expect(said(() => read('y', { shape: [1], data: [text] }, (value) => value))).toBe(
        `broken: answers y.data[0] ${JSON.stringify(text)}, expected a number or "NaN", "Infinity", "-Infinity", "-0"`,
      );
  });
});

/** The script, which is to end by itself. */
const script = (...args: string[]) =>
  new Promise<{ stdout: string; stderr: string; code: number | null }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', 'tsx', 'scripts/check-port.ts', ...args],
      { cwd: root, env: { ...process.env, VITEST: '' } },
      (_, stdout, stderr) => resolve({ stdout, stderr: stderr.replace(/^.*\r/s, ''), code: child.exitCode }),
    );
  });
const judge = (mode: string, ...options: string[]) => script(...options, '--', ...command(mode));
const both = ['--layer', 'relu,linear', '--cases', '5'];
const relu = ['--layer', 'relu', '--cases', '5'];

describe.concurrent('check-port', () => {
  it('a port that is right: 0, and what was asked', async ({ expect }) => {
    const { stdout, stderr, code } = await judge('right', ...both);
    expect(stdout).toMatch(
      /^cnn-spec checks misbehaving \(JavaScript, float64, NCHW\), 5 random cases a layer from seed 0\n/,
    );
    for (const layer of ['relu  ', 'linear'])
      for (const direction of ['forward ', 'backward'])
        expect(stdout).toMatch(new RegExp(`^${layer}  ${direction}   ✓ \\d+ +✓ 15 +✓ \\d+$`, 'm'));
    expect(stdout).toMatch(/\n\nmisbehaving does what is defined: \d+ cases passed\n$/);
    expect([stderr, code]).toEqual(['', 0]);
  });

  it('a port with a known bug: 1, the bug by its name, and the verdicts as JSON', async ({ expect }) => {
    const file = join(directory, 'verdicts.json');
    const { stdout, code } = await judge('slope-one-at-zero', ...relu, '--json', file);
    expect(stdout).toContain('✗ relu backward > relu/zero: the slope at 0 is 0\n');
    expect(stdout).toContain('x (1, 1)\n    0\n');
    expect(stdout).toContain('dx[0, 0] is 1, expected 0: 1 apart, allowed: none\n');
    expect(stdout).toContain(
      'It answers like a known bug, on other calls too:\n    relu.slope-one-at-zero: at 0 dy passes\n',
    );
    expect(stdout).toContain('Again: --replay relu/zero\n');
    expect(stdout).toMatch(/\nmisbehaving does not do what is defined: relu backward \(relu\.slope-one-at-zero\)\n$/);
    expect(code).toBe(1);

    const { port, seed, verdicts } = JSON.parse(readFileSync(file, 'utf8'));
    expect(port).toMatchObject({
      name: 'misbehaving',
      dtype: 'float64',
      layout: 'NCHW',
      layers: { linear: ['forward', 'backward'] },
    });
    expect(seed).toBe(0);
    expect(verdicts).toMatchObject([
      {
        layer: 'relu',
        direction: 'forward',
        counts: { fixtures: { passed: 7, failed: 0 } },
        failures: [],
        broken: false,
      },
      {
        ...{ layer: 'relu', direction: 'backward', counts: { random: { skipped: 0, unanswered: 0 } } },
        smallest: { inputs: { x: { shape: [1, 1], data: [0] } }, dy: { shape: [1, 1], data: [1] } },
        known: { bugs: [{ id: 'relu.slope-one-at-zero' }] },
      },
    ]);
    expect(verdicts[1].failures).toContainEqual({
      id: 'relu/zero',
      message: expect.stringMatching(/^dx\[.*expected 0$/),
    });
    expect(verdicts[1].report).toContain('--replay relu/zero');
  });

  it.each<[string, number, string, string, ...string[]]>([
    ['crashes', 1, 'gives the error “ended with exit code 3”, expected an answer', '5 cases crashed'],
    [
      'exits-0-after',
      1,
      'misbehaving ended with exit code 0\n\nAsked again, it is answered as it should be',
      '5 cases crashed',
    ],
    [
      'hangs',
      1,
      `misbehaving said nothing for 2 s, and was ended: ${flush}\n\nAgain: `,
      '2 cases hung',
      '--timeout',
      '2',
    ],
    ['garbage', 2, 'segmentation fault", expected one line of JSON', '5 cases had an answer that is none'],
    ['wrong-shape', 1, 'y has shape (', ''],
  ])('a port that %s: %i, and what it did', async (mode, expected, sentence, gaveUp, ...options) => {
    const { stdout, stderr, code } = await judge(mode, ...relu, ...options);
    expect(stdout).toContain(sentence);
    expect(stdout).toContain(gaveUp);
    expect(stdout).toMatch(/\nmisbehaving does not do what is defined: relu forward, relu backward\n$/);
    expect(stdout).not.toMatch(/^ {4}at |answers like/m);
    expect(stderr).toMatch(/^(relu +relu\/\S+\n)*$/); // how far it is
    expect(code).toBe(expected);
  });

  it('skips are no passes: --print-skips says why', async ({ expect }) => {
    const { stdout, code } = await judge('skips', ...relu, '--print-skips');
    expect(stdout).toMatch(
      /cases passed; \d+ skipped, which is no pass \(--print-skips\)\n    skipped relu: no third calls yet\n$/,
    );
    expect(code).toBe(0);
  });

  it('a port that skips all is not said to be wrong, and has passed nothing', ({ expect }) => {
    const program = `require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { seq } = JSON.parse(line);
      const start = { protocol: 1, name: 'lazy', dtype: 'float32', layers: { relu: ['forward'] } };
      console.log(JSON.stringify(seq === undefined ? start : { seq, skip: 'later' }));
    })`;
    const args = ['--import', 'tsx', 'scripts/check-port.ts', '--cases', '2', '--', 'node', '-e', program];
    const { stdout, status } = spawnSync(process.execPath, args, {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, VITEST: '' },
    });
    expect(stdout).toMatch(
      /\nnothing is shown of relu forward: all was skipped; \d+ skipped, which is no pass \(--print-skips\)\n$/,
    );
    expect(status).toBe(1);
  });

  it('--run, --skip and --kind choose cases', async ({ expect }) => {
    const rows = ({ stdout }: { stdout: string }) => stdout.split('\n').filter((row) => /^(relu|linear) /.test(row));
    const [some, others, kind] = await Promise.all([
      judge('right', ...both, '--run', 'relu/*', '--skip', '*/random-?*', '--kind', 'random,fixtures'),
      judge('right', ...both, '--skip', 'linear/*', '--run', '*/zero'),
      judge('right', ...relu, '--kind', 'invalid'),
    ]);
    expect(rows(some)).toEqual([expect.stringMatching(/✓ 7 +– +–$/), expect.stringMatching(/✓ 7 +– +–$/)]);
    expect(rows(others)).toEqual([expect.stringMatching(/✓ 1 +– +–$/), expect.stringMatching(/✓ 1 +– +–$/)]);
    expect(rows(kind)).toEqual([expect.stringMatching(/– +– +✓ \d+$/), expect.stringMatching(/– +– +✓ \d+$/)]);
    expect([some.code, others.code, kind.code]).toEqual([0, 0, 0]);
  });

  it('--replay asks what a report names, and what that leans on', async ({ expect }) => {
    const row = async (id: string, ...options: string[]) => {
      const { stdout, code } = await judge('right', '--replay', id, ...options);
      expect(code).toBe(0);
      return /^relu +forward +(.*)$/m.exec(stdout)![1].replace(/ +/g, ' ');
    };
    expect(
      await Promise.all([
        row('relu/zero'),
        row('relu/random-150'),
        row('relu/random-7-turned', '--cases', '1'),
        row('relu/random-again', '--cases', '2'),
      ]),
    ).toEqual(['✓ 1 – –', '– ✓ 1 –', '– ✓ 2 –', '– ✓ 6 –']);
  });

  it('--replay of a failure fails again, word for word', async ({ expect }) => {
    const wrong = /^(✗ relu backward > (relu\/random-\d+)\n.*?Again: .*?\n)/ms;
    const random = await judge('slope-one-at-zero', ...relu, '--kind', 'random', '--seed', '3');
    const [, report, id] = wrong.exec(random.stdout)!;
    expect(report).toContain(`Again: --replay ${id} --seed 3\n`);
    const again = await judge('slope-one-at-zero', '--replay', id, '--seed', '3');
    expect(wrong.exec(again.stdout)![1]).toBe(report);
    expect([random.code, again.code]).toEqual([1, 1]);
  });

  it('--help names every option', async ({ expect }) => {
    const [{ stdout, stderr, code }, unknown] = await Promise.all([
      script('--help'),
      script('--layers', 'relu', '--', 'x'),
    ]);
    expect([stderr, code]).toEqual(['', 0]);
    const options = /Expected one of (.*)$/m.exec(unknown.stderr)![1].split(', ');
    expect(options.length).toBeGreaterThan(10);
    expect([...stdout.matchAll(/^ {2}(--[a-z-]+) /gm)].map(([, option]) => option).sort()).toEqual(options.sort());
    expect(unknown.stderr).toMatch(
      /^check-port: Unknown option '--layers', did you mean --layer\? Expected one of --stage, /,
    );
    expect(unknown.code).toBe(2);
  });

  it.each<[string, ...string[]]>([
    ['there is no program to judge, expected it after --: -- ./my-port'],
    ['there is no program to judge, expected it after --: -- ./my-port', '--', ''],
    ['./no-such-port ended before it began: there is no program ./no-such-port', '--', './no-such-port'],
    [
      '--kind is "fixture", did you mean fixtures? Expected one of fixtures, random, invalid',
      '--kind',
      'fixture',
      '--',
      'x',
    ],
    ['--timeout is "0", expected a number above 0', '--timeout', '0', '--', 'x'],
    ['--json is "/no/such/x.json", expected a file in a directory that exists', '--json', '/no/such/x.json', '--', 'x'],
    [
      '--layer conv2d: misbehaving does not claim it, only relu, linear',
      '--layer',
      'conv2d',
      '--',
      ...command('right'),
    ],
    ['no case was asked: the options leave none', '--run', 'rleu/*', '--', ...command('right')],
    ['no case was asked: --replay relu/no-such', '--replay', 'relu/no-such', '--', ...command('right')],
    [
      `${command('protocol-2').slice(0, 3).join(' ')} answers start with protocol 2, expected 1`,
      ...['--', ...command('protocol-2').slice(0, 3)],
    ],
  ])('error: %s', async (message, ...args) => {
    const { stderr, code } = await script(...args);
    expect([stderr, code]).toEqual([`check-port: ${message}\n`, 2]);
  });

  it('a layer that there is not: which there are', async ({ expect }) => {
    const { stderr, code } = await script('--layer', 'rleu', '--', 'x');
    expect(stderr).toMatch(
      /^check-port: --layer is "rleu", did you mean relu\? Expected one of relu, .*, batchNorm\n$/,
    );
    expect(code).toBe(2);
  });

  it.for(['SIGINT', 'SIGKILL'] as const)('%s ends it, and a port that hangs with it', async (signal, { expect }) => {
    const program = command('never-reads');
    const args = ['--import', 'tsx', 'scripts/check-port.ts', ...relu, '--timeout', '600', '--', ...program];
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, VITEST: '' },
    });
    const ended = new Promise((resolve) => child.on('exit', (_, by) => resolve(by)));
    await expect.poll(() => existsSync(program.at(-1)!), { timeout: 60_000 }).toBe(true); // it runs
    child.kill(signal);
    expect(await ended).toBe(signal);
    await gone(program.at(-1)!, expect);
  });
});

describe('ports that misbehave at random', () => {
  /** CNN_SPEC_PORTS=200 npx vitest run check-port: two minutes; so many in every run of all tests. */
  const count = Number(process.env.CNN_SPEC_PORTS ?? 8);
  const first = Number(process.env.CNN_SPEC_SEED);

  it(`${count} of them, from CNN_SPEC_SEED=${first}: each is judged to its end, and what it did is said in a sentence`, async () => {
    const mark = join(directory, 'random');
    const half = Math.ceil(count / 2);
    const runs = [
      [first, half],
      [first + half, count - half],
    ].map(
      ([from, some]) =>
        new Promise<[string, number | null]>((resolve) => {
          const args = ['--import', 'tsx', 'spec/port/fuzz.ts', mark, `${from}`, `${some}`];
          const child = execFile(
            ...([
              process.execPath,
              args,
              { cwd: root, env: { ...process.env, VITEST: '' }, maxBuffer: 2 ** 28 },
            ] as const),
            (_, stdout) => resolve([stdout, child.exitCode]),
          );
        }),
    );
    const ends = await Promise.all(runs);
    expect(ends.map(([, code]) => code)).toEqual([0, 0]); // nothing was thrown that is not said below
    const ports = ends.flatMap(([stdout]) =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    expect(ports.map(({ seed }) => seed)).toEqual(Array.from({ length: count }, (_, i) => first + i));
    const sentences = [];
    for (const { failure, message, asked, verdicts } of ports) {
      if (verdicts === undefined) {
        expect(failure).toMatch(/^(crashed|hung|broken)$/);
        sentences.push(message);
        continue;
      }
      expect(asked).toBeLessThanOrEqual(12);
      for (const { counts, failures, report } of verdicts) {
        const of = (key: string) =>
          Object.values<Record<string, number>>(counts).reduce((sum, each) => sum + each[key], 0);
        expect(failures.length).toBe(of('failed') + of('unanswered'));
        expect(report !== undefined).toBe(failures.length > 0);
        sentences.push(...failures.map((each: { message: string }) => each.message), ...(report ? [report] : []));
      }
    }
    for (const each of sentences) expect(each).toMatch(/\w \w/);
    expect(sentences.join('\n')).not.toMatch(/^ {4}at |TypeError|undefined|\[object/m);
    expect(sentences.length).toBeGreaterThan(count / 2); // most of them did misbehave
    await gone(mark);
  });
});
