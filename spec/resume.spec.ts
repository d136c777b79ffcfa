import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDigit } from '../scripts/readDigit.ts';
import { integer } from '../scripts/script.ts';
import { readCheckpoint, writeCheckpoint } from '../src/checkpoint.ts';
import { digitModels } from '../src/models/digitModels.ts';
import { predict } from '../src/predict.ts';
import { random } from '../src/random.ts';
import * as vectorized from '../src/vectorized/index.ts';

const KILLS = integer('CNN_SPEC_KILLS', process.env.CNN_SPEC_KILLS ?? '2', 1);
const { uniform } = random(Number(process.env.CNN_SPEC_SEED));

const root = fileURLToPath(new URL('..', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-resume-'));
afterAll(() => rmSync(directory, { recursive: true }));
const at = (name: string) => join(directory, name);

const learning =
  '--model lenet5 --data golden/mnist --images 160 --test-images 20 --epochs 2 --batch 8 --optimizer adam --schedule cosine'.split(' '); // prettier-ignore
const kept = ['--checkpoint', '0', '--no-plots'];

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'scripts/train-mnist.ts', ...kept, ...args], { cwd: root });
}

async function end(child: ChildProcess) {
  let [stdout, stderr] = ['', ''];
  child.stdout!.on('data', (text) => (stdout += text));
  child.stderr!.on('data', (text) => (stderr += text));
  const [status, signal] = await once(child, 'close');
  return { stdout, stderr, status, signal };
}

const checkpointOf = (run: string) => readFileSync(join(at(run), 'checkpoint.safetensors'));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const metricsOf = (run: string) =>
  readFileSync(join(at(run), 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...JSON.parse(line), imagesPerSecond: 0, seconds: 0 }));

/** Once a run has its folder, kills it after so many milliseconds; gives whether it was still running. */
async function kill(child: ChildProcess, run: string, milliseconds: number): Promise<boolean> {
  while (!existsSync(at(run)) && child.exitCode === null) await setTimeout(2);
  await setTimeout(milliseconds);
  return child.kill('SIGKILL');
}

describe('train-mnist.ts --resume', () => {
  /** How long an uninterrupted run has its folder: milliseconds. */
  let lasted = 0;
  beforeAll(async () => {
    const child = start(...learning, '--run', at('whole'));
    const ended = end(child);
    while (!existsSync(at('whole')) && child.exitCode === null) await setTimeout(2);
    const began = performance.now();
    const { stderr, status } = await ended;
    lasted = performance.now() - began;
    expect([stderr, status]).toEqual(['', 0]);
  });

  it(`${KILLS} runs that were killed at random moments end as the one that was not, to the last byte`, async () => {
    for (let i = 0; i < KILLS; i++) {
      const run = `killed-${i}`;
      const moment = uniform() * lasted;
      const child = start(...learning, '--run', at(run));
      const ended = end(child);
      await kill(child, run, moment);
      await ended;
      const where = `killed ${moment.toFixed(0)} ms after its folder was there`;
      if (!existsSync(join(at(run), 'checkpoint.safetensors'))) {
        expect(
          readdirSync(at(run)).every((name) => /^config\.json|\.part$/.test(name)),
          where,
        ).toBe(true);
        continue; // before its first checkpoint: nothing was learned
      }
      readCheckpoint(where, checkpointOf(run));
      for (const name of readdirSync(at(run)).filter((name) => name.startsWith('metrics') && name.endsWith('l')))
        for (const line of readFileSync(join(at(run), name), 'utf8')
          .trimEnd()
          .split('\n'))
          JSON.parse(line);
      const { stderr, status } = await end(start('--resume', at(run)));
      expect([stderr, status], where).toEqual(['', 0]);
      expect(sha256(checkpointOf(run)), where).toBe(sha256(checkpointOf('whole')));
      expect(metricsOf(run), where).toEqual(metricsOf('whole'));
      expect(readdirSync(at(run)).sort(), where).toEqual(['checkpoint.safetensors', 'config.json', 'metrics.jsonl']);
    }
  });

  it('Ctrl-C keeps where it is, within an epoch too, and says how it goes on', async () => {
    const child = start(...learning, '--run', at('stopped'), '--checkpoint', '1000');
    const ended = end(child);
    while (!existsSync(join(at('stopped'), 'checkpoint.safetensors')) && child.exitCode === null) await setTimeout(1);
    child.kill('SIGINT');
    const { stdout, status } = await ended;
    expect(status).toBe(130);
    expect(stdout).toContain(`It goes on with --resume ${at('stopped')}\n`);
    const { position, facts } = readCheckpoint('stopped', checkpointOf('stopped'));
    const { images } = position.seen;
    expect(Number(facts.seconds) > 0, `seconds ${facts.seconds} after ${images} images`).toBe(images > 0);
    const later = { ...readCheckpoint('stopped', checkpointOf('stopped')), facts: { ...facts, seconds: '1000' } };
    writeFileSync(join(at('stopped'), 'checkpoint.safetensors'), writeCheckpoint(later, { dtype: 'F32' }));
    const resumed = await end(start('--resume', at('stopped')));
    expect(resumed.stdout).toMatch(/, 16 min 4\d s, seed 0\n/); // it goes on from 1,000 seconds
    expect(resumed.stdout).toContain(`\nIt goes on in epoch ${position.epoch}, after ${images} of 160 images\n`);
    expect([resumed.status, sha256(checkpointOf('stopped'))]).toEqual([0, sha256(checkpointOf('whole'))]);
  });

  it('a run that has ended has nothing left to do', async () => {
    const before = sha256(checkpointOf('whole'));
    const { stdout, status } = await end(start('--resume', at('whole')));
    expect(stdout).toMatch(/\nThis run has ended\n[^]*\ntest accuracy \d+\.\d % after 2 of 2 epochs/);
    expect([status, sha256(checkpointOf('whole'))]).toEqual([0, before]);
  });

  it.each([
    [
      ['--resume', 'nowhere'],
      'there is no file nowhere/checkpoint.safetensors, expected the checkpoint of a run of train-mnist.ts',
    ],
    [['--run', 'golden'], '--run is "golden", which is there already, expected the name of a new folder'],
    [['--run', 'a', '--no-run'], '--run is "a" and --no-run is given, expected one of them'],
    [['--checkpoint=-1'], '--checkpoint is "-1", expected a number ≥ 0'],
  ])('error: %j', async (args, message) => {
    expect(await end(start(...args))).toEqual({ stdout: '', stderr: `train-mnist: ${message}\n`, status: 2, signal: null }); // prettier-ignore
  });

  it.each([
    [['--rate', '0.1'], '--rate is given with --resume, expected none: the run goes on as it began'],
    [['--bitwise'], '--bitwise is given with --resume, expected none: the run goes on as it began'],
  ])('error beside --resume: %j', async (args, message) => {
    const { stderr, status } = await end(start('--resume', at('whole'), ...args));
    expect([stderr, status]).toEqual([`train-mnist: ${message}\n`, 2]);
  });

  it('a checkpoint of another model gets one sentence', async () => {
    const { parameters, ...rest } = readCheckpoint('whole', checkpointOf('whole'));
    const { 'fc3.bias': _, ...others } = parameters;
    mkdirSync(at('other'));
    writeFileSync(join(at('other'), 'checkpoint.safetensors'), writeCheckpoint({ ...rest, parameters: others, state: { steps: 0, moments: {} } })); // prettier-ignore
    const { stdout, stderr, status } = await end(start('--resume', at('other')));
    const file = join(at('other'), 'checkpoint.safetensors');
    expect({ stdout, stderr, status }).toEqual({
      stdout: '',
      stderr: `train-mnist: ${file} has no fc3.bias, expected one of shape (10) for lenet5\n`,
      status: 2,
    });
  });

  it('predict.ts reads with the checkpoint of a run', async () => {
    const model = join(at('whole'), 'checkpoint.safetensors');
    const command = ['--import', 'tsx', 'scripts/predict.ts', 'golden/images/3.png', '--json', '--model', model];
    const { stdout, stderr, status } = await end(spawn(process.execPath, command, { cwd: root }));
    expect([stderr, status]).toEqual(['', 0]);
    const { parameters } = readCheckpoint('whole', checkpointOf('whole'));
    const [expected] = predict(
      vectorized,
      digitModels.lenet5,
      parameters,
      (await readDigit(join(root, 'golden/images/3.png'))).x,
    );
    const { probabilities } = JSON.parse(stdout) as typeof expected;
    probabilities.forEach((probability, digit) => expect(probability, `of ${digit}`).toBeCloseTo(expected.probabilities[digit], 12)); // prettier-ignore
  });

  it('a damaged checkpoint gets one sentence', async () => {
    writeFileSync(join(at('whole'), 'checkpoint.safetensors'), checkpointOf('whole').subarray(0, 1000));
    const { stderr, status } = await end(start('--resume', at('whole')));
    expect(stderr).toMatch(/^train-mnist: safetensors: \S+ has 1000 bytes .*\n$/);
    expect(status).toBe(2);
  });
});
