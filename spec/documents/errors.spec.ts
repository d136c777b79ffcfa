import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bugs } from '../bugs/index.ts';

// Pages beside this file say what is wrong in the documents, under headings like "E2.6 A product that fits because 32 = 32".
// Is every error there, with what shows it, and with every known bug that is a copy of it?

const here = new URL('./', import.meta.url);
const pages = readdirSync(here).filter((name) => name.endsWith('.md'));
/** [id, what stands below its heading] of every error. */
const entries = pages
  .flatMap((name) => readFileSync(new URL(name, here), 'utf8').split(/^(?=##)/m))
  .flatMap((part) => {
    const [, id, text] = /^### (E\d\.\d+) \S.*\n([^]*)/.exec(part) ?? [];
    return id ? [[id, text] as const] : [];
  });

it.each([
  ['E2', 17],
  ['E4', 23],
])('%s.1 to %i, in order, each once', (document, count) => {
  const found = entries.map(([id]) => id).filter((id) => id.startsWith(`${document}.`));
  expect(found).toEqual(Array.from({ length: count }, (_, i) => `${document}.${i + 1}`));
});

/** Nothing is wrong: else the failure shows what is, one line each. */
const expectNone = (wrong: readonly string[]) => expect(wrong.join('\n')).toBe('');

it('every error is shown by a test or a fixture, or there is nothing to compute', () => {
  const shown = /\]\(\S*(\.spec\.ts|\/golden\/\S+)\)|\bnothing\s+to\s+compute\b/;
  expectNone(entries.filter(([, text]) => !shown.test(text)).map(([id]) => `${id} is shown by nothing`));
});

it('every error names the known bugs that name it, and none that is not known', () => {
  const subjects = new Set<string>(bugs.map(({ subject }) => subject));
  const wrong = entries.flatMap(([id, text]) => {
    const named = [...text.matchAll(/`(\w+)\.([a-z\d-]+)`/g)].filter(([, subject]) => subjects.has(subject));
    const ids = named.map(([, subject, name]) => `${subject}.${name}`);
    const missing = bugs.filter((bug) => bug.seen.includes(id) && !ids.includes(bug.id));
    const unknown = ids.filter((name) => !bugs.some((bug) => bug.id === name));
    return [
      ...missing.map((bug) => `${id} does not name ${bug.id}`),
      ...unknown.map((name) => `${id} names ${name}, which is not in the catalogue`),
    ];
  });
  expectNone(wrong);
});
