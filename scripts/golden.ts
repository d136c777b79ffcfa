import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cHeader } from '../spec/cHeader.ts';
import { differences, expectedText } from '../spec/expected.ts';
import { expectGolden } from '../spec/every-layer.ts';
import { goldenFile, goldenNames, readGolden } from '../spec/golden.ts';
import { layerOf } from '../spec/law.ts';
import { implementations, type LayerName } from '../src/layers.ts';
import { progressBar } from './progressBar.ts';
import { commandLine, script } from './script.ts';

const help = `Fills in what the fixtures in golden/ expect, from their inputs, in exact arithmetic, and writes those that C
can do with as headers into golden/c/.

  npm run golden               write every file anew
  npm run golden -- --check    change nothing; exit 1 if a file is not what exact arithmetic makes of it,
                               and say which number of which case is not; what is worked by hand, and calls that
                               must be errors, are held against the definition in src/naive
  npm run golden -- conv2d     only the files whose name contains conv2d
  npm run golden -- --help     this text
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
  const bar = progressBar(process.stderr);
  for (const [i, name] of names.entries()) {
    bar.show(i / names.length, 'computing', [name]);
    const file = new URL(`../golden/${name}`, import.meta.url);
    const before = readFileSync(file, 'utf8');
    const after = await expectedText(before);
    const apart = check ? [...differences(before, after), ...apartFromDefinition(name)] : [];
    bar.clear();
    if (!check && before !== after) writeFileSync(file, after);
    if (apart.length > 0) process.exitCode = 1;
    const verdict = check || before === after ? 'as it should be' : 'written';
    console.log(`golden/${name}: ${apart.length > 0 ? 'NOT what exact arithmetic makes of it' : verdict}`);
    for (const line of apart) console.log(`  ${line}`);
    writeHeader(check, name, cHeader(readGolden(name, after)));
  }
}

/** golden/c/<layer>.h, if the layer has one. */
function writeHeader(check: boolean, name: string, header: string | undefined): void {
  if (header === undefined) return;
  const path = `golden/c/${name.replace('.json', '.h')}`;
  const file = new URL(`../${path}`, import.meta.url);
  const same = existsSync(file) && readFileSync(file, 'utf8') === header;
  if (!check && !same) writeFileSync(file, header);
  if (check && !same) process.exitCode = 1;
  const verdict = same ? 'as it should be' : 'written';
  console.log(`${path}: ${check && !same ? `NOT what golden/${name} makes of it` : verdict}`);
}

/** The cases of a layer that arithmetic does not fill in, and in what the definition differs from them. */
function apartFromDefinition(name: string): readonly string[] {
  const { layer, cases } = goldenFile(name);
  if (layer === undefined) return [];
  return cases.flatMap((golden) => {
    if (!('error' in golden) && golden.worked === undefined) return [];
    try {
      expectGolden(layerOf(implementations.naive, layer as LayerName), golden);
      return [];
    } catch (error) {
      return [`${golden.id}, by the definition: ${error instanceof Error ? error.message : error}`];
    }
  });
}
