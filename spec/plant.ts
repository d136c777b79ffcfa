import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** A small change of the text of one file of src/: `put` in the place of `find`, wherever it stands. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const src = fileURLToPath(new URL('../src/', import.meta.url));

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
    cpSync(src, copy, { recursive: true });
    for (const { file, find, put } of edits) {
      const text = readFileSync(join(copy, file), 'utf8');
      if (!text.includes(find)) throw new Error(`src/${file} has no ${find}`);
      writeFileSync(join(copy, file), text.replaceAll(find, put));
    }
    return await import(/* @vite-ignore */ pathToFileURL(join(copy, module)).href);
  } finally {
    rmSync(copy, { recursive: true });
  }
}
