import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = (name: string) => readFileSync(`${root}scripts/${name}.ts`, 'utf8');
/** The scripts that are commands. */
const commands = readdirSync(`${root}scripts`)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace('.ts', ''))
  .filter((name) => /^await script\(/m.test(source(name)));

/** What each says with --help, in one process: loading what they share again and again would take a minute. */
const ask = `
  const write = process.stdout.write;
  for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0); // each script adds one
  const answers = {};
  for (const name of ${JSON.stringify(commands)}) {
    process.argv = [process.execPath, name, '--help'];
    answers[name] = { help: '', exitCode: 0 };
    process.stdout.write = (text) => (answers[name].help += text);
    await import('./scripts/' + name + '.ts').catch((error) => (answers[name].help = error.stack));
    answers[name].exitCode = process.exitCode ?? 0;
    process.exitCode = 0;
  }
  write.call(process.stdout, JSON.stringify(answers));`;
const node = ['--import', 'tsx', '--input-type=module', '-']; // from stdin: after --eval, parseArgs reads other arguments
const { stdout, stderr } = spawnSync(process.execPath, node, { cwd: root, encoding: 'utf8', input: ask });
const answers: Readonly<Record<string, { help: string; exitCode: number }>> = stdout ? JSON.parse(stdout) : {};

it('all commands answer, and nothing beside', () => {
  expect(stderr).toBe('');
  expect(Object.keys(answers)).toEqual(commands);
  expect(commands).toContain('train-mnist');
});

describe.each(commands)('scripts/%s.ts --help', (name) => {
  const { help, exitCode } = answers[name] ?? { help: '', exitCode: NaN };

  it('exits with 0 and begins with what the command does', () => {
    expect(exitCode).toBe(0);
    expect(help).toMatch(/^[A-Z][^`<>]*?[.,:]/);
    expect(help).toMatch(/[^\n]\n$/);
  });

  it('has an example', () => {
    const called = name === 'cnn-spec' ? name : `(npx tsx scripts/${name}\\.ts|npm run ${name})`;
    expect(help).toMatch(new RegExp(`^  ${called}\\b`, 'm'));
  });

  it('names every option that it takes', () => {
    const options = source(name).matchAll(/(?<=[ {])'?([a-z-]+)'?: \{ type: '(?:string|boolean)'/g);
    for (const option of new Set(['help', ...Array.from(options, ([, option]) => option)]))
      expect(help).toMatch(new RegExp(`--${option}\\b`));
  });

  it('fits a terminal of 140 columns', () => {
    for (const line of help.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(140);
  });
});
