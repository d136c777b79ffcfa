import { writeFileSync } from 'node:fs';
import { implementations } from '../src/layers.ts';
import type { Bug } from '../spec/bugs/bug.ts';
import { bugs } from '../spec/bugs/index.ts';
import { bugsOfPorts, diagnosed } from '../spec/bugs/diagnosed.ts';
import { flaggedText } from '../spec/bugs/flags.ts';
import { killingFixtures, killingLaws, powerOf } from '../spec/bugs/judge.ts';
import { scores, suites } from '../spec/bugs/suites.ts';
import { goldenNames, goldenText } from '../spec/golden.ts';
import { progressBar } from './progressBar.ts';
import { commandLine, integer, script } from './script.ts';

const SEEDS = [1, 2, 3, 4, 5];
/** The share of seeds under which a bug must die. */
const LEAST = 0.99;
/** The share of bugs that must be named, and no other beside them; the numbers of the smallest case, in the median. */
const [NAMED, SMALL] = [0.95, 12];

const help = `Plants every known bug, one at a time, and says what notices it.

  npm run bugs                  the whole catalogue, some minutes
  npm run bugs -- conv2d        only bugs whose id contains conv2d
  npm run bugs -- --flags       write into golden/ which fixtures fail under which bugs; then npm run golden, for golden/c/
  npm run bugs -- --seeds 200   how reliably the laws kill, each of the seeds 1 … 200 asked: many minutes
  npm run bugs -- --diagnose    what a porter with this bug is told: is it named, how small is the case
  npm run bugs -- --suites      the cases of public test suites instead: how many bugs survive them, see spec/bugs/README.md
  npm run bugs -- --json        { "bugs": [{ id, layer, equivalent, fixtures, laws, gradient, twin }] }
  npm run bugs -- --help        this text

fixtures: the smallest one that fails. laws: one that fails under each of the seeds ${SEEDS.join(', ')}, the twin law and the
fixtures left out. Of layers also, gradient: whether differences of the wrong forward give the wrong backward away. twin: whether comparison
with the definition does. Exit code 1 if a bug that is not equivalent survives the fixtures, or the laws.

--diagnose judges a port with exactly this bug, as check-port does. Exit code 1 if fewer than ${NAMED * 100} % are named alone, or
the smallest cases have more than ${SMALL} numbers in the median.

--seeds asks the laws alone. power: the share of the seeds under which at least one law fails within its runs, and the one
that does most often, { share, law } in JSON. Exit code 1 if a share is below ${LEAST * 100} %.
`;

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

await script('bugs', async () => {
  const { values, positionals } = commandLine({
    options: {
      flags: { type: 'boolean', default: false },
      seeds: { type: 'string' },
      suites: { type: 'boolean', default: false },
      diagnose: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  if (values.flags && positionals.length > 0)
    throw new RangeError(`--flags takes the whole catalogue, expected nothing beside it, not ${positionals.join(' ')}`);
  if (values.flags) return writeFlags();
  if (values.suites) return await scoreSuites(positionals, values.json);
  const chosen = bugs.filter(({ id }) => positionals.length === 0 || positionals.some((part) => id.includes(part)));
  if (chosen.length === 0)
    throw new RangeError(
      `no bug has an id with ${positionals.join(' or ')}, expected a part of one, such as ${bugs[0].subject} or ${bugs[0].id}`,
    );
  // the specs of the others are tests, not lists of laws
  const hasLaws = ({ subject }: Bug) => `${subject}Backward` in implementations.naive;
  if (values.seeds !== undefined) {
    const seeds = Array.from({ length: integer('--seeds', values.seeds, 1) }, (_, i) => i + 1);
    const asked = chosen.filter((bug) => hasLaws(bug) && bug.equivalent === undefined);
    if (asked.length === 0) throw new RangeError('--seeds asks the laws of layers, expected a bug of a layer');
    return measurePower(asked, seeds, values.json);
  }
  if (values.diagnose) return await diagnoseAll(chosen, values.json);
  const results = [];
  const bar = progressBar(process.stderr);
  for (const [i, bug] of chosen.entries()) {
    const { id, subject: layer, equivalent = null } = bug;
    bar.show(i / chosen.length, `${i + 1} of ${chosen.length}`, [id]);
    const [fixtures = null] = await killingFixtures(bug);
    const verdict = await killingLaws(bug, SEEDS);
    bar.clear();
    results.push({ id, layer, equivalent, fixtures, ...verdict });
    if (equivalent === null && (fixtures === null || verdict.laws === null)) process.exitCode = 1;
    if (values.json) continue;
    const say = (killer: string | null) => (killer === null ? (equivalent ? 'equivalent' : 'SURVIVES') : killer);
    process.stdout.write(
      `${id.padEnd(34)} ${say(fixtures).padEnd(36)} ${verdict.gradient ? 'gradient' : '        '} ${verdict.twin ? 'twin' : '    '}  ${say(verdict.laws)}\n`,
    );
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ bugs: results }, null, 2)}\n`);
});

async function writeFlags(): Promise<void> {
  const failing = [];
  for (const [i, bug] of bugs.entries()) {
    failing.push([bug, await killingFixtures(bug)] as const);
    if ((i + 1) % 50 === 0 || i + 1 === bugs.length) console.log(`${i + 1} of ${bugs.length} bugs planted`);
  }
  for (const name of goldenNames) {
    const before = goldenText(name);
    const after = await flaggedText(before, failing);
    if (after !== before) writeFileSync(new URL(`../golden/${name}`, import.meta.url), after);
    console.log(`golden/${name}: ${after === before ? 'as it should be' : 'written'}`);
  }
}

async function measurePower(chosen: readonly Bug[], seeds: readonly number[], json: boolean): Promise<void> {
  const results = [];
  for (const [i, bug] of chosen.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1} of ${chosen.length}: ${bug.id}`);
    else if (i % 50 === 0) process.stderr.write(`bug ${i + 1} of ${chosen.length}\n`);
    results.push({ id: bug.id, layer: bug.subject, power: await powerOf(bug, seeds) });
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const weak = results.filter(({ power }) => power.share < LEAST);
  if (weak.length > 0) process.exitCode = 1;
  if (json) return void process.stdout.write(`${JSON.stringify({ seeds: seeds.length, bugs: results }, null, 2)}\n`);
  for (const { id, power } of weak)
    process.stdout.write(`${id.padEnd(34)} ${percent(power.share)} ${power.law ?? 'no law'}\n`);
  const shares = results.map(({ power }) => power.share);
  process.stdout.write(
    `${results.length} bugs, ${seeds.length} seeds: ${weak.length} below ${percent(LEAST)}, the lowest at ${percent(Math.min(...shares))}\n`,
  );
}

async function diagnoseAll(chosen: readonly Bug[], json: boolean): Promise<void> {
  const asked = chosen.filter((bug) => bugsOfPorts.includes(bug));
  if (asked.length === 0) throw new RangeError('--diagnose asks ports, expected a bug of a layer');
  const bar = progressBar(process.stderr);
  const results = [];
  for (const [i, bug] of asked.entries()) {
    bar.show(i / asked.length, `${i + 1} of ${asked.length}`, [bug.id]);
    const { named, numbers } = await diagnosed(bug);
    const alone = `${named}` === bug.id;
    results.push({ id: bug.id, alone, named, ...(numbers !== undefined && { numbers }) });
    if (alone || json) continue;
    bar.clear();
    process.stdout.write(`${bug.id.padEnd(34)} ${named.join(', ') || 'is not named'}\n`);
  }
  bar.clear();
  const share = results.filter(({ alone }) => alone).length / results.length;
  const sizes = results.flatMap(({ numbers }) => (numbers === undefined ? [] : [numbers])).sort((a, b) => a - b);
  const quantile = (q: number) => sizes[Math.min(sizes.length - 1, Math.floor(q * sizes.length))];
  if (share < NAMED || quantile(0.5) > SMALL) process.exitCode = 1;
  if (json) return void process.stdout.write(`${JSON.stringify({ bugs: results }, null, 2)}\n`);
  process.stdout.write(
    `${results.length} bugs: ${percent(share)} are named, and no other beside them. The smallest cases have ${quantile(0.5)} numbers in the ` +
      `median, ${quantile(0.9)} at the ninth decile, ${sizes.at(-1)} at most\n`,
  );
}

/** A row of a table for every suite of every layer whose name contains one of `parts`. */
async function scoreSuites(parts: readonly string[], json: boolean): Promise<void> {
  const layers = [...new Set(suites.map(({ layer }) => layer))];
  const chosen = layers.filter((layer) => parts.length === 0 || parts.some((part) => layer.includes(part)));
  if (chosen.length === 0)
    throw new RangeError(`no suite is of a layer with ${parts.join(' or ')}, expected one of ${layers.join(', ')}`);
  const bar = progressBar(process.stderr);
  const results = [];
  for (const layer of chosen) {
    const ofLayer = suites.filter((suite) => suite.layer === layer);
    const table = await scores(layer, ofLayer, (id) => bar.show(chosen.indexOf(layer) / chosen.length, layer, [id]));
    bar.clear();
    results.push({ layer, suites: table });
    if (json) continue;
    for (const [suite, { cases, asked, survivors }] of Object.entries(table))
      process.stdout.write(`| ${layer} | ${suite} | ${cases} | ${asked} | ${survivors.length} |\n`);
  }
  if (json) process.stdout.write(`${JSON.stringify({ suites: results }, null, 2)}\n`);
}
