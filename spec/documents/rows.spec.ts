import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bugs } from '../bugs/index.ts';
import { goldenFile, goldenNames } from '../golden.ts';

// The pages beside this file say where each thing of the five documents lives here, and what is wrong in them. Is it so?

const root = fileURLToPath(new URL('../../', import.meta.url));
const here = join(root, 'spec/documents/');

/** What each document was taken apart into: S0.1 to S0.35, and its errors E0.1 to E0.13, … */
const documents: readonly [file: string, title: string, number: number, rows: number, errors: number][] = [
  ['fromScratch.md', 'CNN from scratch with NumPy', 0, 35, 13],
  ['predictADigit.md', 'Predict a digit', 1, 20, 8],
  ['tanhAverage.md', 'CNN with tanh and average pooling', 2, 31, 17],
  ['basics.md', 'CNN basics in PyTorch', 3, 29, 8],
  ['resnet.md', 'ResNet-18 in NumPy', 4, 27, 23],
];
const files = ['README.md', ...documents.map(([file]) => file)];
const texts = new Map(files.map((file) => [file, readFileSync(join(here, file), 'utf8')]));
const textOf = (file: string) => texts.get(file)!;

/** What stands below each heading that begins with `marks`: [heading, text]. */
const split = (text: string, marks: '##' | '###') =>
  text
    .split(new RegExp(`^${marks} `, 'm'))
    .slice(1)
    .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()] as const);
const section = (file: string, heading: string) =>
  split(textOf(file), '##').find(([found]) => found === heading)?.[1] ?? '';
/** The cells of every row of the tables of a text, without the headings. */
const tableOf = (text: string) =>
  [...text.matchAll(/^\|(.*)\|$/gm)]
    .map(([, cells]) => cells.split('|').map((cell) => cell.trim()))
    .filter((cells, i, rows) => !isRule(cells) && !(i + 1 < rows.length && isRule(rows[i + 1])));
const isRule = (cells: readonly string[]) => cells.every((cell) => /^:?-+:?$/.test(cell));
const linksOf = (text: string) =>
  [...text.matchAll(/\[([^\]]*)\]\(([^)\s]+)\)/g)].map(({ 1: name, 2: to, index }) => ({
    name: name.replace(/\s+/g, ' '),
    to,
    index,
  }));
const codeOf = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code);

/** A row: 'S0.5', what it is, where it is. */
const rowsOf = (file: string) =>
  tableOf(section(file, 'Where it is here')).map(([id, what, where, ...more]) => ({ id, what, where, more }));
const rows = files.flatMap(rowsOf);
/** An entry of the errors: 'E0.5', its title, its text. */
const errorsOf = (file: string) =>
  split(section(file, 'What is wrong in it'), '###').flatMap(([heading, text]) => {
    const [, id, title] = /^(E\d\S*) ?(.*)$/.exec(heading) ?? [];
    return id === undefined ? [] : [{ id, title, text }];
  });
const errors = files.flatMap(errorsOf);

/** Links, with the row or the line in which they stand. */
const links = files.flatMap((file) =>
  linksOf(textOf(file)).map(({ index, ...link }) => {
    const before = textOf(file).slice(0, index).split('\n');
    return { at: /^\| (S\d\.\d+) \|/.exec(before.at(-1)!)?.[1] ?? `${file}, line ${before.length}`, file, ...link };
  }),
);
const fileOf = ({ file, to }: { file: string; to: string }) => join(here, to.replace(/#.*/, '') || file);
const pathOf = (link: { file: string; to: string }) => relative(root, fileOf(link)).replaceAll('\\', '/');

const homes = new Map(
  goldenNames.flatMap((name) => goldenFile(name).cases.map(({ id }) => [id, `golden/${name}`] as const)),
);
const isFixture = (code: string) => /^\w+\/[\w-]+$/.test(code);
const subjects = new Set<string>(bugs.map(({ subject }) => subject));
const isBug = (code: string) =>
  /^\w+\.[a-z0-9-]+$/.test(code) && subjects.has(code.split('.')[0]) && !/\.(ts|json|md)$/.test(code);

/** Nothing is wrong: else the failure shows what is, one line each. */
const expectNone = (wrong: readonly string[]) => expect(wrong.join('\n')).toBe('');
/** The ids found are S0.1, S0.2, … up to `count`. */
const expectIds = (found: readonly string[], letter: string, count: number) => {
  const expected = Array.from({ length: count }, (_, i) => `${letter}.${i + 1}`);
  expectNone([
    ...expected.filter((id) => !found.includes(id)).map((id) => `${id} is missing`),
    ...found.filter((id) => !expected.includes(id)).map((id) => `${id} is not one of them`),
    ...found.filter((id, i) => found.indexOf(id) < i).map((id) => `${id} is there twice`),
  ]);
  expect(found).toEqual(expected);
};

describe('every document has its page', () => {
  it('listed in README, in order', () => {
    const listed = tableOf(textOf('README.md')).map(([page, title]) => [...page.split(', '), title]);
    expect(listed).toEqual(documents.map(([file, title, n]) => [`S${n}`, `[${file}](${file})`, title]));
  });

  it('and there is no other', () => {
    expect(readdirSync(here).filter((file) => file.endsWith('.md')).sort()).toEqual([...files].sort()); // prettier-ignore
  });

  it.each(documents)('%s: %s, in its parts', (file, title) => {
    expect(textOf(file).startsWith(`# ${title}\n\n`)).toBe(true);
    const parts = split(textOf(file), '##').map(([heading]) => heading);
    expect(parts).toEqual(['Where it is here', 'What is wrong in it', 'Its numbers', 'Its names and ours']);
  });
});

describe('every row is there', () => {
  it.each(documents)('%s: %s, S%i.1 to %i, in order, each once', (file, _title, n, count) => {
    expectIds(rowsOf(file).map(({ id }) => id), `S${n}`, count); // prettier-ignore
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
    for (const file of files) expect(textOf(file)).not.toMatch(/\bnot yet\b/i);
  });
});

describe('every error is there', () => {
  it.each(documents)('%s: %s, E%i.1 to the last, in order, each once', (file, _title, n, _rows, count) => {
    expectIds(errorsOf(file).map(({ id }) => id), `E${n}`, count); // prettier-ignore
  });

  it('with a title, and with what shows it: a sentence of a test, or a fixture; or there is nothing to compute', () => {
    const shows = (text: string) =>
      linksOf(text).some(({ name, to }) => to.endsWith('.spec.ts') && name !== basename(to)) ||
      codeOf(text).some((code) => homes.has(code)) ||
      /nothing\s+to\s+compute/.test(text);
    expectNone([
      ...errors.filter(({ title }) => title === '').map(({ id }) => `${id} has no title`),
      ...errors.filter(({ text }) => !shows(text)).map(({ id }) => `${id}: nothing shows it`),
    ]);
  });

  it('and with every catalogued bug that names it', () => {
    const wrong = bugs.flatMap(({ id, seen }) =>
      seen
        .filter((reference) => reference.startsWith('E'))
        .filter((reference) => !errors.some((error) => error.id === reference && codeOf(error.text).includes(id)))
        .map((reference) => `${reference} does not mention ${id}`),
    );
    expectNone(wrong);
  });
});

describe('its numbers, and its names', () => {
  it('every claim is true, false or not measured, and an error above or a link shows it', () => {
    const wrong = documents.flatMap(([file]) => {
      const claims = section(file, 'Its numbers')
        .split(/^- /m)
        .slice(1)
        .filter((claim) => !claim.startsWith('It counts no '));
      if (claims.length === 0) return [`${file} has no numbers`];
      return claims.flatMap((claim) => {
        const [, verdict] = /\*\*([^*]+)\*\*/.exec(claim) ?? [];
        if (!/^(true|false|not measured)\b/.test(verdict ?? '')) return [`${file}: no verdict: ${claim}`];
        return verdict.startsWith('not') || linksOf(claim).length > 0 || /\bE\d\.\d+/.test(claim)
          ? []
          : [`${file}: nothing shows it: ${claim}`];
      });
    });
    expectNone(wrong);
  });

  it('every name of ours is in the code', () => {
    const code = ['src', 'scripts']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
          .filter((file) => file.endsWith('.ts'))
          .map((file) => readFileSync(join(root, folder, file), 'utf8')),
      )
      .join('\n');
    const words = new Set([...code.match(/\w+/g)!, 'layerBackward']); // that of any layer
    const wrong = documents.flatMap(([file]) => {
      const names = tableOf(section(file, 'Its names and ours'));
      if (names.length === 0) return [`${file} has no names`];
      return names.flatMap(([theirs, ours]) => {
        if (!theirs || !ours) return [`${file}: ${theirs} has an empty cell`];
        const unknown = codeOf(ours)
          .filter((code) => !homes.has(code) && !isBug(code))
          .flatMap((code) => code.match(/[a-zA-Z_]\w*/g) ?? [])
          .filter((word) => !words.has(word));
        return unknown.map((word) => `${file}: ${theirs}: there is no ${word} in src or scripts`);
      });
    });
    expectNone(wrong);
  });
});

describe('what they name exists', () => {
  it('files, and headings within them', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} -]/gu, '')
        .replaceAll(' ', '-');
    const slugs = (file: string) =>
      [...readFileSync(file, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading));
    const wrong = links.flatMap((link) => {
      const { at, name, to } = link;
      const [path, anchor] = [fileOf(link), to.split('#')[1]];
      if (!existsSync(path) || !statSync(path).isFile())
        return [`${at}: [${name}] leads to ${pathOf(link)}, which is no file`];
      return anchor && !slugs(path).includes(anchor) ? [`${at}: ${pathOf(link)} has no heading ${anchor}`] : [];
    });
    expectNone(wrong);
  });

  it('rows and errors that are referred to, each linked to its page', () => {
    const known = new Set([...rows, ...errors].map(({ id }) => id));
    const unknown = files.flatMap((file) =>
      [...textOf(file).matchAll(/\b[SE]\d\.\d+/g)].filter(([id]) => !known.has(id)).map(([id]) => `${file}: ${id}`),
    );
    expectNone(unknown.map((id) => `there is no row and no error ${id}`));
    const astray = links.filter((link) => {
      const number = /^[SE](\d)\.\d+$/.exec(link.name)?.[1];
      return number !== undefined && fileOf(link) !== join(here, documents[Number(number)][0]);
    });
    expectNone(astray.map(({ at, name, to }) => `${at}: [${name}] leads to ${to}`));
  });

  it('fixtures, each linked to the file it is in', () => {
    for (const file of files) {
      const named = codeOf(textOf(file)).filter(isFixture);
      expectNone(named.filter((id) => !homes.has(id)).map((id) => `${file}: there is no fixture ${id}`));
      const linked = links
        .filter((link) => link.file === file)
        .map((link) => ({ at: link.at, id: link.name.replaceAll('`', ''), path: pathOf(link) }));
      const astray = linked.filter(({ id, path }) => isFixture(id) && homes.get(id) !== path);
      expectNone(astray.map(({ at, id, path }) => `${at}: ${id} is not in ${path} but in ${homes.get(id)}`));
      expect(linked.filter(({ id }) => homes.has(id))).toHaveLength(named.length); // each of them is a link
    }
  });

  it('bugs', () => {
    const named = files.flatMap((file) => codeOf(textOf(file)).filter(isBug));
    expectNone(named.filter((code) => !bugs.some(({ id }) => id === code)).map((code) => `there is no bug ${code}`));
  });

  it('functions, exported by the file that they are linked to', async () => {
    const wrong: string[] = [];
    for (const link of links) {
      const { at, name } = link;
      const path = pathOf(link);
      const exported = /^`(\w+)`$/.exec(name)?.[1];
      if (!path.startsWith('src/')) continue;
      if (exported === undefined) {
        if (name !== path) wrong.push(`${at}: [${name}] leads to ${path}, expected its path or an export in backticks`);
        continue;
      }
      if (!existsSync(fileOf(link))) continue; // said above
      const module: object = await import(/* @vite-ignore */ pathToFileURL(fileOf(link)).href);
      if (!(exported in module)) wrong.push(`${at}: ${path} does not export ${exported}`);
    }
    expectNone(wrong);
  });

  it('sentences, as they stand in the spec that they are linked to', () => {
    const specs = links.filter(({ to }) => to.endsWith('.spec.ts'));
    expect(specs.length).toBeGreaterThan(100);
    const wrong = specs.filter(
      (link) => link.name !== basename(link.to) && !readFileSync(fileOf(link), 'utf8').includes(link.name),
    );
    expectNone(wrong.map((link) => `${link.at}: ${pathOf(link)} does not say "${link.name}"`));
  });
});
