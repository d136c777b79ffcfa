import fc from 'fast-check';
import { implementations, type LayerName } from '../src/layers.ts';
import { show, type Tensor } from '../src/tensor.ts';
import { arithmetic } from './arithmetic.ts';
import { allowed, expectTensors, indexOf, type Allowed, type Compare, type Mismatch } from './close.ts';
import { answer, bugsIn, diagnose, sameAnswer, sentenceOf, type Answer, type Diagnosis } from './diagnose.ts';
import { explicitOptions } from './explicitOptions.ts';
import { layerOf, type Call, type Case, type Law, type Layer } from './law.ts';
import { PortError, type Failure } from './port/protocol.ts';
import { smallest } from './smallest.ts';

/** Who is judged: a layer, as an implementation computes it, whose answers may differ as `compare` allows. */
export interface Judged {
  readonly name: LayerName;
  readonly implementation: string;
  readonly layer: Layer;
  readonly compare: Compare;
  /** Any calls of the layer: on them known bugs that answer alike are told apart. */
  readonly cases: fc.Arbitrary<Case>;
  /** The command that judges it again. Default: that of vitest. */
  readonly again?: string;
  /** Whether to say which known bug answers alike: of an exercise that is its solution. Default true. */
  readonly names?: boolean;
}

/**
 * Tries the law on numRuns random cases; or says why a foreign program was not asked them all: it does not do what one needs.
 * @throws Error that teaches: who broke which law; the smallest case found, as grids; the first wrong element; how the
 * definition computes that element; the known bug that answers alike; the command that does it again; the case as a fixture
 */
export async function uphold(law: Law, judged: Judged): Promise<{ skipped: string } | undefined> {
  const run = fc.check(law.property(judged.layer), { numRuns: law.numRuns });
  if (!run.failed) return undefined;
  const error = run.errorInstance;
  if (error instanceof PortError && error.failure === 'skip') return { skipped: error.message };
  if (fc.readConfigureGlobal()?.endOnFailure) throw run.errorInstance; // nobody reads this, as in mutation testing
  const message = await report(law, judged, run);
  throw Object.assign(new Error(message), { stack: message }); // where this line stands teaches nobody
}

async function report(law: Law, judged: Judged, run: fc.RunDetails<unknown>): Promise<string> {
  const { name, implementation, layer, compare } = judged;
  const answers: Answer[] = [];
  if (run.counterexample) law.property(recording(layer, answers)).run(run.counterexample as never);
  const definition = layerOf(implementations.naive, name);
  const isWrong = (each: Answer) => !sameAnswer(each, answer(definition, each.direction, each.call), compare, layer.u);
  const wrong = answers.find(isWrong);
  const said = run.errorInstance instanceof Error ? run.errorInstance.message : `${run.errorInstance}`;
  const title = `${name} > ${implementation} > ${law.sentence}`;
  const how = [
    `Again: ${judged.again ?? `CNN_SPEC_SEED=${run.seed} npx vitest run ${name} -t '${quoted(law.sentence)}'`}`,
    `(run ${run.numRuns} of ${law.numRuns}, ${run.numShrinks} times smaller; CNN_SPEC_PATH=${shorter(run.counterexamplePath)} leads straight there)`,
  ].join('\n');
  if (!wrong) {
    // either the definition itself is judged, or what is wrong is less than `compare` allows
    const differs = answers.some((each) => !sameAnswer(each, answer(definition, each.direction, each.call), 'bits', 0));
    const known = differs && judged.names !== false ? await diagnose(answers, judged, 'bits') : undefined;
    const fixture = law.leansOn === 'golden';
    const shown = fixture && answers.length > 0 ? [answers.at(-1)!.call].map(callOf) : run.counterexample;
    return [
      title,
      ...(shown ? [`The smallest case found:\n${describeCase(shown).trimEnd()}`] : []),
      ...(await asItStands()),
      ...(known ? [sentenceOf(known)] : []),
      how,
      ...(answers.length > 0 && !fixture && numbers(answers[0].call) <= MOST
        ? [pasteable(name, answers[0].call, run.seed)]
        : []),
    ].join('\n\n');
  }

  const { small, sentences } = await explain(judged, wrong, answers);
  return [
    title,
    ...sentences,
    `What the law said, of a case perhaps larger: ${said}`,
    how,
    pasteable(name, small.call, run.seed),
  ].join('\n\n');

  /** Where the definition itself is judged: how it computes, at present, the element that the law finds wrong. */
  async function asItStands(): Promise<string[]> {
    const known = bugsIn(name).map(({ id, means }) => `    ${id}: ${means}`);
    const bug = known.length > 0 ? [`The definition has a known bug in it:\n${known.join('\n')}`] : [];
    const mismatch = mismatchOf(run.errorInstance);
    if (!mismatch) return [said, ...bug];
    const { what, index } = mismatch;
    const from = answers.find(
      ({ outputs }) => !(outputs instanceof Error) && outputs[what]?.shape.length === index.length,
    );
    if (!from || implementation !== 'naive') return [inUlps(mismatch, layer.u), ...bug];
    return [
      `${inUlps(mismatch, layer.u)}\nAs the definition stands: ${await arithmetic(name, from.call, what, index)}`,
      ...bug,
    ];
  }
}

/** Nobody waits for thousands of programs to start again, or to say nothing. */
const TRIES: Readonly<Partial<Record<Failure, number>>> = { crashed: 100, broken: 100, hung: 0 };

/**
 * A wrong answer made small: the smallest call found that fails in the same way; and in sentences that call, the first wrong
 * element, how the definition computes it, and the known bug that answers alike, here and to the `others`.
 */
export async function explain(
  judged: Judged,
  wrong: Answer,
  others: readonly Answer[] = [],
): Promise<{ small: Answer; known: Diagnosis | undefined; sentences: readonly string[] }> {
  const { name, layer, compare } = judged;
  const definition = layerOf(implementations.naive, name);
  const right = ({ direction, call }: Answer) => answer(definition, direction, call);
  const failure = failureOf(wrong);
  const fails = (call: Call | Case) => {
    const given = answer(layer, wrong.direction, call);
    return failureOf(given) === failure && !sameAnswer(given, right(given), compare, layer.u);
  };
  const asked = wrong.direction === 'forward' ? withoutDy(wrong.call) : wrong.call;
  const least = smallest(callOf(asked), definition, fails, failure && TRIES[failure]);
  const small = answer(layer, wrong.direction, least);
  const known = judged.names === false ? undefined : await diagnose([...others, small], judged, compare);
  return {
    ...{ small, known },
    sentences: [
      `The smallest case found:\n${describeCase([small.call]).trimEnd()}`,
      await firstWrong(name, small, right(small), allowed(compare, layer.u), layer.u),
      ...(known ? [sentenceOf(known)] : []),
    ],
  };
}

const withoutDy = ({ inputs, constants, options }: Call): Call => ({
  ...{ inputs, ...(constants && { constants }), options },
});

/** Why a foreign program has no answer; undefined if it has one, or it is none. */
const failureOf = ({ outputs }: Answer): Failure | undefined =>
  outputs instanceof PortError ? outputs.failure : undefined;

/** The first wrong element of an answer, and how the definition computes it. */
export async function firstWrong(
  name: LayerName,
  { call, direction, outputs }: Answer,
  right: Answer,
  within: Allowed,
  u: number,
): Promise<string> {
  const who = direction === 'forward' ? name : `${name}Backward`;
  if (outputs instanceof Error || right.outputs instanceof Error) {
    const says = (all: Answer['outputs']) => (all instanceof Error ? `the error “${all.message}”` : 'an answer');
    return `${who} gives ${says(outputs)}, expected ${says(right.outputs)}`;
  }
  try {
    expectTensors(outputs, right.outputs, within);
  } catch (error) {
    const mismatch = mismatchOf(error);
    if (!mismatch) return (error as Error).message;
    return `${inUlps(mismatch, u)}\nBy the definition: ${await arithmetic(name, call, mismatch.what, mismatch.index)}`;
  }
  return '';
}

/** What a fixture asks, without what it expects. */
const callOf = ({ inputs, constants, options, ...others }: Call | Case) => ({
  ...{ inputs, ...(constants && { constants }), options },
  ...('dy' in others && { dy: others.dy }),
});

const MOST = 100; // numbers of a case that is printed as a fixture too: more nobody pastes

const numbers = ({ inputs }: Call) => Object.values(inputs).reduce((total, { data }) => total + data.length, 0);

/** The same layer, whose answers are written down. */
function recording(layer: Layer, answers: Answer[]): Layer {
  const record = (direction: Answer['direction'], call: Call | Case) => {
    const given = answer(layer, direction, call);
    answers.push({ ...given, call: structuredClone(call) });
    if (given.outputs instanceof Error) throw given.outputs;
    return given.outputs;
  };
  return {
    u: layer.u,
    forward: (call) => record('forward', call).y,
    backward: (call) => record('backward', call),
  };
}

const mismatchOf = (error: unknown) => (error as { mismatch?: Mismatch } | null)?.mismatch;

/** 'y[0, 1] is 3, expected 4: 1.13e+15 ulps apart, allowed: equal' */
function inUlps({ what, index, got, expected, allowed }: Mismatch, u: number): string {
  const ulp = 2 * u * 2 ** Math.max(Math.floor(Math.log2(Math.abs(expected))), u === 2 ** -53 ? -1022 : -126);
  const apart = Math.abs(got - expected);
  const ulps = Number.isFinite(apart) && expected !== 0 ? `${(apart / ulp).toPrecision(3)} ulps` : `${apart}`;
  const [was, should] = [got, expected].map((value) => (Object.is(value, -0) ? '-0' : `${value}`));
  return `${what}[${index.join(', ')}] is ${was}, expected ${should}: ${ulps} apart, allowed: ${allowed > 0 ? `${(allowed / ulp).toPrecision(3)} ulps` : 'none'}`;
}

/** For -t, which takes a regular expression, and for the shell. */
const quoted = (sentence: string) => sentence.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", `'\\''`);

/** 0:0:0:0:1 as 0x4:1; seed.ts has it the long way again. */
const shorter = (path: string | null) =>
  `${path}`.replace(/(?<=^|:)(\d+)(?::\1(?=:|$))+/g, (all, step) => `${step}x${all.split(':').length}`);

/** The call as a case of golden/<layer>.json: of tier invalid where the definition does not take it. */
function pasteable(name: LayerName, call: Call | Case, seed: number): string {
  const { inputs, constants } = call;
  const right = answer(layerOf(implementations.naive, name), 'forward', call).outputs;
  const said = { inputs, ...(constants && { constants }), options: call.options };
  const head = (tier: string) => ({ id: `${name}/seed-${seed}`, title: 'found by a law', tier });
  const json = (value: object) =>
    JSON.stringify(value, (_, part) => {
      if (part instanceof Float64Array) return [...part];
      if (typeof part !== 'number' || (Number.isFinite(part) && !Object.is(part, -0))) return part;
      return Object.is(part, -0) ? '-0' : `${part}`;
    });
  if (right instanceof Error)
    return `As a case for golden/${name}.json:\n${json({ ...head('invalid'), ...said, error: right.message })}`;
  const dy = 'dy' in call ? call.dy : counting(right.y);
  const resolved = explicitOptions(name, call);
  const left = JSON.stringify(resolved) !== JSON.stringify(call.options); // to a default, or to a short form
  const whole = { ...head(left ? 'default' : 'exact'), ...said, ...(left && { resolved }), dy, compare: 'exact' };
  return `As a case for golden/${name}.json; \`npm run golden\` fills in what is expected:\n${json(whole)}`;
}

/** 1, 2, 3, … in the place of every number. */
const counting = ({ shape, data }: Tensor): Tensor => ({ shape, data: data.map((_, i) => i + 1) });

/** Every tensor of a case as a grid, everything else as JSON. */
function describeCase(value: unknown, name = ''): string {
  if (Array.isArray(value) && value.length === 1) return describeCase(value[0], name);
  if (isTensor(value)) return `${name} (${value.shape.join(', ')})${numbersOf(name, value)}\n`;
  if (!holdsTensors(value)) return `${name} ${JSON.stringify(value)}\n`;
  return Object.entries(value as object)
    .map(([key, part]) => describeCase(part, key === 'inputs' || key === 'constants' ? name : `${name} ${key}`.trim()))
    .join('');
}

/** A grid; or, of a large tensor of zeros, what else is in it. */
function numbersOf(name: string, x: Tensor): string {
  const others = [...x.data].flatMap((value, i) =>
    value === 0 ? [] : [`${name}[${indexOf(x, i).join(', ')}] = ${value}`],
  );
  if (x.data.length <= 36 || others.length > 6) return `\n${show(x).replace(/^/gm, '    ')}`;
  return others.length === 0 ? ', all zeros' : `, zeros but for ${others.join(', ')}`;
}

const isTensor = (value: unknown): value is Tensor =>
  typeof value === 'object' && value !== null && 'data' in value && value.data instanceof Float64Array;
const holdsTensors = (value: unknown): boolean =>
  isTensor(value) || (typeof value === 'object' && value !== null && Object.values(value).some(holdsTensors));
