import { Batch, exportBatch, formats } from '../spec/port/batch.ts';
import { check, kinds, layerOrder, type Counts, type Verdict } from '../spec/port/check.ts';
import { frameworks, policies } from '../spec/policies.ts';
import { checkNetworks, networkTable, type NetworkVerdict } from '../spec/port/network.ts';
import { Port } from '../spec/port/port.ts';
import { asJson } from '../spec/port/protocol.ts';
import { progressBar } from './progressBar.ts';
import { startPort } from './startPort.ts';
import { choose, commandLine, integer, positive, script, writable, writeWhole } from './script.ts';

/** How it is called: in the package it is a part of cnn-spec. */
const self = import.meta.url.endsWith('.ts') ? 'npx tsx scripts/check-port.ts' : 'npx cnn-spec check';

const help = `Judges an implementation in any language: a program that reads calls from stdin and writes answers to stdout,
one line of JSON each (golden/README.md has the protocol, scripts/ports/ has examples).

  ${self} [options] -- ./my-port arguments…

  --stage S         layers: each by itself (default); network: LeNet-5 and a
                    narrow ResNet-18 layer by layer, forward and backward, and
                    end to end, naming the first layer that is wrong
  --layer A,B,…     these layers alone (default all that the port claims, the simplest first)
  --run GLOB        cases whose id matches alone: 'conv2d/*', '*/hostile'
  --skip GLOB       not the cases whose id matches
  --kind A,B        ${kinds.join(', ')}: these kinds of cases alone (default all)
  --policy NAME     what this framework does otherwise, and means to, counts as right: ${frameworks.join(', ')}
  --cases N         random cases of each layer (default 100)
  --seed N          that they are drawn from (default 0)
  --export DIR      instead of asking, writes the inputs of all cases to a new
                    directory, for what has no stdin: a browser, a simulator, a
                    microcontroller (golden/README.md: Batch mode)
  --format F        ${formats.join(', ')}: of the files of --export (default json)
  --dtype T         float32 (default) or float64: the numbers of --export
  --compare DIR     judges the outputs that were written to such a directory
  --replay ID       one case, as a report names it
  --timeout S       seconds to wait for an answer (default 10)
  --json FILE       the verdicts, also as JSON
  --print-skips     why cases were skipped
  --help            this text

Every answer is compared with the definition: bit for bit where float32 or float64 are exact, else within a bound of the port's own type.
A wrong answer is made small, and if it is that of a known bug, the bug is named. JUnit, HTML and more: PORT='./my-port arguments…'
npx vitest run --reporter=junit asks the port all laws.

Exit code 0 if nothing failed, 1 if something did, 2 if the port breaks the protocol or an argument is wrong.
`;

async function main(): Promise<void> {
  const split = process.argv.indexOf('--');
  const { values } = commandLine({
    args: process.argv.slice(2, split < 0 ? undefined : split),
    options: {
      stage: { type: 'string', default: 'layers' },
      layer: { type: 'string' },
      run: { type: 'string' },
      skip: { type: 'string' },
      kind: { type: 'string', default: kinds.join() },
      policy: { type: 'string' },
      cases: { type: 'string', default: '100' },
      seed: { type: 'string', default: '0' },
      export: { type: 'string' },
      format: { type: 'string', default: 'json' },
      dtype: { type: 'string', default: 'float32' },
      compare: { type: 'string' },
      replay: { type: 'string' },
      timeout: { type: 'string', default: '10' },
      json: { type: 'string' },
      'print-skips': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const command = split < 0 ? [] : process.argv.slice(split + 1);
  const batchMode = values.export !== undefined || values.compare !== undefined;
  if (values.export !== undefined && values.compare !== undefined)
    throw new RangeError('--export and --compare are both there, expected one of them');
  if (batchMode && split >= 0) throw new RangeError('--export and --compare run no program, expected nothing after --');
  if (!batchMode && !command[0])
    throw new RangeError('there is no program to judge, expected it after --: -- ./my-port');
  let seed = integer('--seed', values.seed, 0, 2 ** 31 - 1);
  const drawn = Number(/\/random-(\d+)/.exec(values.replay ?? '')?.[1] ?? -1); // a case is drawn after those before it
  let count = Math.max(integer('--cases', values.cases, 0, 100_000), drawn + 1);
  const timeout = positive('--timeout', values.timeout);
  if (values.json !== undefined) writable('--json', values.json);
  const chosen = <T extends string>(option: string, names: readonly T[], text: string): T[] =>
    text.split(',').map((name) => choose<T>(option, Object.fromEntries(names.map((each) => [each, each])), name));
  const policy = values.policy === undefined ? undefined : chosen('--policy', frameworks, values.policy)[0];
  const ofKinds = chosen('--kind', kinds, values.kind);
  const [{ replay }, runs, skips] = [values, values.run && matcher(values.run), values.skip && matcher(values.skip)];
  const asked = (id: string) =>
    replay !== undefined ? isAskedFor(replay, id) : (!runs || runs.test(id)) && !(skips && skips.test(id));
  const only = values.layer ?? (replay?.includes('/') ? replay.split('/')[0] : undefined);
  const named = only === undefined ? layerOrder : chosen(values.layer ? '--layer' : '--replay', layerOrder, only);

  const stage = choose('--stage', { layers: 'layers', network: 'network' }, values.stage);
  const narrowing = (['layer', 'run', 'skip', 'replay'] as const).find((each) => values[each] !== undefined);
  if (stage === 'network' && narrowing)
    throw new RangeError(`--stage network asks whole networks, expected no --${narrowing}`);

  if (stage === 'network' && batchMode)
    throw new RangeError('--stage network asks a program, expected no --export or --compare');
  if (values.export !== undefined) {
    const format = choose('--format', Object.fromEntries(formats.map((each) => [each, each])), values.format);
    const dtype = choose('--dtype', { float32: 'float32', float64: 'float64' } as const, values.dtype);
    if (dtype === 'float64' && (format === 'c' || format === 'memh'))
      throw new RangeError(`--format ${format} has float32 numbers alone, expected no --dtype float64`);
    const batch = { format, dtype, layers: named, kinds: ofKinds, cases: count, seed, asked };
    const written = await exportBatch(values.export, batch);
    process.stdout.write(
      `${written.toLocaleString('en')} cases are in ${values.export}, described in cases.json; write the outputs beside them, then: --compare ${values.export}\n`,
    );
    return;
  }

  const batch = values.compare === undefined ? undefined : await Batch.open(values.compare);
  if (batch) ({ cases: count, seed } = batch.options);
  const port = batch ?? startPort(command, timeout);
  if (port instanceof Port && stage === 'network') return judgeNetworks(port, seed, values.json);
  const { name, language, dtype, layout, layers } = port.introduction;
  const missing = values.layer !== undefined && named.find((layer) => !(layer in layers));
  if (missing)
    throw new RangeError(`--layer ${missing}: ${name} does not claim it, only ${Object.keys(layers).join(', ')}`);
  process.stdout.write(
    `cnn-spec checks ${name} (${[language, dtype, layout].filter(Boolean).join(', ')}), ${count} random cases a layer from seed ${seed}\n\n`,
  );

  const bar = progressBar(process.stderr);
  const verdicts: Verdict[] = [];
  const options = {
    ...{ layers: named, kinds: ofKinds, cases: count, seed, ...(policy && { policy }) },
    asked: (id: string) => asked(id) && (!batch || batch.options.asked(id)),
    progress(layer: string, share: number, id: string) {
      batch?.at(id);
      bar.show(share, layer.padEnd(20), [id]);
    },
  };
  try {
    for await (const verdict of check(port, options)) {
      bar.clear();
      if (kinds.every((kind) => total(verdict.counts[kind]) === 0)) continue; // the options leave nothing of it
      verdicts.push(verdict);
      for (const text of [verdict.report, verdict.gaveUp]) if (text) process.stdout.write(`✗ ${text}\n\n`);
    }
  } finally {
    bar.clear();
    await port.close();
  }
  if (verdicts.length === 0)
    throw new RangeError(`no case was asked: ${replay ? `--replay ${replay}` : 'the options leave none'}`);
  process.stdout.write(`${matrix(verdicts)}\n${sentence(name, verdicts)}\n`);
  for (const [id, of] of Object.entries(Object.assign({}, ...verdicts.map(({ policies }) => policies))))
    process.stdout.write(`    by policy of ${(of as string[]).join(', ')}: ${id}${meansOf(id)}\n`);
  const reasons = new Set(verdicts.flatMap((verdict) => verdict.skips.map((why) => `${verdict.layer}: ${why}`)));
  if (values['print-skips']) for (const why of reasons) process.stdout.write(`    skipped ${why}\n`);
  if (values.json !== undefined)
    writeWhole(values.json, Buffer.from(`${JSON.stringify({ port: port.introduction, seed, verdicts }, asJson, 2)}\n`));
  process.exitCode = verdicts.some(({ broken }) => broken) ? 2 : verdicts.every(isGreen) ? 0 : 1;
}

async function judgeNetworks(port: Port, seed: number, json: string | undefined): Promise<void> {
  const { name, language, dtype, layout } = port.introduction;
  process.stdout.write(
    `cnn-spec checks ${name} (${[language, dtype, layout].filter(Boolean).join(', ')}), networks from seed ${seed}\n\n`,
  );
  const bar = progressBar(process.stderr);
  const progress = (model: string, share: number, layer: string) => bar.show(share, model.padEnd(20), [layer]);
  const verdicts: NetworkVerdict[] = [];
  try {
    for await (const verdict of checkNetworks(port, { seed, progress })) {
      bar.clear();
      verdicts.push(verdict);
      process.stdout.write(`${networkTable(verdict)}\n`);
    }
  } finally {
    bar.clear();
    await port.close();
  }
  if (verdicts.every(({ asked }) => asked === 0))
    throw new RangeError(`no layer was asked: ${name} claims none of these networks`);
  const wrong = verdicts.filter(({ right }) => !right).map(({ model }) => model);
  process.stdout.write(
    wrong.length > 0 ? `${name} does not do what is defined: ${wrong.join(', ')}\n` : `${name} does what is defined\n`,
  );
  if (json !== undefined)
    writeWhole(
      json,
      Buffer.from(`${JSON.stringify({ port: port.introduction, seed, networks: verdicts }, asJson, 2)}\n`),
    );
  process.exitCode = verdicts.some(({ broken }) => broken) ? 2 : wrong.length > 0 ? 1 : 0;
}

/** Whether a case is asked to ask `replay` again: itself, and what is asked before those that are asked right after it, or once more. */
const isAskedFor = (replay: string, id: string) =>
  id === replay ||
  replay === `${id}-turned` ||
  (replay.endsWith('/random-again') && id.startsWith(replay.slice(0, -5)));

/** Of '*' and '?' as shells have them, but that '*' takes slashes too. */
const matcher = (glob: string) =>
  new RegExp(
    `^${glob
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

const total = (counts: Counts) => Object.values(counts).reduce((sum, each) => sum + each, 0);

/** Nothing failed, and something passed. */
const isGreen = ({ counts }: Verdict) =>
  kinds.every((kind) => counts[kind].failed + counts[kind].otherwise + counts[kind].unanswered === 0) &&
  kinds.some((kind) => counts[kind].passed > 0);

/** A line for each layer and direction. */
function matrix(verdicts: readonly Verdict[]): string {
  const cell = (counts: Counts) => {
    const { passed, failed, otherwise, skipped, unanswered } = counts;
    if (total(counts) === 0) return '–';
    const parts = [
      failed && `${failed} wrong`,
      otherwise && `${otherwise} by policy`,
      unanswered && `${unanswered} unanswered`,
      skipped && `${skipped} skipped`,
    ];
    const rest = parts.filter(Boolean).join(', ');
    return `${failed + otherwise + unanswered > 0 ? '✗' : passed > 0 ? '✓' : ' '} ${passed}${rest && ` (${rest})`}`;
  };
  const rows = [
    ['layer', 'direction', ...kinds.map((kind) => `  ${kind}`)],
    ...verdicts.map(({ layer, direction, counts }) => [layer, direction, ...kinds.map((kind) => cell(counts[kind]))]),
  ];
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((text, i) => text.padEnd(widths[i]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** What a policy does; of a call, that it is answered. */
const meansOf = (id: string) =>
  id.includes('/') ? ' is answered, and is no error' : `, ${policies.find((policy) => policy.id === id)!.means}`;

/** 'conv2d forward (conv2d.kernel-flip)' */
const blamed = ({ layer, direction, known }: Verdict) =>
  `${layer} ${direction}${known?.everywhere ? ` (${known.bugs.map(({ id }) => id).join(' or ')})` : ''}`;

/** Whether every case was skipped. */
const onlySkipped = ({ counts }: Verdict) => kinds.every((kind) => total(counts[kind]) === counts[kind].skipped);

function sentence(name: string, verdicts: readonly Verdict[]): string {
  const sum = (key: keyof Counts) =>
    verdicts.reduce((all, { counts }) => all + kinds.reduce((some, kind) => some + counts[kind][key], 0), 0);
  const red = verdicts.filter((verdict) => !isGreen(verdict));
  const skipped = sum('skipped') > 0 ? `; ${sum('skipped')} skipped, which is no pass (--print-skips)` : '';
  if (red.length === 0)
    return `${name} does what is defined: ${sum('passed').toLocaleString('en')} cases passed${skipped}`;
  const [unasked, wrong] = [true, false].map((skips) => red.filter((verdict) => onlySkipped(verdict) === skips));
  const says = [
    ...(wrong.length > 0 ? [`${name} does not do what is defined: ${wrong.map(blamed).join(', ')}`] : []),
    ...(unasked.length > 0 ? [`nothing is shown of ${unasked.map(blamed).join(', ')}: all was skipped`] : []),
  ];
  return `${says.join('; ')}${skipped}`;
}

await script(self.replace(/^npx |tsx scripts\/|\.ts$/g, ''), main);
