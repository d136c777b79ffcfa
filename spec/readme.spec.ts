import { fileURLToPath } from 'node:url';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPicture } from '../scripts/picture.ts';
import { parts } from './bugs/bug.ts';
import { bugs } from './bugs/index.ts';
import { expectPicture } from './pictures.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const indonesian = readFileSync(join(root, 'README.id.md'), 'utf8');
const fixtures = readFileSync(join(root, 'golden/README.md'), 'utf8');
/** The fenced blocks of a text: [language, content]. */
const blocks = (text: string) => [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, ...block]) => block);
/** A command, run in the repository as its users do: outside vitest. */
const run = (command: string, args: readonly string[], cwd = root) => {
  const { VITEST: _, FORCE_COLOR: __, ...inherited } = process.env;
  const env = { ...inherited, NO_COLOR: '1' };
  const { stdout, stderr, status } = spawnSync(command, args, { cwd, env, encoding: 'utf8' });
  return { stdout, stderr, status };
};
const tsx = (args: readonly string[], cwd = root) => run(process.execPath, ['--import', 'tsx', ...args], cwd);

describe('README', () => {
  it.each([
    ['the example', 0],
    ['the way of a pixel', 1],
  ])('%s prints what it says', (_, n) => {
    const all = blocks(readme);
    const [code, at] = all.flatMap(([language, text], i) => (language === 'ts' ? [[text, i] as const] : []))[n];
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-readme-'));
    try {
      for (const name of ['src', 'scripts', 'spec', 'golden', 'node_modules', 'package.json'])
        symlinkSync(join(root, name), join(directory, name));
      writeFileSync(join(directory, 'example.ts'), code);
      expect(tsx(['example.ts'], directory)).toEqual({ stdout: all[at + 1][1], stderr: '', status: 0 });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('a broken layer says what it says', () => {
    const [, [, output]] = blocks(readme).filter(([language]) => language === 'text');
    const [title] = output.split('\n');
    const program = `
      import fc from 'fast-check';
      import { laws } from './spec/conv2d.spec.ts';
      import { bugs } from './spec/bugs/index.ts';
      import { layerOf } from './spec/law.ts';
      import { plant } from './spec/plant.ts';
      import { specifications } from './spec/specify.ts';
      import { uphold } from './spec/uphold.ts';
      fc.configureGlobal({ seed: 20261123 });
      const layer = layerOf(await plant(bugs.filter(({ id }) => id === 'conv2d.kernel-flip'), 'naive/conv2d.ts'), 'conv2d');
      const { cases, precision } = specifications.get('conv2d');
      const law = laws.find(({ sentence }) => sentence === ${JSON.stringify(title.replace('conv2d > my-port > ', ''))});
      await uphold(law, { name: 'conv2d', implementation: 'my-port', layer, cases, ...precision })
        .catch(({ message }) => console.log(message));`;
    const { stdout, stderr } = tsx(['--input-type=module', '-e', program]);
    expect(stderr).toBe('');
    expect(stdout.trimEnd()).toBe(output.trimEnd());
  });

  it('every command is one that is run: here, or as `npm test` and `.ci/run` themselves', () => {
    const commands = blocks(readme)
      .filter(([language]) => language === 'sh')
      .flatMap(([, lines]) => lines.trimEnd().split('\n'))
      .map((line) => line.replace(/ *#.*$/, ''));
    expect(commands).toEqual([
      'npm install && npm test',
      'npx tsx scripts/train-mnist.ts',
      'npx vitest run conv2d --reporter=verbose',
      'npx tsx scripts/explain.ts conv2d', // in explain.spec.ts
      'npm install ./cnn-spec-0.1.0.tgz', // this and the next two in package.spec.ts
      'cc -O2 -shared -fPIC my_conv2d.c -o my_conv2d.so',
      'npx cnn-spec check --kind fixtures,random --print-skips -- python3 adapter.py',
      'npx tsx scripts/train-mnist.ts --help',
      'npx tsx scripts/predict.ts golden/images/3.png',
      'npx tsx scripts/predict.ts golden/images/3.png --explain',
      'npx tsx scripts/train-mnist.ts --model lenet5 --optimizer adam --run runs/digits',
      'npx tsx scripts/predict.ts golden/images/3.png --model runs/digits/checkpoint.safetensors',
      'npx tsx scripts/feature-maps.ts golden/images/3.png --model runs/digits/checkpoint.safetensors --layer conv2 --out runs/digits/conv2.png',
      'npx tsx scripts/feature-maps.ts --filters --model runs/digits/checkpoint.safetensors --out runs/digits/filters.png',
      'npx tsx scripts/train-mnist.ts --resume runs/digits',
    ]);
    const { stdout, status } = run('npx', ['vitest', 'run', 'conv2d', '--reporter=verbose', '-t', 'padding = zeros']); // all of it is in this run already
    expect(stdout.includes('conv2d > naive > padding = zeros around x, then none')).toBe(true);
    expect(status).toBe(0);
  });

  it('a digit is read from a fresh clone, and explained as the picture here shows it', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-readme-'));
    try {
      const { stdout, stderr, status } = tsx(['scripts/predict.ts', 'golden/images/3.png', '--explain', '--out', directory]); // prettier-ignore
      expect([stderr, status]).toEqual(['', 0]);
      expect(stdout).toMatch(/^Predicted Digit: 3\nConfidence Score: 1\.00\n/);
      expectPicture(
        await readPicture(join(directory, '3-explained.png')),
        await readPicture(join(root, 'golden/trained/3-explained.png')),
        1,
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('what was learned can be asked, looked at and gone on with, with a few digits of golden/mnist', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-readme-'));
    try {
      const commands = blocks(readme)
        .flatMap(([, lines]) => lines.split('\n'))
        .filter((line) => line.includes('runs/digits'))
        .map((line) => line.split(' ').slice(2)) // without npx tsx
        .map((words) => words.map((word) => (word.startsWith('runs') ? join(directory, word) : word)));
      const few = ['--data', 'golden/mnist', '--images', '500', '--test-images', '50', '--epochs', '1'];
      const [train, predict, maps, filters, resume] = commands.map((words, i) => tsx([...words, ...(i === 0 ? few : [])])); // prettier-ignore
      for (const { stderr, status } of [train, predict, maps, filters, resume]) expect([stderr, status]).toEqual(['', 0]); // prettier-ignore
      expect(predict.stdout).toMatch(/^Predicted Digit: \d\nConfidence Score: 0\.\d\d(, unsure: .*)?\n/);
      for (const name of ['conv2', 'filters'])
        expect((await readPicture(join(directory, 'runs/digits', `${name}.png`))).channels, name).toBe(3);
      expect(resume.stdout).toContain(' after 1 of 1 epoch');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('the numbers of bugs are those of the catalogue', () => {
    const others = bugs.filter(({ subject }) => subject in parts).length;
    expect(readme).toContain(`holds ${bugs.length} known bugs`);
    const count = (n: number) => expect.stringMatching(new RegExp(`^\\|[^|]*\\| ${n} +\\| ${n} +\\| ${n} +\\|`));
    const rows = readme.split('\n').filter((line) => /^\| (the eighteen layers|running statistics,)/.test(line));
    expect(rows).toEqual([count(bugs.length - others), count(others)]);
  });

  it('npm run bugs says what kills a bug', () => {
    const { stdout, status } = run('npm', ['run', '--silent', 'bugs', '--', 'conv2d.no-bias']);
    expect(stdout).toMatch(/^conv2d\.no-bias +conv2d\/[a-z0-9-]+ +gradient twin +[a-z0-9⟨].+\n$/);
    expect(status).toBe(0);
    const [[, commands]] = blocks(readFileSync(join(root, 'spec/bugs/README.md'), 'utf8'));
    expect(commands).toBe('npm run bugs\nnpm run bugs -- conv2d\n');
  });

  it('links lead to files that exist', () => {
    for (const [text, base] of [
      [readme, root],
      [indonesian, root],
      [fixtures, join(root, 'golden/')],
    ])
      for (const [, link] of text.matchAll(/\]\(([^)#]+)(#[^)]*)?\)/g))
        expect(() => readFileSync(join(base, link)), link).not.toThrow(/ENOENT/);
    const chapters = [...readme.matchAll(/^## (.*)$/gm)].map(([, name]) => name.toLowerCase().replaceAll(' ', '-'));
    for (const text of [readme, indonesian])
      for (const [, chapter] of text.matchAll(/\]\((?:README\.md)?#([^)]+)\)/g)) expect(chapters).toContain(chapter);
  });
});

describe('README.id', () => {
  it('has the blocks of README, and no others, but for comments', () => {
    const translated = blocks(indonesian.replace(/^ {2}(?=```|np)/gm, ''));
    const plain = (text: string) => text.replace(/ *#.*$/gm, '').trimEnd().split('\n'); // prettier-ignore
    const lines = new Set(blocks(readme).flatMap(([, text]) => plain(text)));
    expect(translated.map(([language]) => language)).toEqual(['sh', 'ts', 'text', 'sh', 'sh']);
    for (const [, text] of translated) for (const line of plain(text)) expect(lines).toContain(line);
  });
});

describe('golden/README', () => {
  const examples = blocks(fixtures).filter(([language]) => language === 'json');
  const [golden, flag] = examples.map(([, text]) => JSON.parse(text));
  const { cases, flags } = JSON.parse(readFileSync(join(root, 'golden/conv2d.json'), 'utf8'));

  it('the example is a case of the fixtures', () => {
    expect(cases).toContainEqual(expect.objectContaining(golden));
  });

  it('the example of a flag is one of the fixtures', () => {
    expect(flags).toMatchObject(flag);
  });
});
