import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { expectedText } from '../spec/expected.ts';
import { goldenNames } from '../spec/golden.ts';

const help = `Fills in what the fixtures in golden/ expect, from their inputs, in exact arithmetic.

  npm run golden               write every file anew
  npm run golden -- --check    change nothing; exit 1 if a file is not what exact arithmetic makes of it
  npm run golden -- conv2d     only the files whose name contains conv2d
`;

try {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) process.stdout.write(help);
  else await run(values.check ?? false, positionals);
} catch (error) {
  if (!(error instanceof TypeError && 'code' in error)) throw error; // parseArgs
  process.stderr.write(`golden: ${error.message}\n`);
  process.exitCode = 2;
}

async function run(check: boolean, parts: readonly string[]): Promise<void> {
  const names = goldenNames.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
  for (const name of names) {
    const file = new URL(`../golden/${name}`, import.meta.url);
    const before = readFileSync(file, 'utf8');
    const after = await expectedText(before);
    const same = before === after;
    if (!check && !same) writeFileSync(file, after);
    if (check && !same) process.exitCode = 1;
    console.log(
      `golden/${name}: ${same ? 'as it should be' : check ? 'NOT what exact arithmetic makes of it' : 'written'}`,
    );
  }
}
