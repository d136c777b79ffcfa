import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A small change of the text of one file of spec/: `put` in the place of `find`, which stands there exactly once. */
export interface OracleEdit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

/** Imports a file of the copy: load('law.ts'). */
export type Load = <Module>(file: string) => Promise<Module>;

const root = fileURLToPath(new URL('../', import.meta.url));
const texts = new Map(
  readdirSync(join(root, 'spec'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(join(root, 'spec', file), 'utf8')]),
);

/** What makes tests where vitest runs. */
const makers = ['specify.ts', 'specifyModule.ts'];
const silent = makers.map((file): OracleEdit => ({ file, find: 'process.env.VITEST ?', put: 'false ?' }));

/** These files, and those that import one of them, and so on. */
function reached(edited: readonly string[]): ReadonlySet<string> {
  const files = new Set(edited);
  for (let before = 0; before < files.size;) {
    before = files.size;
    for (const [file, text] of texts)
      if (
        Array.from(text.matchAll(/from '(\.[^']+)'/g), ([, path]) => join(dirname(file), path)).some((path) =>
          files.has(path),
        )
      )
        files.add(file);
  }
  return files;
}

/**
 * What `use` makes of a copy of spec/ after some edits: an oracle that runs, and has a blind spot. Its specs make no tests.
 * @throws Error if there is nothing to edit: the oracle has moved on
 */
export async function withOracle<T>(edits: readonly OracleEdit[], use: (load: Load) => Promise<T>): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'cnn-spec-oracle-'));
  try {
    for (const name of ['src', 'golden', 'node_modules']) symlinkSync(join(root, name), join(copy, name));
    const files = reached([...makers, ...edits.map(({ file }) => file)]);
    for (const [file, text] of texts) {
      const path = join(copy, 'spec', file);
      mkdirSync(dirname(path), { recursive: true });
      if (!files.has(file)) symlinkSync(join(root, 'spec', file), path);
      else writeFileSync(path, [...silent, ...edits].filter((edit) => edit.file === file).reduce(edited, text));
    }
    return await use((file) => import(/* @vite-ignore */ pathToFileURL(join(copy, 'spec', file)).href));
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function edited(text: string, { file, find, put }: OracleEdit): string {
  const places = text.split(find).length - 1;
  if (places !== 1) throw new Error(`spec/${file} has ${places} places with ${find}, expected 1`);
  return text.replace(find, () => put);
}
