import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { bugs } from './bugs/index.ts';

const root = fileURLToPath(new URL('../', import.meta.url));

it('npm pack ships the definitions and every known bug as modules that run without a compiler', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cnn-spec-pack-'));
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
    const [archive] = readdirSync(folder);
    execFileSync('tar', ['-xzf', archive], { cwd: folder });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const dist = join(folder, 'package', 'dist');
    const shipped: { id: string; module: string }[] = JSON.parse(readFileSync(join(dist, 'bugs/bugs.json'), 'utf8'));
    expect(shipped.map(({ id }) => id)).toEqual(bugs.filter((bug) => !bug.equivalent).map(({ id }) => id));
    expect(shipped.filter(({ module }) => !existsSync(join(dist, module)))).toEqual([]);
    expect(existsSync(join(dist, 'src/naive/conv2d.d.ts'))).toBe(true);
    expect(existsSync(join(folder, 'package/golden/conv2d.json'))).toBe(true);
    expect(existsSync(join(folder, 'package/golden/c/conv2d.h'))).toBe(true);

    const program = `
      const [{ implementations }, flipped] = await Promise.all(process.argv.slice(1).map((url) => import(url)));
      const t = (shape, ...data) => ({ shape, data: Float64Array.from(data) });
      const call = [t([1, 1, 3, 1], 1, 2, 3), t([1, 1, 2, 1], 10, 20), t([1], 0)];
      console.log(JSON.stringify([implementations.naive, flipped].map(({ conv2d }) => [...conv2d(...call).data])));`;
    const kernelFlip = shipped.find(({ id }) => id === 'conv2d.kernel-flip')!.module;
    const urls = ['src/layers.js', kernelFlip].map((file) => pathToFileURL(join(dist, file)).href);
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program, ...urls], {
      encoding: 'utf8',
    });
    expect(JSON.parse(printed)).toEqual([
      [50, 80],
      [40, 70],
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
