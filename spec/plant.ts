import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A small change of the text of one file of src/: `put` in the place of `find`. */
export interface Edit {
  readonly file: string;
  /** The function where `find` stands, exactly once. Without it `find` is replaced wherever it stands. */
  readonly within?: string;
  readonly find: string;
  readonly put: string;
}

const src = fileURLToPath(new URL('../src/', import.meta.url));
const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

/** What every file of src/ imports from src/, types aside, as paths. */
const imports: ReadonlyMap<string, readonly string[]> = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && dirname(file) !== join('simd', 'assembly')) // no TypeScript: nobody imports it
    .map((file) => {
      const found = readFileSync(join(src, file), 'utf8').matchAll(/^(?:im|ex)port( type)?[^;]*?from '(\.[^']+)'/gm);
      return [file, Array.from(found).flatMap(([, type, path]) => (type ? [] : [join(dirname(file), path)]))];
    }),
);

/**
 * The files that edits change, and those that import one of them, and so on. But src/simd, which takes its shapes and errors
 * from src/naive, is left as it is unless it is edited itself: nobody judges it for the bugs of others.
 */
function changed(edits: readonly Edit[]): ReadonlySet<string> {
  const files = new Set(edits.map(({ file }) => normalize(file)));
  const inSimd = (file: string) => file.startsWith(join('simd', '/'));
  const followed = [...imports].filter(([file]) => !inSimd(file) || [...files].some(inSimd));
  for (let before = 0; before < files.size;) {
    before = files.size;
    for (const [file, imported] of followed) if (imported.some((path) => files.has(path))) files.add(file);
  }
  return files;
}

/** The files that a module needs, itself among them. */
function neededBy(module: string): ReadonlySet<string> {
  const needed = new Set([module]);
  for (const file of needed) for (const path of imports.get(file) ?? []) needed.add(path); // a Set goes on with what is added
  return needed;
}

/** The files that edits change, directly or through what they import, among those that a module needs. */
export function changedFiles(edits: readonly Edit[], module: string): ReadonlySet<string> {
  const needed = neededBy(module);
  return new Set([...changed(edits)].filter((file) => needed.has(file)));
}

/**
 * A module of a copy of src/ after some edits, layers.ts if none is named: runnable, and wrong.
 * @throws Error if there is nothing to edit: the code has moved on
 */
export async function plant<Module = typeof import('../src/layers.ts')>(
  edits: readonly Edit[],
  module = 'layers.ts',
): Promise<Module> {
  const copy = mkdtempSync(join(tmpdir(), 'cnn-spec-planted-'));
  try {
    symlinkSync(modules, join(copy, 'node_modules'));
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}'); // else what is in it may be loaded as CommonJS
    // What no edit reaches stays where it is, and need not be compiled again; what is not needed is not there.
    const files = new Set([...changedFiles(edits, module), ...edits.map(({ file }) => normalize(file))]);
    const folders = new Set(['.', ...Array.from(files, dirname)]);
    for (const folder of folders) mkdirSync(join(copy, folder), { recursive: true });
    /** A file where there are edits; elsewhere the largest folder without any. */
    const whole = (path: string): string => (folders.has(dirname(path)) ? path : whole(dirname(path)));
    for (const path of new Set([...files, ...neededBy(module)].map(whole)))
      if (files.has(path)) copyFileSync(join(src, path), join(copy, path));
      else if (!folders.has(path)) symlinkSync(join(src, path), join(copy, path));
    for (const edit of edits) {
      const path = join(copy, edit.file);
      writeFileSync(path, edited(readFileSync(path, 'utf8'), edit));
    }
    return await import(/* @vite-ignore */ pathToFileURL(join(copy, module)).href);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

/**
 * The text after an edit.
 * @throws Error if there is nothing to edit, or more than one place: the code has moved on
 */
export function edited(text: string, { file, within, find, put }: Edit): string {
  if (within === undefined) {
    if (!text.includes(find)) throw new Error(`src/${file} has no ${find}`);
    return text.replaceAll(find, () => put);
  }
  const from = text.search(new RegExp(`^(export )?((async )?function\\*? ${within}\\b|const ${within}\\b)`, 'm'));
  if (from < 0) throw new Error(`src/${file} has no function ${within}`);
  // It ends with a brace at the beginning of a line, as prettier has it; a constant without braces, at its semicolon.
  const [header] = text.slice(from).split('\n', 1);
  const last = /^(export )?const/.test(header) && !header.endsWith('{') ? /;$/m : /^}.*$/m;
  const rest = text.slice(from);
  const to = from + rest.search(last) + rest.match(last)![0].length;
  const body = text.slice(from, to);
  const places = body.split(find).length - 1;
  if (places !== 1) throw new Error(`src/${file}: ${within} has ${places} places with ${find}, expected 1`);
  return text.slice(0, from) + body.replace(find, () => put) + text.slice(to);
}
