import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bugs } from './bugs/index.ts';

const sgd = bugs.find(({ id }) => id === 'sgd.gradients-add-up')!;
const root = fileURLToPath(new URL('../', import.meta.url));
let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'cnn-spec-exercises-'))));
afterAll(() => rmSync(folder, { recursive: true }));

const exercise = (...args: string[]) => {
  const env = { ...process.env, VITEST: '' };
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'scripts/exercise.ts', '--folder', folder, ...args],
    {
      ...{ cwd: root, env, encoding: 'utf8' },
    },
  );
  return { stdout, stderr, status };
};

describe('exercise', () => {
  it('writes the error of a document, shows what it breaks, and takes the mended file', () => {
    const file = join(folder, 'E4.2', 'maxPool2d.ts');
    expect(exercise('E4.2').stdout).toMatch(/has the error E4\.2\. Mend it/);
    const broken = readFileSync(file, 'utf8');
    const red = exercise('E4.2');
    expect(red.status).toBe(1);
    expect(red.stdout).toMatch(/^maxPool2d > .*E4\.2\/maxPool2d\.ts > /);
    expect(red.stdout).not.toContain('maxPool2d.zero-padding'); // which would be the solution
    expect(red.stdout).toContain('\nWhat is wrong, in words: npm run exercise E4.2 maxPool2d -- --hint\n');
    expect(red.stdout).toContain('Again: npm run exercise E4.2 maxPool2d\n');

    expect(exercise('E4.2', '--hint').stdout).toMatch(/^E4\.2: .* Its place is maxPool2d of maxPool2d\.ts/);
    writeFileSync(file, broken.replace('getOr(0, x, n, c, row(oh, kh)', 'getOr(-Infinity, x, n, c, row(oh, kh)'));
    const green = exercise('E4.2');
    expect(green.stdout).toMatch(/^Mended: all \d+ laws and fixtures of maxPool2d hold\.\n$/);
    expect(green.status).toBe(0);

    writeFileSync(file, 'export const maxPool2d = ((;');
    const broke = exercise('E4.2');
    expect(broke.stderr).toMatch(/^exercise: .*maxPool2d\.ts does not run: .+\n$/);
    expect(broke.status).toBe(2);
    exercise('E4.2', '--reset');
    expect(readFileSync(file, 'utf8')).toBe(broken);
  });

  it('is of optimizers, training and data too', () => {
    exercise('E2.7', 'sgd');
    const file = join(folder, 'E2.7', 'sgd', 'optimizer.ts');
    const red = exercise('E2.7', 'sgd');
    expect(red.status).toBe(1);
    expect(red.stdout).toMatch(/^optimizer > .*SGD/);
    writeFileSync(
      file,
      readFileSync(file, 'utf8').replace(sgd.put, () => sgd.find),
    );
    expect(exercise('E2.7', 'sgd').stdout).toMatch(/^Mended: all \d+ laws of sgd hold\.\n$/);
  });

  it('lists them all; what is none is an error', () => {
    const { stdout } = exercise();
    expect(stdout).toMatch(/^CNN with tanh and average pooling \(spec\/documents\/tanhAverage\.md\)$/m);
    const listed = new Map(
      [...stdout.matchAll(/^  (E\S+) +\S.*\n +(.*)$/gm)].map(([, id, names]) => [id, names.split(', ')]),
    );
    expect(listed.get('E2.6')).toEqual(['linear']);
    for (const { id, seen } of bugs)
      for (const error of seen.filter((reference) => reference.startsWith('E')))
        expect(listed.get(error), `${error} of ${id}`).toContain(id.split('.')[0]);
    const none = exercise('E2.99');
    expect(none.stderr).toMatch(/^exercise: there is no exercise E2\.99, expected one of E0\.1, .*E4\.23\n$/);
    expect(none.status).toBe(2);
    expect(exercise('E2.6', 'relu').stderr).toBe('exercise: E2.6 is no error of relu, expected one of linear\n');
  });
});
