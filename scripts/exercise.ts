import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type { Bug } from '../spec/bugs/bug.ts';
import { bugs } from '../spec/bugs/index.ts';
import { layerOf, type Law } from '../spec/law.ts';
import { edited } from '../spec/plant.ts';
import { specifications } from '../spec/specify.ts';
import { uphold } from '../spec/uphold.ts';
import { implementations, type LayerName, type Layers } from '../src/layers.ts';
import { commandLine, script, writeWhole } from './script.ts';

const help = `The errors of the five documents, as small files to mend.

  npm run exercise                  the list
  npm run exercise E2.6             writes one into exercises/, or grades what you have made of it
  npm run exercise E2.4 sigmoid     where several layers have the error
  npm run exercise E2.6 -- --hint   says what is wrong
  npm run exercise E2.6 -- --reset  writes the file anew
  npm run exercise -- --folder DIR  they are somewhere else than in exercises/

Grading holds the file to every law and fixture of its layer, and shows the first that it breaks. Exit code 0 when all hold.
`;

const root = new URL('../', import.meta.url);
const SEED = 1; // of the random cases: the same every time, so that what is mended is seen to be
let folder: string;

/** One error of a document, as it stands in one layer. */
interface Exercise {
  readonly id: string;
  readonly name: LayerName;
  readonly bug: Bug;
}

const exercises: readonly Exercise[] = bugs
  .filter(({ subject, file }) => `${subject}Backward` in implementations.naive && file === `naive/${subject}.ts`)
  .flatMap((bug) =>
    bug.seen.filter((id) => id.startsWith('E')).map((id) => ({ id, name: bug.subject as LayerName, bug })),
  )
  .filter(({ id, name }, i, all) => all.findIndex((other) => other.id === id && other.name === name) === i)
  .toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));

await script('exercise', async () => {
  const { values, positionals } = commandLine({
    options: {
      hint: { type: 'boolean', default: false },
      reset: { type: 'boolean', default: false },
      folder: { type: 'string', default: fileURLToPath(new URL('exercises', root)) },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  folder = values.folder;
  if (positionals.length === 0) return list();
  const exercise = find(positionals);
  const { id, name, bug } = exercise;
  if (values.hint) return console.log(`${id}: ${bug.means}. Its place is the function ${bug.within} of ${name}.ts.`);
  const file = fileOf(exercise);
  if (values.reset || !existsSync(file)) write(exercise);
  else await grade(exercise);
});

function list(): void {
  for (const exercise of exercises)
    console.log(
      `${exercise.id.padEnd(6)} ${exercise.name.padEnd(20)} ${existsSync(fileOf(exercise)) ? shown(exercise) : ''}`.trimEnd(),
    );
  console.log('\nnpm run exercise E2.6 writes one. What the documents say: spec/documents/README.md');
}

function find([id, layer]: readonly string[]): Exercise {
  const ids = exercises.filter((exercise) => exercise.id === id);
  if (ids.length === 0)
    throw new RangeError(
      `there is no exercise ${id}, expected one of ${[...new Set(exercises.map((each) => each.id))].join(', ')}`,
    );
  const found = layer === undefined ? ids[0] : ids.find(({ name }) => name === layer);
  if (!found)
    throw new RangeError(`${id} is no error of ${layer}, expected one of ${ids.map(({ name }) => name).join(', ')}`);
  return found;
}

function fileOf({ id, name }: Exercise): string {
  return resolve(folder, id, `${name}.ts`);
}

function shown(exercise: Exercise): string {
  return relative(process.cwd(), fileOf(exercise));
}

/** The definition with the error, its imports leading back to src/. */
function write(exercise: Exercise): void {
  const { id, bug } = exercise;
  const text = edited(readFileSync(new URL(`src/${bug.file}`, root), 'utf8'), bug);
  const file = fileOf(exercise);
  const source = (path: string) => relative(dirname(file), fileURLToPath(new URL(path, new URL('src/naive/', root))));
  const imports = text.replace(/(?<=from ')\.\.?\/[^']+/g, source);
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, new TextEncoder().encode(imports));
  console.log(`${shown(exercise)} has the error ${id}. Mend it, then run the same command again.`);
}

/** Every law and every fixture of the layer, asked of the file; the first that breaks is shown. */
async function grade(exercise: Exercise): Promise<void> {
  const { id, name } = exercise;
  fc.configureGlobal({ seed: SEED });
  const layers: Layers = await import(pathToFileURL(fileOf(exercise)).href).catch((error: Error) => {
    throw new RangeError(`${shown(exercise)} does not run: ${error.message.split('\n')[0]}`);
  });
  for (const exported of [name, `${name}Backward`] as const)
    if (typeof layers[exported as LayerName] !== 'function')
      throw new RangeError(`${shown(exercise)} exports no function ${exported}`);
  const { laws }: { laws: readonly Law[] } = await import(`../spec/${name}.spec.ts`);
  const { cases, precision } = specifications.get(name)!;
  const again = `npm run exercise ${id} ${name}`;
  const judged = { name, implementation: shown(exercise), layer: layerOf(layers, name), cases, ...precision, again };
  for (const law of laws) {
    try {
      await uphold(law, judged);
    } catch (error) {
      console.log((error as Error).message);
      process.exitCode = 1;
      return;
    }
  }
  console.log(`Mended: all ${laws.length} laws and fixtures of ${name} hold.`);
}
