import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { DamageReport } from './readDamaged.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { CNN_SPEC_SEED: seed, CNN_SPEC_DAMAGED: count = '300' } = process.env;
if (!/^\d+$/.test(count)) throw new RangeError(`CNN_SPEC_DAMAGED is ${count}, expected an integer ≥ 0`);

it(`${count} damaged files each give one clear sentence, or a result that makes sense, in at most 300 MB`, () => {
  // in a process of its own: its memory is measured, and what kills it kills no other test
  const input = `
    import { readDamaged } from './spec/readDamaged.ts';
    process.stdout.write(JSON.stringify(await readDamaged(${count}, ${seed}, (...what) => process.stderr.write(what.join(': ') + '\\n'))));`;
  const { stdout, stderr, status, signal } = spawnSync(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', '--input-type=module', '-'],
    { cwd: root, input, encoding: 'utf8', maxBuffer: 1e9, timeout: 60_000 + 100 * Number(count) },
  );
  const last = stderr.trimEnd().split('\n').at(-1);
  expect({ status, signal }, `it ended at input ${last} of seed ${seed}`).toEqual({ status: 0, signal: null });
  const { valid, clear, wrong, megabytes }: DamageReport = JSON.parse(stdout);
  console.log(
    `damaged files from CNN_SPEC_SEED=${seed}: ${clear} clear errors, ${valid} valid results, ${megabytes} MB`,
  );
  expect(wrong).toEqual([]);
  expect(valid + clear).toBe(Number(count));
  expect(megabytes).toBeLessThanOrEqual(300);
}, 3_600_000);
