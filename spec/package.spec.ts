import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bugs } from './bugs/index.ts';
import { missing, needing } from './needing.ts';

// The package as a stranger gets it: packed, installed into an empty folder, and the README's chapter done there word by word.

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'cnn-spec-package-'));
afterAll(() => rmSync(folder, { recursive: true }));
const { VITEST: _, ...env } = process.env;
const sh = (command: string, cwd = folder) =>
  spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8', env: { ...env, NO_COLOR: '1' } });

const chapter = /^## Port one layer\n(.*?)^## /ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1];
const blocks = [...chapter.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const block = (language: string, i = 0) => blocks.filter((each) => each.language === language)[i].text;
const [source, adapter, commands] = [block('c'), block('python'), block('sh').trim().split('\n')];

describe('the package, installed into an empty folder', () => {
  it('is packed and installed with two packages beside it', () => {
    expect(sh(`npm pack --silent --pack-destination '${folder}'`, root).status).toBe(0);
    const [archive] = readdirSync(folder);
    expect(commands[0]).toBe(`npm install ./${archive}`);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    expect(sh(`${commands[0]} --prefer-offline --no-audit --no-fund`)).toMatchObject({ status: 0 });
    const installed = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(['cnn-spec', 'fast-check', 'pure-rand']);
  });

  it('ships the definitions, and every known bug as a module that runs without a compiler', () => {
    const shipped = join(folder, 'node_modules/cnn-spec');
    const known: { id: string; module: string }[] = JSON.parse(
      readFileSync(join(shipped, 'dist/bugs/bugs.json'), 'utf8'),
    );
    expect(known.map(({ id }) => id)).toEqual(bugs.filter((bug) => !bug.equivalent).map(({ id }) => id));
    expect(known.filter(({ module }) => !existsSync(join(shipped, 'dist', module)))).toEqual([]);
    expect(existsSync(join(shipped, 'dist/src/naive/conv2d.d.ts'))).toBe(true);
    const kernelFlip = known.find(({ id }) => id === 'conv2d.kernel-flip')!.module;
    writeFileSync(
      join(folder, 'flipped.js'),
      `import { implementations } from 'cnn-spec';
       const flipped = await import('./node_modules/cnn-spec/dist/${kernelFlip}');
       const t = (shape, ...data) => ({ shape, data: Float64Array.from(data) });
       const call = [t([1, 1, 3, 1], 1, 2, 3), t([1, 1, 2, 1], 10, 20), t([1], 0)];
       console.log(JSON.stringify([implementations.naive, flipped].map(({ conv2d }) => [...conv2d(...call).data])));`,
    );
    expect(sh('node flipped.js')).toMatchObject({ stdout: '[[50,80],[40,70]]\n', stderr: '' });
  });

  needing(missing('cc', 'python3'))('the chapter', () => {
    const build = (text: string) => {
      writeFileSync(join(folder, 'my_conv2d.c'), text);
      writeFileSync(join(folder, 'adapter.py'), adapter);
      return sh(commands[1]);
    };

    it('its adapter gets the verdict that it says', () => {
      expect(build(source)).toMatchObject({ stdout: '', stderr: '', status: 0 });
      expect(sh(commands[2])).toMatchObject({ stdout: block('text'), stderr: '', status: 0 });
    });

    it('with the kernel read from its end the last line names the bug, after the smallest case and the definition', () => {
      const [right, wrong] = ['w[(o * C + c) * KH * KW + k]', 'w[(o * C + c) * KH * KW + KH * KW - 1 - k]'];
      expect(source).toContain(right);
      expect(chapter).toContain(`\`${wrong}\``);
      expect(build(source.replace(right, wrong)).status).toBe(0);
      const { stdout, status } = sh(commands[2]);
      expect(stdout).toContain(`\n${block('text', 1)}`);
      expect(stdout).toContain('x (1, 1, 1, 2)\n    0  1\nw (1, 1, 1, 2)\n    0  1\n');
      expect(stdout).toContain('By the definition: y[n,o,oh,ow] = b[o] + Σ');
      expect(status).toBe(1);
    });

    it('a port of all layers in C passes from there', () => {
      expect(sh(`cc -O2 '${root}scripts/ports/c/port.c' -lm -o port`).stderr).toBe('');
      expect(sh('npx cnn-spec check --cases 20 -- ./port').stdout).toMatch(
        /\nc does what is defined: [\d,]+ cases passed\n$/,
      );
    });
  });

  it('judge makes tests of functions, in node:test as in vitest, and says what is wrong with them', () => {
    const relu = (body: string) => `
      export const relu = ({ shape, data }) => ({ shape, data: data.map((value) => (value <= 0 ? 0 : value)) });
      export const reluBackward = (dy, x) => ({ dx: { shape: x.shape, data: dy.data.map((slope, i) => ${body}) } });`;
    writeFileSync(join(folder, 'relu.test.js'), block('js').replace("'vitest'", "'node:test'"));
    const failures = (body: string) => {
      writeFileSync(join(folder, 'my-relu.js'), relu(body));
      const { stdout } = sh('node --test --test-reporter=tap relu.test.js');
      return { stdout, titles: [...stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, title]) => title) };
    };
    // what is no tensor, or of another shape, these functions do not refuse
    const right = failures('x.data[i] <= 0 ? 0 : slope').titles;
    expect(right.filter((title) => !/error|golden relu\/(numbers|unknown|wrong)|relu >|relu.test/.test(title))).toEqual(
      [],
    );
    const { stdout, titles } = failures('x.data[i] < 0 ? 0 : slope');
    expect(titles.filter((title) => !right.includes(title))).toContain('golden relu/zero: the slope at 0 is 0');
    expect(stdout).toContain('relu.slope-one-at-zero: at 0 dy passes');
  });

  it('copy gives the fixtures alone, into a new folder', () => {
    expect(sh('npx cnn-spec copy fixtures')).toMatchObject({ status: 0, stderr: '' });
    for (const file of ['README.md', 'schema.json', 'conv2d.json', 'c/conv2d.h'])
      expect(readFileSync(join(folder, 'fixtures', file), 'utf8')).toBe(
        readFileSync(join(root, 'golden', file), 'utf8'),
      );
    expect(sh('npx cnn-spec copy fixtures')).toMatchObject({
      stderr: 'cnn-spec: copy: fixtures is there already, expected the name of a new folder\n',
      status: 2,
    });
  });

  it('explain shows how a number is computed, from the definitions that are shipped', () => {
    const { stdout, stderr, status } = sh('npx cnn-spec explain conv2d --of dw --at 0,0,1,2');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('conv2d: dw[0, 0, 1, 2] = ');
    expect(stdout).toContain('    The gradients of ⟨conv2d(x, w, b), dy⟩.');
    expect(stdout).toMatch(/▸ \d+ │ +accumulate\(dw, getOr\(0, x, n, c, ih, iw\) \* slope, o, c, kh, kw\);/);
    expect(stdout).toMatch(/\nComputed again from the lines above: .*, as conv2dBackward gives it\.\n$/);
  });

  it.each([
    ['', 0, ''],
    ['--help', 0, ''],
    [
      'chek',
      2,
      'cnn-spec: there is no command "chek", did you mean check? Expected one of check, explain, copy, --help\n',
    ],
    ['copy', 2, 'cnn-spec: copy takes one argument, expected the name of a new folder\n'],
    [
      'explain conv',
      2,
      expect.stringMatching(/^cnn-spec explain: there is no layer "conv", did you mean conv2d\? Expected one of /),
    ],
    ['check', 2, 'cnn-spec check: there is no program to judge, expected it after --: -- ./my-port\n'],
  ])('cnn-spec %s: exit code %i', (args, status, stderr) => {
    const result = sh(`npx cnn-spec ${args}`);
    expect(result).toMatchObject({ status, stderr });
    if (status === 0) expect(result.stdout).toContain('cnn-spec check [options] -- ./my-port arguments…');
  });
});
