import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { scores, suites } from './bugs/suites.ts';

const readme = readFileSync(new URL('bugs/README.md', import.meta.url), 'utf8');
/** The table of public suites, row by row. */
const rows = readme.split('\n').flatMap((line) => {
  const cells = line.split('|').map((cell) => cell.trim());
  return cells.length === 7 && /^\d+$/.test(cells[5]) ? [cells.slice(1, 6)] : [];
});

it('spec/bugs/README.md has a row for every public suite, with as many cases', () => {
  for (const { layer, name, cases } of suites)
    expect(
      rows.filter(([ofLayer, suite]) => ofLayer === layer && suite === name).map((row) => row[2]),
      `${layer}: ${name}`,
    ).toEqual([`${cases.length}`]);
});

it('and the numbers there are those of groupedConv2d', async () => {
  const chosen = suites.filter(({ layer }) => layer === 'groupedConv2d');
  const measured = Object.entries(await scores('groupedConv2d', chosen)).map(([suite, { cases, asked, survivors }]) =>
    ['groupedConv2d', suite, cases, asked, survivors.length].map(String),
  );
  expect(rows.filter(([layer]) => layer === 'groupedConv2d')).toEqual(measured);
});
