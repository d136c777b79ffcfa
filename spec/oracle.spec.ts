import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { implementations, type LayerName } from '../src/layers.ts';
import { bugsOf, type Bug } from './bugs/bug.ts';
import { bugs } from './bugs/index.ts';
import type { Law, Layer } from './law.ts';
import { plant } from './plant.ts';
import { withOracle, type Load, type OracleEdit } from './plantOracle.ts';

/** Bugs that are in no catalogue, because no fixture is about what they break. */
const others = [
  ...bugsOf('leakyRelu', 'naive/leakyRelu.ts', {
    'plus-zero': ['leakyRelu', 'negativeSlope * value', 'negativeSlope * value + 0', '−0 becomes 0', []],
    'any-slope': ['leakyReluShape', 'negativeSlope, 0)', 'negativeSlope, -Infinity)', 'no slope is an error', []],
    'other-words': ['leakyReluShape', "'leakyRelu: negativeSlope'", "'leakyRelu: slope'", 'errors say slope', []],
  }),
  ...bugsOf('flatten', 'naive/flatten.ts', {
    'x-overwritten': [
      'flatten',
      'x.data.slice()',
      '(x.data.forEach((value, i) => (x.data[i] = value || -0)), x.data.slice())',
      'a 0 in x becomes −0',
      [],
    ],
    'x-lent': ['flatten', 'x.data.slice()', 'x.data', 'y shares the memory of x', []],
    'zeros-turn': [
      'flatten',
      'x.data.slice()',
      'x.data.map((value) => value || (flatten.turn = -(flatten.turn ?? 1)) * 0)',
      'every other zero is −0, counted from call to call',
      [],
    ],
  }),
  ...bugsOf('sgd', 'optimizer.ts', {
    'velocity-without-momentum': [
      'sgdRule',
      "momentum === 0 ? [] : ['velocity']",
      "['velocity']",
      'more is remembered',
      [],
    ],
  }),
  ...bugsOf('relu', 'naive/relu.ts', {
    'minus-zero': ['relu', 'Math.max(0, value)', '(value <= 0 ? -0 : value)', 'what is not positive becomes −0', []],
  }),
];

const edit = (file: string, find: string, put: string): OracleEdit => ({ file, find, put });
const nothing = (file: string, find: string) => edit(file, find, '');

/** Of the table of `npm run bugs`; or the fixtures among the laws; or the tests that the laws become. */
type Column = 'fixtures' | 'laws' | 'gradient' | 'twin' | 'golden' | 'tests';

/**
 * Bugs of the oracle, each with what gives it away: a known bug that it does not kill any more, in one column; or a layer
 * whose definition breaks a law.
 */
const blindSpots: Record<
  string,
  readonly [edits: readonly OracleEdit[], noticed: `${string}.${string}` | LayerName, column?: Column]
> = {
  // arbitraries
  'dy is all ones': [
    [
      edit(
        'arbitraries.ts',
        'dy: eighths([N, O]),',
        'dy: eighths([N, O]).map((dy) => ({ ...dy, data: dy.data.fill(1) })),',
      ),
    ],
    'linear.dy-first-row',
    'laws',
  ],
  'every number is 0': [[edit('arbitraries.ts', 'k / 8 + 0', '0')], 'linear.no-bias', 'laws'],
  'all axes are of one size': [
    [
      edit(
        'arbitraries.ts',
        'fc.shuffledSubarray(choices, { minLength: count, maxLength: count })',
        'fc.constant(Array<number>(count).fill(Math.min(...choices)))',
      ),
      edit(
        'arbitraries.ts',
        'fc.array(fc.constantFrom(...choices), { minLength: count, maxLength: count })',
        'fc.constant(Array<number>(count).fill(Math.min(...choices)))',
      ),
    ],
    'globalAvgPool2d.divided-by-square',
    'laws',
  ],
  'nothing is NaN, infinite or −0': [
    [edit('arbitraries.ts', 'NaN, Infinity, -Infinity, 0, -0, 1, -1', '1')],
    'leakyRelu.nan-leaks',
    'laws',
  ],

  // law
  'laws are not tried': [[edit('law.ts', 'numRuns = 100', 'numRuns = 0')], 'leakyRelu.nan-dropped', 'laws'],
  'a broken law is passed over': [
    [edit('uphold.ts', 'if (!run.failed) return undefined;', 'return undefined;')],
    'flatten.dx-zero',
    'tests',
  ],
  'options are dropped': [[edit('law.ts', '    options,\n  ];', '    {},\n  ];')], 'leakyRelu'],
  'constants are dropped': [[nothing('law.ts', '    ...Object.values(constants),\n')], 'dropout'],
  'inputs are dropped but for the first': [
    [edit('law.ts', '...Object.values(inputs),', '...Object.values(inputs).slice(0, 1),')],
    'linear',
  ],
  'a change of options changes nothing': [
    [edit('law.ts', 'options: { ...call.options, ...options }', 'options: call.options')],
    'leakyRelu',
  ],
  'a change of inputs changes nothing': [
    [edit('law.ts', 'inputs: { ...call.inputs, ...inputs }', 'inputs: call.inputs')],
    'relu',
  ],

  // close
  'a tolerance of 0.15': [
    [edit('close.ts', '<= tolerance(b, i))', '<= tolerance(b, i) + 0.15)')],
    'tanh.float32',
    'fixtures',
  ],
  'a bound without n': [
    [edit('close.ts', '(n + 1) * u) / (1 - (n + 1) * u)', '2 ** 40 * u) / (1 - (n + 1) * u)')],
    'softmax.float32',
    'twin',
  ],
  'a bound without S': [
    [edit('close.ts', "typeof S === 'number' ? S : S.data[i]", 'Infinity')],
    'softmax.float32',
    'twin',
  ],
  'an ulp that is the same for every number': [
    [edit('close.ts', '* 2 ** exponent', '')],
    'sigmoid.flushed',
    'fixtures',
  ],
  'NaN is near everything': [
    [edit('close.ts', 'Number.isNaN(a) && Number.isNaN(b)', 'Number.isNaN(a)')],
    'softmax.no-shift',
    'fixtures',
  ],
  'everything is near NaN': [
    [edit('close.ts', 'Number.isNaN(a) && Number.isNaN(b)', 'Number.isNaN(b)')],
    'globalAvgPool2d.nan-left-out',
    'fixtures',
  ],
  'shapes are not compared': [[nothing('close.ts', 'shapes[0] !== shapes[1] || ')], 'flatten.dx-flat', 'fixtures'],
  'only the first tensor is compared': [
    [
      edit(
        'close.ts',
        'of Object.entries(expected)) expectTensor',
        'of Object.entries(expected).slice(0, 1)) expectTensor',
      ),
    ],
    'linear.db-mean',
    'gradient',
  ],
  '−0 has the bits of 0': [
    [edit('close.ts', 'expected, Object.is,', 'expected, (a, b) => a === b || Number.isNaN(a + b),')],
    'leakyRelu.plus-zero',
    'laws',
  ],

  // gradcheck
  'slopes to one side': [
    [edit('gradcheck.ts', 'nudged(-h)', 'nudged(0)'), edit('gradcheck.ts', '/ (2 * h)', '/ h')],
    'softmax',
  ],
  'slopes without h': [[edit('gradcheck.ts', '/ (2 * h)', '')], 'softmax'],
  'slopes of the sum of y': [[edit('gradcheck.ts', 'sum + value * rise(at)', 'sum + rise(at)')], 'softmax'],

  // every-layer
  'a twin is compared with itself': [
    [edit('every-layer.ts', 'outputs(definition, call), allowed', 'outputs(layer, call), allowed')],
    'tanh.float32',
    'twin',
  ],
  'gradients are compared with themselves': [
    [edit('every-layer.ts', 'slopes(definition, call, h), (want', 'backward(call), (want')],
    'softmax.dx-diagonal',
    'gradient',
  ],
  'whether arguments are written to is not asked': [
    [nothing('every-layer.ts', 'assert.deepEqual(structuredClone(call), before);')],
    'flatten.x-overwritten',
    'laws',
  ],
  'whether memory is shared is not asked': [
    [
      nothing(
        'every-layer.ts',
        'assert.equal(owners.length, 1, `${k} shares memory with an argument or another result`);',
      ),
    ],
    'flatten.x-lent',
    'laws',
  ],
  'whether the bits are the same again is not asked': [
    [edit('every-layer.ts', 'expectSameBits(k, again, first[k])', 'expectSameBits(k, again, again)')],
    'flatten.zeros-turn',
    'laws',
  ],
  'no call is asked to be an error': [
    [edit('every-layer.ts', '...rejects.map(', '...rejects.slice(0, 0).map(')],
    'leakyRelu.any-slope',
    'laws',
  ],
  'messages of errors are not compared': [
    [
      edit('every-layer.ts', '() => forward(call), new RangeError(message)', '() => forward(call), RangeError'),
      edit('every-layer.ts', 'dy: zeros([]) }), new RangeError(message)', 'dy: zeros([]) }), RangeError'),
    ],
    'leakyRelu.other-words',
    'laws',
  ],
  'the fixtures are no laws': [
    [edit('every-layer.ts', '.json`).cases.flatMap(', '.json`).cases.slice(0, 0).flatMap(')],
    'relu.absolute',
    'golden',
  ],
  'the gradients of fixtures are not compared': [
    [edit('every-layer.ts', 'of Object.keys(golden.gradients)) expect', 'of []) expect')],
    'relu.dy-passes',
    'fixtures',
  ],
  'the sign of zero never counts': [
    [edit('every-layer.ts', 'if (golden.signedZeros)', 'if (false)')],
    'relu.minus-zero',
    'fixtures',
  ],

  // golden
  'there are no cases': [
    [edit('golden.ts', '(_, value) => {', "(key, value) => {\n    if (key === 'cases') return [];")],
    'relu.absolute',
    'fixtures',
  ],
  'special cases are skipped': [
    [
      edit(
        'golden.ts',
        '(_, value) => {',
        "(key, value) => {\n    if (key === 'cases') return value.filter(({ tier }) => tier !== 'special');",
      ),
    ],
    'relu.nan-dropped',
    'fixtures',
  ],
  'numbers that are words count as 0': [
    [
      edit(
        'golden.ts',
        'Float64Array.from(value.data, Number)',
        'Float64Array.from(value.data, (v) => Number(v) || 0)',
      ),
    ],
    'leakyRelu',
  ],
  'every fixture allows 15 %': [
    [
      edit(
        'golden.ts',
        "return compare === 'exact' ||",
        "return { mode: 'relative', rtol: 0.15, atol: 0.15, reason: '' };\n  return compare === 'exact' ||",
      ),
    ],
    'linear.float32-sum',
    'fixtures',
  ],

  // traces
  'steps of optimizers are not compared': [
    [nothing('traces.ts', 'expectTensors(parameters, rows(golden.after, t), within);')],
    'sgd.nesterov-ignored',
    'fixtures',
  ],
  'what optimizers remember is not compared': [
    [nothing('traces.ts', 'expectTensors(state.moments, golden.state, within);')],
    'sgd.velocity-without-momentum',
    'fixtures',
  ],
  'of running statistics only the mean is compared': [
    [edit('traces.ts', "['mean', 'variance'] as const", "['mean'] as const")],
    'batchStatistics.variance-never-updated',
    'fixtures',
  ],
  'the gradients of networks are not compared': [
    [nothing('traces.ts', 'expectTensors(Object.fromEntries(named), golden.gradients, within);')],
    'network.shortcut-learns-nothing',
    'fixtures',
  ],
};

const breaks = ({ property, numRuns }: Law, layer: Layer) =>
  fc.check(property(layer), { seed: 1, numRuns, endOnFailure: true }).failed;

/** All laws of a layer, the fixtures among them and last. */
const lawsOf = async (load: Load, name: LayerName) => (await load<{ laws: readonly Law[] }>(`${name}.spec.ts`)).laws;

/** Whether the oracle kills the bug, in one column. */
async function kills(load: Load, bug: Bug, column: Column): Promise<boolean> {
  const { killingFixtures, killingLaws, powerOf } = await load<typeof import('./bugs/judge.ts')>('bugs/judge.ts');
  if (column === 'fixtures') return (await killingFixtures(bug)).length > 0;
  if (column === 'laws') return (await powerOf(bug, [1])).share === 1;
  if (column === 'gradient' || column === 'twin') return (await killingLaws(bug, [1]))[column];
  const { layerOf } = await load<typeof import('./law.ts')>('law.ts');
  const { uphold } = await load<typeof import('./uphold.ts')>('uphold.ts');
  const { specifications } = await load<typeof import('./specify.ts')>('specify.ts');
  const name = bug.subject as LayerName;
  const laws = await lawsOf(load, name);
  const layer = layerOf(await plant([bug], bug.file), name);
  if (column === 'golden') return laws.some((law) => law.leansOn === 'golden' && breaks(law, layer));
  const { cases, precision } = specifications.get(name)!;
  for (const law of laws)
    try {
      await uphold(law, { name, implementation: 'planted', layer, cases, ...precision });
    } catch {
      return true;
    }
  return false;
}

/** Whether the definition of a layer keeps all its laws. */
async function holds(load: Load, name: LayerName): Promise<boolean> {
  const { layerOf } = await load<typeof import('./law.ts')>('law.ts');
  const layer = layerOf(implementations.naive, name);
  return !(await lawsOf(load, name)).toReversed().some((law) => breaks(law, layer));
}

describe('a bug of the oracle is noticed', () => {
  const rows = Object.entries(blindSpots).map(([what, [edits, noticed, column]]) => {
    const bug = [...bugs, ...others].find(({ id }) => id === noticed);
    /** Whether the oracle does its work: kills the known bug, or lets the definition pass. */
    const works = (load: Load) => (bug ? kills(load, bug, column!) : holds(load, noticed as LayerName));
    return { what, edits, bug, column, works };
  });

  it('that kills it, or lets the definition pass, as it is', async () => {
    await withOracle([], async (load) => {
      // that definitions pass is tested by the specs of the layers, that fixtures kill all known bugs by bugs.spec.ts
      const asked = rows.filter(({ bug, column }) => bug && !(column === 'fixtures' && bugs.includes(bug)));
      for (const { what, works } of asked) expect(await works(load), what).toBe(true);
    });
  });

  it.each(rows)('$what', async ({ edits, works }) => {
    expect(await withOracle(edits, works)).toBe(false);
  });
});

it('no test is skipped but for want of a tool, which it says, and none runs alone', () => {
  const folder = new URL('./', import.meta.url);
  const specs = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && file !== 'needing.ts',
  );
  const words = /\b(it|test|describe)\.(skip|todo|only|skipIf|runIf|fails)\b/;
  expect(specs.filter((file) => words.test(readFileSync(new URL(file, folder), 'utf8')))).toEqual([]);
});
