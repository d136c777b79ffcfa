import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { classes } from './bugs/classes.ts';
import { errorsOf, notComputable } from './bugs/documents.ts';
import { bugs } from './bugs/index.ts';
import { flaggedCases, flagOf } from './bugs/flags.ts';
import { killingFixtures } from './bugs/judge.ts';
import { goldenFile, goldenNames } from './golden.ts';
import { edited } from './plant.ts';

const source = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8');

const flagged = flaggedCases();

describe('no catalogued bug survives the fixtures, and those that fail say so (npm run bugs -- --flags)', () => {
  it.each(bugs.map((bug) => [bug.id, bug.means, bug] as const))('%s: %s', async (_id, _means, bug) => {
    const killers = await killingFixtures(bug);
    if (bug.equivalent === undefined) expect(killers, 'the fixtures that fail').not.toEqual([]);
    else expect(killers, 'equivalent bugs fail no fixture').toEqual([]);
    expect(killers.toSorted(), 'the fixtures with this flag').toEqual(flagged.get(bug.id)?.toSorted() ?? []);
  });
});

it('every fixture file says of each of its flags what bug it is', () => {
  for (const name of goldenNames) {
    const { flags = {}, cases } = goldenFile(name);
    const named = new Set(cases.flatMap((golden) => golden.flags ?? []));
    const expected = bugs.filter(({ id }) => named.has(id)).map((bug) => [bug.id, flagOf(bug)]);
    expect(flags, name).toEqual(Object.fromEntries(expected));
    expect(
      [...named].filter((id) => !(id in flags)),
      name,
    ).toEqual([]);
  }
});

describe('the catalogue', () => {
  it('ids are unique, and begin with what the bug is in', () => {
    const ids = bugs.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    for (const { id, subject } of bugs) expect(id).toMatch(new RegExp(`^${subject}\\.[a-z0-9-]+$`));
  });

  it('every edit changes the code as it stands, and no two bugs of a subject are one', () => {
    const texts = bugs.map((bug) => `${bug.subject} ${bug.file} ${edited(source(bug.file), bug)}`);
    expect(bugs.filter((_, i) => texts.indexOf(texts[i]) !== i).map(({ id }) => id)).toEqual([]);
    for (const bug of bugs) expect(edited(source(bug.file), bug), bug.id).not.toBe(source(bug.file));
  });

  it('every class of bugs is in the catalogue, or it is said why not', () => {
    const named = new Set(bugs.flatMap(({ seen }) => seen));
    for (const [number, { what, absent }] of Object.entries(classes))
      expect(named.has(number) !== (absent !== undefined), `class ${number}: ${what}`).toBe(true);
    for (const { id, seen } of bugs) {
      expect(seen.length, id).toBeGreaterThan(0);
      for (const reference of seen)
        expect(reference in classes || /^[ES][0-4]\.\d+$/.test(reference), `${id}: ${reference}`).toBe(true);
    }
  });
});

it.each(Object.entries(errorsOf))(
  'every error of a document is in the catalogue, or it is said why not: %s',
  (document, count) => {
    const named = new Set(bugs.flatMap(({ seen }) => seen));
    const errors = Array.from({ length: count }, (_, i) => `${document}.${i + 1}`);
    for (const error of errors) expect(named.has(error) !== error in notComputable, error).toBe(true);
    const all = [...named, ...Object.keys(notComputable)].filter((reference) => reference.startsWith(`${document}.`));
    expect(all.filter((reference) => !errors.includes(reference))).toEqual([]);
  },
);

it.each([
  ['src/naive/relu.ts has no function rely', { file: 'naive/relu.ts', within: 'rely', find: 'x', put: 'y' }],
  [
    'src/naive/relu.ts: relu has 0 places with nowhere, expected 1',
    { file: 'naive/relu.ts', within: 'relu', find: 'nowhere', put: '' },
  ],
  [
    'src/naive/relu.ts: relu has 2 places with value, expected 1',
    { file: 'naive/relu.ts', within: 'relu', find: 'value', put: '' },
  ],
  ['src/naive/relu.ts has no nowhere', { file: 'naive/relu.ts', find: 'nowhere', put: '' }],
])('a stale edit is an error: %s', (message, edit) => {
  expect(() => edited(source(edit.file), edit)).toThrow(message);
});
