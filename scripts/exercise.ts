import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { parts, type Bug, type Part, type Subject } from '../spec/bugs/bug.ts';
import { bugs } from '../spec/bugs/index.ts';
import { layerOf, type Law } from '../spec/law.ts';
import { edited, plant } from '../spec/plant.ts';
import { specifications } from '../spec/specify.ts';
import { lawsOf } from '../spec/specifyModule.ts';
import { uphold } from '../spec/uphold.ts';
import type { LayerName, Layers } from '../src/layers.ts';
import { commandLine, oneOf, script, writeWhole } from './script.ts';

const help = `The errors of the five documents, as small files to mend.

  npm run exercise                  the list
  npm run exercise E2.6             writes one into exercises/, or grades what you have made of it
  npm run exercise E2.4 sigmoid     where several layers have the error
  npm run exercise E2.6 -- --hint   says what is wrong
  npm run exercise E2.6 -- --reset  writes the file anew
  npm run exercise -- --folder DIR  they are somewhere else than in exercises/
  npm run exercise -- --help        this text

Grading holds the file to every law and fixture of its layer, or every law of its part of src/, and shows the first
that it breaks. Exit code 0 when all hold.
`;

const root = new URL('../', import.meta.url);
const SEED = 1; // of the random cases: the same every time, so that what is mended is seen to be
let folder: string;

/** One error of a document, as it stands in one layer or another part of src/. */
interface Exercise {
  readonly id: string;
  readonly name: Subject;
  readonly bug: Bug;
}

const exercises: readonly Exercise[] = bugs
  .flatMap((bug) => bug.seen.filter((id) => id.startsWith('E')).map((id) => ({ id, name: bug.subject, bug })))
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
  const { id, bug } = exercise;
  if (values.hint) return console.log(`${id}: ${bug.means}. Its place is ${bug.within} of ${basename(bug.file)}.`);
  const file = fileOf(exercise);
  if (values.reset || !existsSync(file)) write(exercise);
  else await grade(exercise);
});

/** The errors of each document, under their titles there, with the layers and other parts that have them, and what has been begun. */
function list(): void {
  const documents = new URL('spec/documents/', root);
  const pages = readdirSync(documents)
    .filter((page) => page.endsWith('.md'))
    .map((page) => ({ page, text: readFileSync(new URL(page, documents), 'utf8') }))
    .map(({ page, text }) => ({ page, text, errors: [...text.matchAll(/^### (E\d+\.\d+) (.*)$/gm)] }))
    .filter(({ errors }) => errors.length > 0)
    .toSorted((a, b) => a.errors[0][1].localeCompare(b.errors[0][1]));
  for (const { page, text, errors } of pages) {
    console.log(`${/^# (.*)$/m.exec(text)![1]} (spec/documents/${page})\n`);
    for (const [, id, title] of errors) {
      const same = exercises.filter((exercise) => exercise.id === id);
      if (same.length === 0) continue; // no code has it
      console.log(`  ${id.padEnd(6)} ${title.replaceAll('`', '')}`);
      console.log(`         ${same.map(({ name }) => name).join(', ')}`);
      for (const begun of same.filter((exercise) => existsSync(fileOf(exercise))))
        console.log(`         ${shown(begun)}`);
    }
    console.log();
  }
  console.log('npm run exercise E2.6 writes one, to be mended');
}

function find([id, subject]: readonly string[]): Exercise {
  const ids = exercises.filter((exercise) => exercise.id === id);
  if (ids.length === 0)
    throw new RangeError(
      `there is no exercise ${id}, expected one of ${[...new Set(exercises.map((each) => each.id))].join(', ')}`,
    );
  const found = subject === undefined ? ids[0] : ids.find(({ name }) => name === subject);
  if (!found)
    throw new RangeError(
      `${id} is no error of ${subject}, ${oneOf(
        ids.map(({ name }) => name),
        subject!,
      )}`,
    );
  return found;
}

function fileOf({ id, name, bug }: Exercise): string {
  return resolve(folder, id, name === basename(bug.file, '.ts') ? '' : name, basename(bug.file));
}

function shown(exercise: Exercise): string {
  return relative(process.cwd(), fileOf(exercise));
}

function sourceOf({ bug }: Exercise): string {
  return fileURLToPath(new URL(`src/${bug.file}`, root));
}

/** The text of a file that moves from one place to another: its imports still lead where they led. */
function moved(text: string, from: string, to: string): string {
  return text.replace(/(?<=from ')\.\.?\/[^']+/g, (path) => {
    const way = relative(dirname(to), resolve(dirname(from), path));
    return way.startsWith('.') ? way : `./${way}`;
  });
}

/** The definition with the error, its imports leading back to src/. */
function write(exercise: Exercise): void {
  const [source, file] = [sourceOf(exercise), fileOf(exercise)];
  const text = edited(readFileSync(source, 'utf8'), exercise.bug);
  try {
    mkdirSync(dirname(file), { recursive: true });
  } catch (error) {
    throw new RangeError(`--folder is ${JSON.stringify(folder)}, which cannot be made: ${(error as Error).message}`);
  }
  writeWhole(file, new TextEncoder().encode(moved(text, source, file)));
  console.log(`${shown(exercise)} has the error ${exercise.id}. Mend it, then run the same command again.`);
}

/** Every law and every fixture, asked of src/ with the file in its place; the first that breaks is shown. */
async function grade(exercise: Exercise): Promise<void> {
  const { name, bug } = exercise;
  fc.configureGlobal({ seed: SEED });
  const [source, file] = [sourceOf(exercise), fileOf(exercise)];
  const edit = {
    file: bug.file,
    find: readFileSync(source, 'utf8'),
    put: moved(readFileSync(file, 'utf8'), file, source),
  };
  const module = await plant<object>([edit], name in parts ? parts[name as Part][0] : `naive/${name}.ts`).catch(
    (error: Error) => {
      throw new RangeError(`${shown(exercise)} does not run: ${error.message.split('\n')[0]}`);
    },
  );
  const laws = name in parts ? await ofModule(name as Part, module) : await ofLayer(exercise, module as Layers);
  for (const check of laws)
    try {
      await check();
    } catch (error) {
      console.log(error instanceof Error ? error.message : error);
      console.log(`\nWhat is wrong, in words: npm run exercise ${exercise.id} ${name} -- --hint`);
      process.exitCode = 1;
      return;
    }
  console.log(`Mended: all ${laws.length} laws${name in parts ? '' : ' and fixtures'} of ${name} hold.`);
}

type Check = () => Promise<unknown>;

async function ofLayer(exercise: Exercise, layers: Layers): Promise<readonly Check[]> {
  const name = exercise.name as LayerName;
  for (const exported of [name, `${name}Backward`] as const)
    if (typeof layers[exported] !== 'function')
      throw new RangeError(`${shown(exercise)} exports no function ${exported}`);
  const { laws }: { laws: readonly Law[] } = await import(`../spec/${name}.spec.ts`);
  const { cases, precision } = specifications.get(name)!;
  const again = `npm run exercise ${exercise.id} ${name}`;
  const who = { name, implementation: shown(exercise), layer: layerOf(layers, name) };
  const judged = { ...who, cases, ...precision, again, names: false };
  return laws.map((law) => () => uphold(law, judged));
}

async function ofModule(part: Part, module: object): Promise<readonly Check[]> {
  const [, name] = parts[part];
  await import(`../spec/${name.split(' ')[0]}.spec.ts`);
  return lawsOf(name, module).map(({ sentence, check }) => async () => {
    try {
      await check(SEED);
    } catch (error) {
      throw new Error(`${name} > ${sentence}\n\n${error instanceof Error ? error.message : error}`);
    }
  });
}
