import { expect, it } from 'vitest';
import { integer } from '../scripts/script.ts';
import { readDamaged } from './readDamaged.ts';

const { CNN_SPEC_SEED: seed, CNN_SPEC_DAMAGED: asked = '300' } = process.env;
const count = integer('CNN_SPEC_DAMAGED', asked, 1);

it(`${count} damaged files each give one clear sentence, or a result that makes sense, in at most 300 MB`, async () => {
  const { valid, clear, wrong, megabytes, largest } = await readDamaged(count, Number(seed));
  console.log(
    `damaged files from CNN_SPEC_SEED=${seed}: ${clear} clear errors, ${valid} valid results, at most ${megabytes} MB (${largest})`,
  );
  expect(wrong).toEqual([]);
  expect(valid + clear).toBe(count);
  expect(megabytes, largest).toBeLessThanOrEqual(300);
}, 3_600_000);
