import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progressBar } from './progressBar.ts';
import { sampleFile, samples } from './samples/samples.ts';
import { commandLine, integer, script, writable, writeWhole } from './script.ts';

const help = `Draws the sample pictures of golden/images: digits as people write them, photographed as people do.

  npx tsx scripts/samples.ts
  npx tsx scripts/samples.ts --out /tmp --seed 7

A file's name begins with its digit.

  --out DIRECTORY     where the pictures are written (default golden/images)
  --seed N            of the hand's tremble and the paper's grain (default 0)
  --help              this text
`;

async function main(): Promise<void> {
  const { values } = commandLine({
    options: {
      out: { type: 'string', default: fileURLToPath(new URL('../golden/images', import.meta.url)) },
      seed: { type: 'string', default: '0' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const seed = integer('--seed', values.seed, 0, 2 ** 32 - 1);
  const names = Object.keys(samples);
  for (const name of names) writable('a picture of --out', join(values.out, name));
  const bar = progressBar(process.stderr);
  let bytes = 0;
  for (const [i, name] of names.entries()) {
    const file = await sampleFile(name, seed);
    writeWhole(join(values.out, name), file);
    bytes += file.length;
    bar.show((i + 1) / names.length, 'drawing', [name]);
  }
  bar.clear();
  process.stdout.write(`${names.length} pictures in ${values.out}, ${Math.round(bytes / 1000)} KB, seed ${seed}\n`);
}

await script('samples', main);
