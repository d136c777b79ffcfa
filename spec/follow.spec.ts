import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

function run(args: readonly string[]) {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  return spawnSync(process.execPath, ['--import', 'tsx', 'scripts/follow.ts', ...args], { cwd, encoding: 'utf8' });
}

describe('follow', () => {
  it('the losses of all steps, and the gradients before and after, are those of the reference, but for rounding', () => {
    const { stdout, status } = run(['--work', 'M1,M3,lenet5', '--steps', '20']);
    const share = '[1-9]e-[6-9]'; // never 0: then nothing would have been compared with float32
    expect(stdout.split('\n')).toEqual([
      '20 steps, seed 0; how far the engine is from the reference at most',
      'network         losses: 50 steps  all    gradients: at first  at last',
      expect.stringMatching(new RegExp(`^M1 +${share} +${share} +${share} +${share}$`)),
      expect.stringMatching(new RegExp(`^M3 +${share} +${share} +${share} +${share}$`)),
      expect.stringMatching(new RegExp(`^lenet5 +${share} +${share}$`)),
      '',
    ]);
    expect(status).toBe(0);
  });

  it('--help names every option and network', () => {
    const { stdout, status } = run(['--help']);
    for (const word of ['--work', '--steps', '--threads', '--seed', 'M1', 'mnistNet', 'resnet18', 'cifar10Net'])
      expect(stdout).toContain(word);
    expect(status).toBe(0);
  });

  it.each([
    [['--work', 'M4'], '--work is "M4", expected one of M1, M2, M3, dense, '],
    [['--steps', '0'], '--steps is "0", expected an integer ≥ 1'],
  ])('error: %j', (args, message) => {
    const { stdout, stderr, status } = run(args);
    expect([stdout, stderr.slice(0, 8 + message.length), status]).toEqual(['', `follow: ${message}`, 2]);
  });
});
