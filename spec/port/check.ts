import fc from 'fast-check';
import { implementations, type LayerName } from '../../src/layers.ts';
import { zeros, type Tensor } from '../../src/tensor.ts';
import { allowed, expectSameBits, expectTensor, type Compare } from '../close.ts';
import { answer, diagnose, sameAnswer, sentenceOf, type Answer, type Diagnosis } from '../diagnose.ts';
import { expectOutput, type Specification } from '../every-layer.ts';
import { compareOf, goldenFile } from '../golden.ts';
import { layerOf, type Call, type Case, type Layer } from '../law.ts';
import { specifications } from '../specify.ts';
import { acceptedBy, otherDefinitions, type Framework, type OtherDefinition } from '../policies.ts';
import { explain } from '../uphold.ts';
import { directions, PortError, type Direction, type Failure } from './protocol.ts';

/** What a port is asked, of every layer and direction. */
export const kinds = ['fixtures', 'random', 'invalid'] as const;
export type Kind = (typeof kinds)[number];

/** How many cases ended in which way; `otherwise`: as another framework defines it; `unanswered`: it ended, said nothing in time, or what it said was no answer. */
export type Counts = Record<'passed' | 'failed' | 'otherwise' | 'skipped' | 'unanswered', number>;

/** Who is judged: a foreign program, or functions of this one. */
export interface Judgeable {
  readonly name: string;
  /** The unit roundoff of its numbers. */
  readonly u: number;
  readonly has: (layer: LayerName, direction: Direction) => boolean;
  readonly layer: (name: LayerName) => Layer;
}

/** What became of a layer, in one direction. */
export interface Verdict {
  readonly layer: LayerName;
  readonly direction: Direction;
  readonly counts: Readonly<Record<Kind, Counts>>;
  /** The reasons of skips, each once. */
  readonly skips: readonly string[];
  /** The policies of other frameworks that answer alike, by the id of a policy or of a call that must be an error: whose they are. */
  readonly policies: Readonly<Record<string, readonly Framework[]>>;
  /** The ids of the cases that did not pass, with what was said of each. */
  readonly failures: readonly { readonly id: string; readonly message: string }[];
  /** What was wrong, at its smallest, and the known bug by its name; or undefined if nothing was. */
  readonly report?: string;
  /** The smallest case found, where one was looked for. */
  readonly smallest?: Call | Case;
  /** The known bugs that answer alike: on other calls too, or on the smallest case alone. */
  readonly known?: Diagnosis;
  /** Whether something that was said is no answer at all. */
  readonly broken: boolean;
  /** Why the rest was not asked. */
  readonly gaveUp?: string;
}

export interface CheckOptions {
  readonly layers: readonly LayerName[];
  readonly kinds: readonly Kind[];
  /** The framework whose choices count as right. */
  readonly policy?: Framework;
  /** Of the random cases, for each layer. */
  readonly cases: number;
  readonly seed: number;
  /** Whether a case is asked, by its id. */
  readonly asked: (id: string) => boolean;
  /** Told of every case, before it is asked. */
  readonly progress: (layer: LayerName, share: number, id: string) => void;
}

/** The simplest layers first, so that what is asked early is what is understood easily. */
export const layerOrder: readonly LayerName[] = [
  ...(['relu', 'leakyRelu', 'flatten', 'linear', 'globalAvgPool2d', 'maxPool2d', 'avgPool2d', 'conv2d'] as const),
  ...(['groupedConv2d', 'dropout', 'sigmoid', 'tanh', 'softmax', 'logSoftmax', 'meanSquaredError'] as const),
  ...(['softmaxCrossEntropy', 'batchNormInference', 'batchNorm'] as const),
];

/** After so many cases without an answer the rest of a layer is not asked. */
const PATIENCE: Readonly<Record<Exclude<Failure, 'skip' | 'refused'>, number>> = { crashed: 5, broken: 5, hung: 2 };

/** Of so many random cases another call of the same shapes is asked, and at the end they themselves once more. */
const AGAIN = 10;

/** A definition of another, by the ids of its policies or of the call that it answers. */
type Policy = Pick<OtherDefinition, 'ids' | 'of'>;

/** What is told first: a wrong number before a call that should be an error, and what nobody defines so before a policy. */
const rank = ({ question, policy }: { readonly question: Question; readonly policy?: Policy }) =>
  (question.kind === 'invalid' ? 2 : 0) + (policy ? 1 : 0);

/** Something a port is asked, with what makes an answer right. */
interface Question {
  readonly id: string;
  readonly title?: string;
  readonly kind: Kind;
  readonly call: Call | Case;
  /** How near it has to come, if not as the layer's laws say. */
  readonly compare?: Compare;
  /** @throws Error if the answer is wrong */
  readonly expect: (given: Answer) => void;
}

/** The verdicts on a port, one after the other: of each layer and direction that it claims. */
export async function* check(port: Judgeable, options: CheckOptions): AsyncGenerator<Verdict> {
  for (const layer of options.layers) {
    const claimed = directions.filter((direction) => port.has(layer, direction));
    if (claimed.length > 0) await import(`../${layer}.spec.ts`);
    for (const direction of claimed) yield await judge(port, layer, direction, options);
  }
}

async function judge(port: Judgeable, name: LayerName, direction: Direction, options: CheckOptions): Promise<Verdict> {
  const specification = specifications.get(name)!;
  const layer = port.layer(name);
  const none = (): Counts => ({ passed: 0, failed: 0, otherwise: 0, skipped: 0, unanswered: 0 });
  const counts = { fixtures: none(), random: none(), invalid: none() };
  const skips = new Set<string>();
  const policies: Record<string, readonly Framework[]> = {};
  const failures: { id: string; message: string }[] = [];
  const left = { ...PATIENCE };
  let wrong: { question: Question; given: Answer; error: Error; policy?: Policy } | undefined;
  let broken = false;
  let gaveUp: string | undefined;

  const most = goldenFile(`${name}.json`).cases.length + options.cases + 2 * AGAIN; // questions
  let asked = 0;
  for (const question of questionsOf(name, direction, port, specification, options)) {
    if (!options.kinds.includes(question.kind) || !options.asked(question.id)) continue;
    options.progress(name, Math.min(1, asked++ / most), question.id);
    const given = answer(layer, direction, question.call);
    const failure = failureOf(given);
    const count = counts[question.kind];
    if (failure === 'skip') {
      skips.add((given.outputs as Error).message);
      count.skipped++;
      continue;
    }
    try {
      question.expect(given);
      count.passed++;
      continue;
    } catch (error) {
      const policy = await policyOf(question, given);
      for (const id of policy?.ids ?? []) policies[id] = policy!.of;
      if (options.policy && policy?.of.includes(options.policy)) {
        count.passed++;
        continue;
      }
      failures.push({ id: question.id, message: (error as Error).message });
      const found = { question, given, error: error as Error, ...(policy && { policy }) };
      if (!wrong || rank(found) < rank(wrong)) wrong = found;
      if (policy) count.otherwise++;
      else if (failure === undefined || failure === 'refused') count.failed++;
    }
    if (failure === undefined || failure === 'refused') continue;
    count.unanswered++;
    broken ||= failure === 'broken';
    if (--left[failure] > 0) continue;
    gaveUp = `${PATIENCE[failure]} cases ${failure === 'broken' ? 'had an answer that is none' : failure}: the rest of ${name} ${direction} was not asked`;
    break;
  }
  return {
    ...{ layer: name, direction, counts, skips: [...skips], policies, failures, broken },
    ...(gaveUp !== undefined && { gaveUp }),
    ...(wrong && (await reportOf(wrong))),
  };

  /** Who defines a layer so that this answer is right. */
  async function policyOf(
    { id, kind, call, compare = specification.precision.compare }: Question,
    given: Answer,
  ): Promise<Policy | undefined> {
    // Who does not answer, or not twice the same, does not mean to.
    if (![undefined, 'refused'].includes(failureOf(given)) || id.endsWith('/random-again')) return undefined;
    if (kind === 'invalid') {
      const of = given.outputs instanceof Error ? [] : acceptedBy(id);
      return of.length > 0 ? { ids: [id], of } : undefined;
    }
    const right = answer(layerOf(implementations.naive, name), direction, call);
    const found = (await otherDefinitions(name)).filter((other) => {
      const theirs = answer(other.layer, direction, call);
      const differs = !sameAnswer(theirs, right, 'bits', 0); // where they do not, the policy is no reason
      return differs && sameAnswer(given, theirs, other.compare?.(call) ?? compare, port.u);
    });
    return found.find(({ of }) => options.policy && of.includes(options.policy)) ?? found[0];
  }

  async function reportOf({
    question,
    given,
    error,
    policy,
  }: NonNullable<typeof wrong>): Promise<Pick<Verdict, 'report' | 'smallest' | 'known'>> {
    const { id, title, call, kind, compare: ownCompare } = question;
    const who = `${name} ${direction} > ${id}${title ? `: ${title}` : ''}`;
    const whose = policy
      ? [
          `That is wrong here; it is the policy of ${policy.of.join(' and ')}, and --policy takes it for right: ${policy.ids.join(', ')}`,
        ]
      : [];
    const again = `Again: --replay ${id}${kind === 'random' ? ` --seed ${options.seed}` : ''}`;
    const { compare } = specification.precision;
    const judged = { name, implementation: port.name, layer, compare, cases: specification.cases };
    /** What is said of a case that is not made smaller. */
    const asItIs = async () => {
      const known = await diagnose([given], judged, ownCompare ?? compare);
      const sentences = [error.message, ...(known ? [sentenceOf(known)] : [])];
      return { report: [who, ...sentences, ...whose, again].join('\n\n'), ...(known && { known }) };
    };
    if (kind === 'invalid') return asItIs();
    const definition = layerOf(implementations.naive, name);
    const right = answer(definition, direction, call);
    const wrongByDefinition = () => {
      try {
        expectAnswer(given, right, allowed(compare, layer.u));
        return false;
      } catch {
        return true;
      }
    };
    if (!wrongByDefinition()) return asItIs(); // what the fixture allows is less than the laws do
    const failure = failureOf(given);
    const was = failure === undefined || failure === 'refused' ? error.message : `${port.name} ${error.message}`;
    if (failure === 'hung') return { report: [who, was, again].join('\n\n') }; // nobody waits for it again
    const { sentences, small, known } = await explain(judged, given);
    if (sameAnswer(small, answer(definition, direction, small.call), compare, layer.u)) {
      const now =
        'Asked again, it is answered as it should be: what was asked before makes the difference, or chance does';
      return { report: [who, was, now, again].join('\n\n') };
    }
    return { report: [who, ...sentences, ...whose, again].join('\n\n'), smallest: small.call, ...(known && { known }) };
  }
}

const failureOf = ({ outputs }: Answer) => (outputs instanceof PortError ? outputs.failure : undefined);

function* questionsOf(
  name: LayerName,
  direction: Direction,
  port: Judgeable,
  { cases, precision }: Specification,
  { cases: count, seed }: CheckOptions,
): Generator<Question> {
  const golden = goldenFile(`${name}.json`).cases;
  for (const each of golden)
    if (!('error' in each) && (each.float64 === undefined || port.u === 2 ** -53)) {
      const names = direction === 'forward' ? ['y'] : Object.keys(each.gradients);
      yield {
        id: each.id,
        title: each.title,
        kind: 'fixtures',
        call: each,
        compare: compareOf(each, names[0]),
        expect({ outputs }) {
          if (outputs instanceof Error) throw outputs;
          for (const k of names) expectOutput(each, k, outputs[k], port.u);
        },
      };
    }

  const definition = layerOf(implementations.naive, name);
  const first: Answer[] = [];
  for (const [i, call] of fc.sample(cases, { seed, numRuns: count }).entries()) {
    const like = (asked: Case) => (given: Answer) =>
      expectAnswer(given, answer(definition, direction, asked), allowed(precision.compare, port.u));
    yield {
      ...{ id: `${name}/random-${i}`, kind: 'random', call },
      expect(given) {
        first.push(given);
        like(call)(given);
      },
    };
    if (i < AGAIN) {
      const turned = turnedRound(call);
      const title = 'another call of the same shapes, right after';
      yield { id: `${name}/random-${i}-turned`, title, kind: 'random', call: turned, expect: like(turned) };
    }
  }
  for (const { call, outputs: before } of first.slice(0, AGAIN).reverse())
    yield {
      ...{ id: `${name}/random-again`, title: 'the same call gives the same bits', kind: 'random', call },
      expect({ outputs }) {
        if (outputs instanceof Error) throw outputs;
        if (!(before instanceof Error)) for (const [k, y] of Object.entries(outputs)) expectSameBits(k, y, before[k]);
      },
    };

  const bad = golden.flatMap((each) => ('error' in each ? [[each.id, each, each.error] as const] : []));
  for (const [id, call, message] of bad)
    yield {
      ...{ id, title: message, kind: 'invalid', call: direction === 'forward' ? call : { ...call, dy: zeros([]) } },
      expect({ outputs }) {
        if (!(outputs instanceof Error)) throw new Error(`it is answered, expected an error: ${message}`);
        if (outputs instanceof PortError) throw outputs;
      },
    };
}

/** A call of the same shapes: all numbers the other way round. */
function turnedRound({ inputs, constants, options, dy }: Case): Case {
  const turned = ({ shape, data }: Tensor) => ({ shape, data: data.toReversed() });
  const all = (tensors: Case['inputs']) =>
    Object.fromEntries(Object.entries(tensors).map(([k, tensor]) => [k, turned(tensor)]));
  return { inputs: all(inputs), ...(constants && { constants: all(constants) }), options, dy: turned(dy) };
}

function expectAnswer({ outputs }: Answer, { outputs: right }: Answer, within: ReturnType<typeof allowed>): void {
  if (outputs instanceof Error) throw outputs;
  if (right instanceof Error) throw right;
  for (const [k, want] of Object.entries(right)) expectTensor(k, outputs[k], want, within);
}
