import fc from 'fast-check';
import { implementations, type LayerName } from '../src/layers.ts';
import { expectGolden, lawsOfEveryLayer } from '../spec/every-layer.ts';
import { answeredCases } from '../spec/golden.ts';
import { arithmetic, manners } from '../spec/honest/arithmetic.ts';
import { falseAlarms, type Alarms } from '../spec/honest/falseAlarms.ts';
import { honest, refusing } from '../spec/honest/layers.ts';
import { layerOf, type Layer } from '../spec/law.ts';
import { specifications } from '../spec/specify.ts';
import { progressBar } from './progressBar.ts';
import { commandLine, integer, script } from './script.ts';

const layerNames = Object.keys(implementations.naive).filter((name) => `${name}Backward` in implementations.naive);

const help = `Holds honest float32 implementations of every layer to the comparisons, which must not complain.

  npm run false-alarms                          100,000 random cases of every layer, and every fixture in every manner
  npm run false-alarms -- tanh                  only layers whose name contains tanh
  npm run false-alarms -- --cases 1000 --seed 7
  npm run false-alarms -- --laws --seeds 50     every law of every layer under the seeds 1 to 50: of naive, of vectorized, and
                                                of one honest float32 implementation after the other
  npm run false-alarms -- --json                { "seed", "layers": [{ layer, cases, fixtures, outputs }] }, or { "laws": […] }
  npm run false-alarms -- --help                this text

For each output: the largest |got − want| / allowed, by n for bounds, and in units in the last place for ulp.
Exit code 1 if there is a false alarm, or a law fails.
`;

await script('false-alarms', async () => {
  const { values, positionals } = commandLine({
    options: {
      cases: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      laws: { type: 'boolean', default: false },
      seeds: { type: 'string', default: '50' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return void process.stdout.write(help);
  const chosen = layerNames.filter(
    (name) => positionals.length === 0 || positionals.some((part) => name.includes(part)),
  );
  if (chosen.length === 0)
    throw new RangeError(
      `no layer has a name with ${positionals.join(' or ')}, expected one of ${layerNames.join(', ')}`,
    );
  const cases = integer('--cases', values.cases, 1);
  const seed = integer('--seed', values.seed, 0, 2 ** 31);
  const seeds = integer('--seeds', values.seeds, 1);
  const bar = progressBar(process.stderr);
  const results = [];
  for (const name of chosen as LayerName[]) {
    results.push(values.laws ? await laws(name, seeds) : alarms(name, cases, seed));
    bar.clear();
    if (!values.json) process.stdout.write(`${results.at(-1)!.text}\n`);
  }
  const report = results.map(({ text: _, ...result }) => result);
  if (values.json)
    process.stdout.write(`${JSON.stringify(values.laws ? { laws: report } : { seed, layers: report }, null, 2)}\n`);

  function alarms(name: LayerName, cases: number, seed: number) {
    const measured = falseAlarms(name, cases, seed, (done) =>
      bar.show(done / cases, name, [`${done.toLocaleString('en')} of ${cases.toLocaleString('en')} cases`]),
    );
    const fixtures = fixturesOf(name, seed);
    if (measured.first !== undefined || fixtures.failed.length > 0) process.exitCode = 1;
    return { layer: name, ...measured, fixtures, text: table(name, measured, fixtures) };
  }

  async function laws(name: LayerName, seeds: number) {
    await import(`../spec/${name}.spec.ts`);
    const specification = specifications.get(name)!;
    const all = [...specification.laws, ...lawsOfEveryLayer(name, specification)];
    const definition = layerOf(implementations.naive, name);
    const failed: string[] = [];
    const leftOut = new Set<string>();
    let runs = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const manner = manners[(seed * 7) % manners.length];
      const subjects: Record<string, Layer> = {
        naive: definition,
        vectorized: layerOf(implementations.vectorized, name),
        float32: refusing(definition, honest(name, arithmetic({ ...manner, seed }))),
      };
      for (const [subject, layer] of Object.entries(subjects))
        for (const law of all) {
          if (law.numRuns === 1 && seed > 1) continue; // of one case, the same under every seed
          if (law.float64 !== undefined && layer.u > 2 ** -53) {
            leftOut.add(`${law.sentence}: ${law.float64}`);
            continue;
          }
          runs++;
          const run = fc.check(law.property(layer), { seed, numRuns: law.numRuns });
          if (run.failed)
            failed.push(`${subject}, seed ${seed}: ${law.sentence}: ${run.errorInstance} ${JSON.stringify(manner)}`);
        }
      bar.show(seed / seeds, name, [`${seed} of ${seeds} seeds`, `${failed.length} failed`]);
    }
    if (failed.length > 0) process.exitCode = 1;
    const text = [
      `${name}: ${all.length} laws, ${runs} runs, ${failed.length} failed`,
      ...[...leftOut].map((why) => `  not asked of float32: ${why}`),
      ...failed.map((what) => `  ${what}`),
    ].join('\n');
    return { layer: name, laws: all.length, runs, leftOut: [...leftOut], failed, text };
  }
});

interface Fixtures {
  readonly runs: number;
  readonly leftOut: readonly string[];
  readonly failed: readonly string[];
}

/** Every fixture of a layer, held by an honest implementation of every manner under ten seeds. */
function fixturesOf(name: LayerName, first: number): Fixtures {
  const [leftOut, failed]: string[][] = [[], []];
  let runs = 0;
  for (const golden of answeredCases(name)) {
    if (golden.float64 !== undefined) {
      leftOut.push(`${golden.id}: ${golden.float64}`);
      continue;
    }
    for (const manner of manners)
      for (let seed = first; seed < first + 10; seed++, runs++)
        try {
          expectGolden(honest(name, arithmetic({ ...manner, seed })), golden);
        } catch (error) {
          failed.push(`${golden.id}: ${(error as Error).message} ${JSON.stringify({ ...manner, seed })}`);
        }
  }
  return { runs, leftOut, failed };
}

function table(name: string, { cases, outputs, first }: Alarms, { runs, leftOut, failed }: Fixtures): string {
  const lines = [`${name}: ${cases.toLocaleString('en')} cases`];
  for (const [output, measured] of Object.entries(outputs)) {
    const alarms = measured.reduce((total, each) => total + each.alarms, 0);
    const cells = measured.map(({ allowance, worst }) => {
      const k = Number(/^ulp (\d+)$/.exec(allowance)?.[1]);
      if (allowance === 'exact') return 'exact';
      return k
        ? `${(worst * k).toFixed(2)} of ${k} ulp`
        : `${allowance.replace('bound ', '')}: ${worst.toPrecision(2)}`;
    });
    lines.push(`  ${output.padEnd(8)} ${`${alarms} false alarms`.padEnd(16)} ${cells.join('   ')}`);
  }
  if (first !== undefined) lines.push(`  ${first}`);
  lines.push(`  fixtures ${failed.length} of ${runs} runs fail`, ...failed.slice(0, 5).map((what) => `    ${what}`));
  lines.push(...leftOut.map((why) => `    not asked of float32: ${why}`));
  return lines.join('\n');
}
