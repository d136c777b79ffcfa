import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { goldenFile, goldenNames } from '../golden.ts';

// README.md, beside this file, says where each thing of the five documents lives here. Is it so?

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = join(root, 'spec/documents/');
const page = readFileSync(join(here, 'README.md'), 'utf8');

/** What each document was taken apart into: S0.1 to S0.35, … */
const documents: readonly [heading: string, id: string, rows: number][] = [
  ['CNN from scratch with NumPy', 'S0', 35],
  ['Predict a digit', 'S1', 20],
  ['CNN with tanh and average pooling', 'S2', 31],
  ['CNN basics in PyTorch', 'S3', 29],
  ['ResNet-18 in NumPy', 'S4', 27],
];

/** [heading, what stands below it] */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((section) => [section.slice(0, section.indexOf('\n')), section.slice(section.indexOf('\n'))] as const);
/** A row: 'S0.5', what it is, where it is. */
const rowsOf = (section: string) =>
  [...section.matchAll(/^\| (S\d\.\d+) \|(.*)\|$/gm)].map(([, id, cells]) => {
    const [what, where, ...more] = cells.split('|').map((cell) => cell.trim());
    return { id, what, where, more };
  });
const rows = sections.flatMap(([, section]) => rowsOf(section));
const linksOf = (text: string) =>
  [...text.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)].map(([, name, to]) => ({ name, to }));
/** Links with the row in which they stand; those of no row have that of the page. */
const links = [
  ...rows.flatMap(({ id, where }) => linksOf(where).map((link) => ({ at: id, ...link }))),
  ...linksOf(page.replace(/^\|.*$/gm, '')).map((link) => ({ at: 'the text', ...link })),
];
const fileOf = (to: string) => join(here, to.replace(/#.*/, '') || 'README.md');
const pathOf = (to: string) => relative(root, fileOf(to)).replaceAll('\\', '/');
/** Nothing is wrong: else the failure shows what is, one line each. */
const expectNone = (wrong: readonly string[]) => expect(wrong.join('\n')).toBe('');

describe('every row is there', () => {
  it('one section for each document', () => {
    expect(sections.map(([heading]) => heading)).toEqual(documents.map(([heading]) => heading));
  });

  it.each(documents)('%s: %s.1 to %i, in order, each once', (heading, id, count) => {
    const [, section = ''] = sections.find(([name]) => name === heading) ?? [];
    const expected = Array.from({ length: count }, (_, i) => `${id}.${i + 1}`);
    const found = rowsOf(section).map((row) => row.id);
    expectNone([
      ...expected.filter((row) => !found.includes(row)).map((row) => `${row} is missing`),
      ...found.filter((row) => !expected.includes(row)).map((row) => `${row} is not one of them`),
      ...found.filter((row, i) => found.indexOf(row) < i).map((row) => `${row} is there twice`),
    ]);
    expect(found).toEqual(expected);
  });

  it('in three columns, and the last has a link', () => {
    const wrong = rows.flatMap(({ id, what, where, more }) => {
      if (!what || !where || more.length > 0)
        return [`${id} has ${2 + more.length} cells after its id, or an empty one`];
      if (linksOf(where).length === 0) return [`${id} has no link: ${where}`];
      return /^concept\b/.test(where) && !where.startsWith('concept: ') ? [`${id}: expected "concept: ", and why`] : [];
    });
    expectNone(wrong);
  });

  it('nothing is "not yet" here', () => {
    const notYet = rows.filter(({ where }) => /\bnot yet\b/i.test(where));
    expectNone(notYet.map(({ id, where }) => `${id}: ${where}`));
    expect(page).not.toMatch(/\bnot yet\b/i);
  });
});

describe('what it names exists', () => {
  it('files, and headings within them', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-');
    const slugs = (file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading));
    const wrong = links.flatMap(({ at, name, to }) => {
      const [file, anchor] = [fileOf(to), to.split('#')[1]];
      if (!existsSync(file) || !statSync(file).isFile())
        return [`${at}: [${name}] leads to ${pathOf(to)}, which is no file`];
      return anchor && !slugs(file).includes(anchor) ? [`${at}: ${pathOf(to)} has no heading ${anchor}`] : [];
    });
    expectNone(wrong);
  });

  it('rows that are referred to, each with the section it is in', () => {
    const known = rows.map(({ id }) => id);
    const unknown = [...page.matchAll(/\bS\d\.\d+/g)].map(([id]) => id).filter((id) => !known.includes(id));
    expectNone(unknown.map((id) => `there is no row ${id}`));
    const astray = links.filter(({ name, to }) => {
      const [heading] = documents.find(([, id]) => name.startsWith(`${id}.`)) ?? [];
      return heading && to !== `#${heading.toLowerCase().replaceAll(' ', '-')}`;
    });
    expectNone(astray.map(({ at, name, to }) => `${at}: [${name}] leads to ${to}`));
  });

  it('fixtures, each linked to the file it is in', () => {
    const homes = new Map(
      goldenNames.flatMap((name) => goldenFile(name).cases.map(({ id }) => [id, `golden/${name}`] as const)),
    );
    const isId = (code: string) => /^\w+\/[\w-]+$/.test(code);
    const named = [...page.matchAll(/`([^`]+)`/g)].map(([, code]) => code).filter(isId);
    expectNone(named.filter((id) => !homes.has(id)).map((id) => `there is no fixture ${id}`));
    const linked = links.map(({ at, name, to }) => ({ at, id: name.replaceAll('`', ''), path: pathOf(to) }));
    const astray = linked.filter(({ id, path }) => isId(id) && homes.get(id) !== path);
    expectNone(astray.map(({ at, id, path }) => `${at}: ${id} is not in ${path} but in ${homes.get(id)}`));
    expect(linked.filter(({ id }) => homes.has(id))).toHaveLength(named.length); // each of them is a link
  });

  it('functions, exported by the file that they are linked to', async () => {
    const wrong: string[] = [];
    for (const { at, name, to } of links) {
      const path = pathOf(to);
      const exported = /^`(\w+)`$/.exec(name)?.[1];
      if (!path.startsWith('src/')) continue;
      if (exported === undefined) {
        if (name !== path) wrong.push(`${at}: [${name}] leads to ${path}, expected its path or an export in backticks`);
        continue;
      }
      if (!existsSync(fileOf(to))) continue; // said above
      const module: object = await import(/* @vite-ignore */ pathToFileURL(fileOf(to)).href);
      if (!(exported in module)) wrong.push(`${at}: ${path} does not export ${exported}`);
    }
    expectNone(wrong);
  });

  it('sentences, as they stand in the spec that they are linked to', () => {
    const specs = links.filter(({ to }) => to.endsWith('.spec.ts'));
    expect(specs.length).toBeGreaterThan(100);
    const wrong = specs.filter(
      ({ name, to }) => name !== basename(to) && !readFileSync(fileOf(to), 'utf8').includes(name),
    );
    expectNone(wrong.map(({ at, name, to }) => `${at}: ${pathOf(to)} does not say "${name}"`));
  });
});
