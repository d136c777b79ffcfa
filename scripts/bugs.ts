import { bugs } from '../spec/bugs/index.ts';
import { killingFixture, killingLaws } from '../spec/bugs/judge.ts';
import { commandLine, script } from './script.ts';

const SEEDS = [1, 2, 3, 4, 5];

const help = `Plants every known bug, one at a time, and says what notices it.

  npm run bugs                  the whole catalogue, some minutes
  npm run bugs -- conv2d        only bugs whose id contains conv2d
  npm run bugs -- --json        { "bugs": [{ id, subject, equivalent, fixtures, laws, gradient, twin }] }

fixtures: the smallest one that fails. laws: one that fails under each of the seeds ${SEEDS.join(', ')}, the twin law and the
fixtures left out. Of layers also, gradient: whether differences of the wrong forward give the wrong backward away. twin: whether
comparison with the definition does. Exit code 1 if a bug that is not equivalent survives the fixtures, or the laws.
`;

await script('bugs', async () => {
  const { values, positionals } = commandLine({
    options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  const chosen = bugs.filter(({ id }) => positionals.length === 0 || positionals.some((part) => id.includes(part)));
  if (chosen.length === 0)
    throw new RangeError(
      `no bug has an id with ${positionals.join(' or ')}, expected one of ${bugs.map(({ id }) => id).join(', ')}`,
    );
  const results = [];
  for (const bug of chosen) {
    const { id, subject, equivalent = null } = bug;
    const fixtures = await killingFixture(bug);
    const verdict = await killingLaws(bug, SEEDS);
    results.push({ id, subject, equivalent, fixtures, ...verdict });
    if (equivalent === null && (fixtures === null || verdict.laws === null)) process.exitCode = 1;
    if (values.json) continue;
    const say = (killer: string | null) => (killer === null ? (equivalent ? 'equivalent' : 'SURVIVES') : killer);
    process.stdout.write(
      `${id.padEnd(34)} ${say(fixtures).padEnd(36)} ${verdict.gradient ? 'gradient' : '        '} ${verdict.twin ? 'twin' : '    '}  ${say(verdict.laws)}\n`,
    );
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ bugs: results }, null, 2)}\n`);
});
