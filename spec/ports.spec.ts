import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { missing, needing, torch, works } from './needing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cnn-spec-ports-'));
afterAll(() => rmSync(folder, { recursive: true }));

const { VITEST: _, ...env } = process.env;
const run = (command: string, args: readonly string[], cwd = root) =>
  spawnSync(command, args, { cwd, env, encoding: 'utf8' });
const check = (...args: readonly string[]) => run('npx', ['tsx', 'scripts/check-port.ts', ...args]);
needing(missing('cc'))('the port in C', () => {
  const port = join(folder, 'port');
  const compile = (source: string, to: string) => run('cc', ['-O2', source, '-lm', '-o', to]);

  it('compiles as its README says, and does what is defined: every layer, forward and backward', () => {
    expect(compile('scripts/ports/c/port.c', port).stderr).toBe('');
    const { stdout, stderr, status } = check('--cases', '30', '--', port);
    expect(stderr).toBe('');
    expect(stdout.split('\n').filter((line) => / (forward|backward) +✓/.test(line))).toHaveLength(36);
    expect(stdout).toMatch(/\nc does what is defined: [\d,]+ cases passed\n$/);
    expect(status).toBe(0);
  });

  it('answers as golden/README shows it', () => {
    const readme = readFileSync(join(root, 'golden/README.md'), 'utf8');
    const lines = /^```jsonl\n(.*?)^```/ms.exec(readme)![1].trim().split('\n');
    const [asked, answers] = [0, 1].map((side) => lines.filter((_, i) => i % 2 === side));
    const { stdout } = spawnSync(port, { input: `${asked.join('\n')}\n`, encoding: 'utf8' });
    const json = (text: string) => JSON.parse(text) as object;
    const [introduction, ...given] = stdout.trim().split('\n').map(json);
    const [shown, ...expected] = answers.map(json);
    expect(given).toEqual(expected);
    expect(Object.keys(introduction)).toEqual(Object.keys(shown));
  });

  it('with the kernel turned round it is told so, by the smallest case', () => {
    const [copy, wrong] = [join(folder, 'c'), join(folder, 'wrong')];
    cpSync(join(root, 'scripts/ports/c'), copy, { recursive: true });
    const source = readFileSync(join(copy, 'port.c'), 'utf8');
    const find = 'sum += pixel * w[o][c][kh][kw];';
    expect(source).toContain(find);
    writeFileSync(join(copy, 'port.c'), source.replace(find, 'sum += pixel * w[o][c][g.KH - 1 - kh][g.KW - 1 - kw];'));
    expect(compile(join(copy, 'port.c'), wrong).stderr).toBe('');
    const { stdout, status } = check('--layer', 'conv2d', '--cases', '20', '--', wrong);
    expect(stdout).toContain('✗ conv2d forward > conv2d/kernel-not-flipped: ');
    expect(stdout).toContain('x (1, 1, 1, 2)\n    0  1\nw (1, 1, 1, 2)\n    0  1\n');
    expect(stdout).toContain('y[0, 0, 0, 0] is 0, expected 1');
    expect(stdout).toContain('c does not do what is defined: conv2d forward (conv2d.kernel-flip-forward)\n');
    expect(status).toBe(1);
  });

  it('PORT asks it all laws of a layer under vitest, and says when one is broken', () => {
    const vitest = (port: string) => {
      const { stdout } = spawnSync(
        'npx',
        ['vitest', 'run', 'spec/conv2d.spec.ts', '-t', 'conv2d > c ', '--reporter=json'],
        {
          ...{ cwd: root, encoding: 'utf8', env: { ...env, PORT: port } },
        },
      );
      return JSON.parse(stdout.slice(stdout.indexOf('{'))); // the seed comes first
    };
    const right = vitest(port);
    expect(right.numPassedTests).toBeGreaterThan(80);
    expect(right.numFailedTests).toBe(0);
    expect(vitest(join(folder, 'wrong')).numFailedTests).toBeGreaterThan(20);
  });
});

needing(works('python3', '-c', 'import numpy') ? undefined : 'NumPy')('the port in NumPy', () => {
  it.each(['--float64', '--float32'])('does what is defined: every layer, forward and backward, in %s', (type) => {
    const { stdout, stderr, status } = check('--cases', '20', '--', 'python3', 'scripts/ports/numpy/port.py', type);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/\nnumpy does what is defined: [\d,]+ cases passed\n$/);
    expect(status).toBe(0);
  });
});

needing(torch ? undefined : 'PyTorch')('PyTorch', () => {
  it('does what is defined, or what is known as its policy', () => {
    const { stdout } = check('--cases', '30', '--policy', 'torch', '--', torch!, 'scripts/ports/pytorch/port.py');
    expect(stdout).not.toContain('✗');
    expect(stdout).toMatch(/does what is defined: /);
    expect(stdout).toMatch(/by policy of torch, tfjs: tanh.slope-cancels, 1 − y² in the place of sech² x/);
  });

  it('without --policy each difference is named, and not a pass', () => {
    const { stdout, status } = check(
      '--cases',
      '5',
      '--layer',
      'relu,tanh',
      '--',
      torch!,
      'scripts/ports/pytorch/port.py',
    );
    expect(stdout).toMatch(/^relu +forward +✗ \d+ \(1 by policy\)/m);
    expect(status).toBe(1);
  });
});
