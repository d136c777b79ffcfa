import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = ['schema.json', 'relu.json', 'flatten.json', 'c/relu.h', 'c/flatten.h'];

it('npm run golden -- --check names the cases in which a digit was changed, and changes nothing', () => {
  const copy = mkdtempSync(join(tmpdir(), 'cnn-spec-golden-'));
  try {
    for (const folder of ['scripts', 'spec', 'src', 'package.json', 'tsconfig.json'])
      cpSync(join(root, folder), join(copy, folder), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    mkdirSync(join(copy, 'golden/c'), { recursive: true });
    for (const file of files) cpSync(join(root, 'golden', file), join(copy, 'golden', file));
    const path = join(copy, 'golden/relu.json');
    const right = readFileSync(path, 'utf8');
    const document = '"y": { "shape": [2], "data": [0, 4] }';
    const zero = '"gradients": { "dx": { "shape": [1, 3], "data": [0, 0, 3] } }';
    const special = '"y": { "shape": [4], "data": ["NaN", 0, "Infinity", 0] }';
    for (const line of [document, zero, special]) expect(right).toContain(line);
    const wrong = right
      .replace(document, document.replace('4', '5'))
      .replace(zero, zero.replace('[0, 0', '[8, 9'))
      .replace(special, special.replace('"Infinity"', '7'));
    writeFileSync(path, wrong);
    const check = () => {
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ['--import', 'tsx', 'scripts/golden.ts', '--check'],
        { cwd: copy, encoding: 'utf8' },
      );
      return { lines: stdout.split('\n'), stderr, status };
    };
    expect(check()).toEqual({
      lines: [
        'golden/flatten.json: as it should be',
        'golden/c/flatten.h: as it should be',
        'golden/relu.json: NOT what exact arithmetic makes of it',
        '  relu/document: y[1] is 5, expected 4',
        '  relu/zero: dx[0, 0] is 8, expected 0; 2 of its 3 numbers differ',
        '  relu/special, by the definition: y[2] is Infinity, expected 7',
        'golden/c/relu.h: NOT what golden/relu.json makes of it',
        '',
      ],
      stderr: '',
      status: 1,
    });
    expect(readFileSync(path, 'utf8')).toBe(wrong);
  } finally {
    rmSync(copy, { recursive: true });
  }
});
