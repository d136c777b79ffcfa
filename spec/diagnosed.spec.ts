import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bugsOfPorts } from './bugs/diagnosed.ts';

/** Bugs that show only after certain calls, so that no single call tells them from another; and one that its neighbour equals on most. */
const apart = [
  'avgPool2d.count-cached',
  'batchNorm.stale-statistics',
  'conv2d.state-leak',
  'dropout.mask-of-an-earlier-call',
  'softmax.shift-of-batch',
];

/** A sixteenth of the bugs, others with every seed: .ci/run takes them all. */
const chosen = bugsOfPorts.filter((_, i) => i % 16 === Number(process.env.CNN_SPEC_SEED) % 16).map(({ id }) => id);

describe('what a port with a known bug is told', () => {
  const { VITEST: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync('npx', ['tsx', 'scripts/bugs.ts', '--diagnose', '--json', ...chosen], {
    ...{ cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', env },
  });
  const results: { id: string; named: string[]; numbers?: number }[] = stdout ? JSON.parse(stdout).bugs : [];

  it('each of these bugs is judged', () =>
    expect(
      results.map(({ id }) => id),
      stderr,
    ).toEqual(expect.arrayContaining(chosen)));

  it.each(results.map((result) => [result.id, result] as const))('%s: its name, and a small case', (id, result) => {
    if (!apart.includes(id)) expect(result.named).toEqual([id]);
    expect(result.numbers ?? 0).toBeLessThanOrEqual(40);
  });
});
