import { implementations } from '../src/layers.ts';
import { bugs } from '../spec/bugs/index.ts';
import { killingFixture, killingLaws } from '../spec/bugs/judge.ts';
import { scores, suites } from '../spec/bugs/suites.ts';
import { progressBar } from './progressBar.ts';
import { commandLine, script } from './script.ts';

const SEEDS = [1, 2, 3, 4, 5];

const help = `Plants every known bug, one at a time, and says what notices it.

  npm run bugs                  the whole catalogue, some minutes
  npm run bugs -- conv2d        only bugs whose id contains conv2d
  npm run bugs -- --suites      the cases of public test suites instead: how many bugs survive them, see spec/bugs/README.md
  npm run bugs -- --json        { "bugs": [{ id, layer, equivalent, fixtures, laws, gradient, twin }] }

fixtures: the smallest one that fails. laws: one that fails under each of the seeds ${SEEDS.join(', ')}, the twin law and the
fixtures left out. gradient: whether differences of the wrong forward give the wrong backward away. twin: whether comparison
with the definition does. Exit code 1 if a bug that is not equivalent survives the fixtures, or the laws.
`;

await script('bugs', async () => {
  const { values, positionals } = commandLine({
    options: {
      json: { type: 'boolean', default: false },
      suites: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  if (values.suites) return await scoreSuites(positionals, values.json);
  const chosen = bugs.filter(({ id }) => positionals.length === 0 || positionals.some((part) => id.includes(part)));
  if (chosen.length === 0)
    throw new RangeError(
      `no bug has an id with ${positionals.join(' or ')}, expected one of ${bugs.map(({ id }) => id).join(', ')}`,
    );
  const results = [];
  for (const bug of chosen) {
    const { id, subject: layer, equivalent = null } = bug;
    const fixtures = await killingFixture(bug);
    const hasLaws = `${layer}Backward` in implementations.naive; // the specs of the others are tests, not lists of laws
    const verdict = hasLaws ? await killingLaws(bug, SEEDS) : { laws: null, gradient: false, twin: false };
    results.push({ id, layer, equivalent, fixtures, ...verdict });
    if (equivalent === null && (fixtures === null || (hasLaws && verdict.laws === null))) process.exitCode = 1;
    if (values.json) continue;
    const say = (killer: string | null, asked = true) =>
      !asked ? '–' : killer === null ? (equivalent ? 'equivalent' : 'SURVIVES') : killer;
    process.stdout.write(
      `${id.padEnd(34)} ${say(fixtures).padEnd(36)} ${verdict.gradient ? 'gradient' : '        '} ${verdict.twin ? 'twin' : '    '}  ${say(verdict.laws, hasLaws)}\n`,
    );
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ bugs: results }, null, 2)}\n`);
});

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
