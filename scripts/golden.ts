import { readFileSync, writeFileSync } from 'node:fs';
import { differences, expectedText } from '../spec/expected.ts';
import { goldenNames } from '../spec/golden.ts';
import { commandLine, script } from './script.ts';

const help = `Fills in what the fixtures in golden/ expect, from their inputs, in exact arithmetic.

  npm run golden               write every file anew
  npm run golden -- --check    change nothing; exit 1 if a file is not what exact arithmetic makes of it,
                               and say which number of which case is not
  npm run golden -- conv2d     only the files whose name contains conv2d
`;

await script('golden', async () => {
  const { values, positionals } = commandLine({
    options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help) process.stdout.write(help);
  else await run(values.check, positionals);
});

async function run(check: boolean, parts: readonly string[]): Promise<void> {
  const names = goldenNames.filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)));
  const vain = parts.find((part) => !goldenNames.some((name) => name.includes(part)));
  if (vain !== undefined)
    throw new RangeError(`no file in golden/ has a name with ${vain}, expected one of ${goldenNames.join(', ')}`);
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
    for (const line of check ? differences(before, after) : []) console.log(`  ${line}`);
  }
}
