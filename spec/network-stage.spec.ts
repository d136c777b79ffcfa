import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { implementations, unitRoundoff, type LayerName, type Layers } from '../src/layers.ts';
import { lenet5 } from '../src/models/index.ts';
import type { Model } from '../src/network.ts';
import type { Tensor } from '../src/tensor.ts';
import { layerOf, type Layer } from './law.ts';
import type { Judgeable } from './port/check.ts';
import { checkNetworks, networks, networkTable, type NetworkVerdict } from './port/network.ts';
import { PortError } from './port/protocol.ts';

const own = (layers: Layers, u: number, more: Partial<Judgeable> = {}): Judgeable => ({
  ...{ name: 'own', u, has: () => true, layer: (name) => layerOf(layers, name, u) },
  ...more,
});

async function verdictsOf(port: Judgeable, models: readonly Model[] = networks): Promise<readonly NetworkVerdict[]> {
  const verdicts: NetworkVerdict[] = [];
  for await (const verdict of checkNetworks(port, { seed: 7, models, progress() {} })) verdicts.push(verdict);
  return verdicts;
}

const outcomes = ({ layers }: NetworkVerdict) => new Set(layers.flatMap((each) => Object.values(each.outcomes)));

it.each(['naive', 'vectorized', 'simd'] as const)('%s computes both networks, forward and backward', async (name) => {
  const verdicts = await verdictsOf(own(implementations[name], unitRoundoff[name]));
  expect(verdicts.map(({ model, layers }) => [model, layers.length])).toEqual([
    ['lenet5', 12],
    ['resnet18', 61],
  ]);
  for (const verdict of verdicts) {
    expect(verdict.endToEnd).toMatch(/^end to end its last y is within \d.\de[+-]\d+, its first dx within /);
    expect([verdict.firstWrong, verdict.right, verdict.broken]).toEqual([undefined, true, false]);
    expect(outcomes(verdict)).toEqual(new Set(['right']));
  }
});

it('a float32 port is asked about float32 numbers alone: a layer is not judged by how its input was rounded', async () => {
  const asked: Tensor[] = [];
  const { vectorized } = implementations;
  const recording = (name: LayerName): Layer => ({
    u: 2 ** -24,
    forward: (call) => (asked.push(...Object.values(call.inputs)), layerOf(vectorized, name).forward(call)),
    backward: (call) => (asked.push(call.dy, ...Object.values(call.inputs)), layerOf(vectorized, name).backward(call)),
  });
  const port = own(vectorized, 2 ** -24, { has: (name) => name === 'conv2d', layer: recording });
  const [verdict] = await verdictsOf(port, [lenet5()]);
  expect(verdict.right).toBe(true);
  const [alone, endToEnd] = [asked.slice(0, asked.length / 2), asked.slice(asked.length / 2)];
  for (const { data } of alone) expect(data).toEqual(data.map(Math.fround));
  expect(endToEnd.some(({ data }) => data.some((value) => value !== Math.fround(value)))).toBe(true); // its own numbers
});

it('what is not claimed, or skipped, is computed by the reference, and is no pass', async () => {
  const { naive } = implementations;
  const skipping: Layer = {
    ...layerOf(naive, 'linear'),
    backward() {
      throw new PortError('skip', 'no backward yet');
    },
  };
  const port = own(naive, 2 ** -53, {
    has: (layer, direction) => layer === 'linear' || (layer === 'relu' && direction === 'forward'),
    layer: (name) => (name === 'linear' ? skipping : layerOf(naive, name)),
  });
  const [verdict] = await verdictsOf(port, [lenet5()]);
  expect(verdict).toMatchObject({ right: true, skips: ['linear: no backward yet'], asked: 3 + 4 });
  const found = Object.fromEntries(verdict.layers.map(({ name, outcomes }) => [name, Object.values(outcomes)]));
  expect(found).toMatchObject({
    ...{ conv1: ['unclaimed', 'unclaimed'], act1: ['right', 'unclaimed'], fc1: ['right', 'skipped'] },
  });
  expect(networkTable(verdict)).toContain('not claimed: computed by the reference');
  expect(networkTable(verdict)).toContain('skipped: computed by the reference: linear: no backward yet');
});

it('what goes wrong only after other calls is seen end to end, where each layer by itself is right', async () => {
  let calls = 0;
  const tired = (name: LayerName): Layer => {
    const layer = layerOf(implementations.naive, name);
    const wrong = ({ shape, data }: Tensor) => ({ shape, data: data.map((value) => value * 1.001) });
    return { ...layer, forward: (call) => (++calls > 12 ? wrong(layer.forward(call)) : layer.forward(call)) };
  };
  const [verdict] = await verdictsOf(own(implementations.naive, 2 ** -53, { layer: tired }), [lenet5()]);
  expect(verdict.firstWrong).toBeUndefined();
  expect(verdict.endToEnd).toMatch(/its last y is within \d\.\de-[23],/);
  expect(verdict.right).toBe(false);
});

/** As a program of its own: outside vitest a spec file is its laws, and no tests. */
const program = `
  import { implementations } from './src/layers.ts';
  import { lenet5 } from './src/models/index.ts';
  import { bugs } from './spec/bugs/index.ts';
  import { layerOf } from './spec/law.ts';
  import { plant } from './spec/plant.ts';
  import { checkNetworks, networkTable } from './spec/port/network.ts';
  import { PortError } from './spec/port/protocol.ts';
  const u = 2 ** -24;
  const float32 = ({ shape, data }) => ({ shape, data: data.map(Math.fround) });
  const rounded = ({ forward, backward }) => ({
    u,
    forward: (call) => float32(forward(call)),
    backward: (call) => Object.fromEntries(Object.entries(backward(call)).map(([k, tensor]) => [k, float32(tensor)])),
  });
  let asked = 0;
  const said = {};
  const judge = async (key, change) => {
    const layer = (name) => change(name, rounded(layerOf(implementations.naive, name)));
    const port = { name: 'planted', u, has: () => true, layer };
    for await (const verdict of checkNetworks(port, { seed: 7, models: [lenet5()], progress() {} }))
      said[key] = { ...verdict, table: networkTable(verdict), asked };
  };
  for (const id of ['conv2d.kernel-flip-forward', 'maxPool2d.last-tie', 'linear.db-mean']) {
    const { subject } = bugs.find((bug) => bug.id === id);
    const wrong = layerOf(await plant(bugs.filter((bug) => bug.id === id), 'naive/' + subject + '.ts'), subject);
    await judge(id, (name, right) => (name === subject ? rounded(wrong) : right));
  }
  const less = (y) => ({ ...y, data: y.data.map((value, i) => (i === 300 ? value + 2 ** -8 : value)) });
  await judge('large', (name, right) => ({
    ...right,
    forward: (call) => (name === 'conv2d' && call.inputs.x.shape[2] === 14 ? less(right.forward(call)) : right.forward(call)),
  }));
  await judge('broken', (name, right) => {
    const broken = () => {
      asked++;
      throw new PortError('broken', 'wrote "hello", expected one line of JSON');
    };
    return name === 'relu' ? { u, forward: broken, backward: broken } : right;
  });
  console.log(JSON.stringify(said));`;

describe('the first wrong layer', () => {
  const { stdout, stderr } = spawnSync('npx', ['tsx', '--input-type=module', '-e', program], {
    ...{ cwd: fileURLToPath(new URL('../', import.meta.url)), encoding: 'utf8', env: { ...process.env, VITEST: '' } },
  });
  const said: Readonly<Record<string, NetworkVerdict & { table: string }>> = JSON.parse(stdout || '{}');

  it.each([
    ['conv2d.kernel-flip-forward', 'conv1 (conv2d), forward: conv1 y[0, 0, 0, 0] is ', ['conv1', 'conv2'], 'forward'],
    ['maxPool2d.last-tie', 'pool2 (maxPool2d), backward: pool2 dx[', ['pool1', 'pool2'], 'backward'],
    ['linear.db-mean', 'fc3 (linear), backward: fc3 db[0] is ', ['fc1', 'fc2', 'fc3'], 'backward'],
  ] as const)('%s is found and named, and nothing else', (id, sentence, wrong, direction) => {
    expect(stderr).toBe('');
    const { firstWrong, report, layers, right, broken } = said[id];
    expect(firstWrong).toMatch(`the first wrong layer of lenet5 is ${sentence}`);
    expect(report).toMatch(`    ${id}: `);
    expect([right, broken]).toEqual([false, false]);
    for (const { name, outcomes } of layers)
      for (const each of ['forward', 'backward'] as const)
        expect([name, each, outcomes[each]]).toEqual([
          ...[name, each, each === direction && (wrong as readonly string[]).includes(name) ? 'wrong' : 'right'],
        ]);
  });

  it('is one layer alone where it is wrong at one size, in one number; then its own cases pass, and that is said', () => {
    const { firstWrong, report, layers } = said.large;
    expect(firstWrong).toMatch(/is conv2 \(conv2d\), forward: conv2 y\[0, 3, 0, 0\] is .*, expected .* ± /);
    expect(report).toMatch(/^Its fixtures and 100 random cases of conv2d pass: it goes wrong at this size/);
    const wrong = layers.filter(({ outcomes }) => Object.values(outcomes).includes('wrong'));
    expect(wrong.map(({ name }) => name)).toEqual(['conv2']);
  });

  it('is one without an answer, too; after three of them the rest of the network is not asked', () => {
    const { firstWrong, layers, right, broken, table, endToEnd } = said.broken;
    expect(firstWrong).toBe(
      'the first wrong layer of lenet5 is act1 (relu), forward: planted wrote "hello", expected one line of JSON',
    );
    expect(layers.map(({ outcomes }) => outcomes.forward)).toEqual([
      ...['right', 'unanswered', 'right', 'right', 'unanswered', 'right', 'right', 'right', 'unanswered'],
      ...['not asked', 'not asked', 'not asked'],
    ]);
    expect([right, broken, endToEnd]).toEqual([false, true, 'it was not asked end to end']);
    expect(table).toContain('act1     relu       ✗ unanswered  not asked\n');
    expect(table).toContain('not asked: 3 layers before had no answer');
  });
});
