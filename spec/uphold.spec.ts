import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { implementations, type LayerName, type Layers } from '../src/layers.ts';
import { get, type Tensor } from '../src/tensor.ts';
import { arithmetic } from './arithmetic.ts';
import { bugs } from './bugs/index.ts';
import { bugsIn } from './diagnose.ts';
import { expectGolden } from './every-layer.ts';
import { expectedText } from './expected.ts';
import { answeredCases, goldenText, type GoldenCase } from './golden.ts';
import { layerOf } from './law.ts';
import { edited, plant } from './plant.ts';

/** Every second bug of maxPool2d, and every third of softmaxCrossEntropy: planted in a port, by a program of its own. */
const chosen = [
  ...bugs.filter(({ subject }) => subject === 'maxPool2d').filter((_, i) => i % 2 === 0),
  ...bugs.filter(({ subject }) => subject === 'softmaxCrossEntropy').filter((_, i) => i % 4 === 0),
].slice(0, 20);

const program = `
  import fc from 'fast-check';
  import { layerOf } from './spec/law.ts';
  import { plant } from './spec/plant.ts';
  import { specifications } from './spec/specify.ts';
  import { uphold } from './spec/uphold.ts';
  import { bugs } from './spec/bugs/index.ts';
  fc.configureGlobal({ seed: ${process.env.CNN_SPEC_SEED} });
  const said = {};
  for (const id of ${JSON.stringify(chosen.map(({ id }) => id))}) {
    const bug = bugs.find((bug) => bug.id === id);
    const name = bug.subject;
    const { laws } = await import('./spec/' + name + '.spec.ts');
    const { cases, precision } = specifications.get(name);
    const layer = layerOf(await plant([bug], 'naive/' + name + '.ts'), name);
    for (const law of laws.filter((law) => law.leansOn !== 'golden'))
      try {
        await uphold(law, { name, implementation: 'a port', layer, cases, ...precision });
      } catch ({ message }) {
        said[id] = message;
        break;
      }
  }
  console.log(JSON.stringify(said));`;

describe('what a broken law says', () => {
  const { stdout, stderr } = spawnSync('npx', ['tsx', '--input-type=module', '-e', program], {
    ...{ cwd: fileURLToPath(new URL('../', import.meta.url)), encoding: 'utf8', env: { ...process.env, VITEST: '' } },
  });
  const said: Record<string, string> = stdout ? JSON.parse(stdout) : {};

  it('of twenty planted bugs it names at least eighteen, and nothing else', () => {
    expect(stderr).toBe('');
    expect(Object.keys(said)).toHaveLength(20);
    const named = (text: string) => [...text.matchAll(/^ {4}(\w+\.[\w-]+): /gm)].map(([, id]) => id);
    const missed = Object.entries(said).filter(([id, text]) => `${named(text)}` !== id);
    expect(missed.map(([id, text]) => `${id}: ${named(text)}`).slice(2)).toEqual([]);
  });

  it.each(chosen.map(({ id, subject }) => [id, subject] as const))(
    '%s: in this order, from who to what to do',
    (id, subject) => {
      const text = said[id];
      const parts = [
        new RegExp(`^${subject} > a port > `),
        /^The smallest case found:$/m,
        new RegExp(
          `^(${subject}(Backward)? gives .*, expected |\\w+\\[[\\d, ]*\\] is \\S+, expected |\\w+ has shape )`,
          'm',
        ),
        /^What the law said, of a case perhaps larger: /m,
        new RegExp(`^Again: CNN_SPEC_SEED=${process.env.CNN_SPEC_SEED} npx vitest run ${subject} -t '`, 'm'),
        /^As a case for golden/m,
      ];
      const places = parts.map((part) => text.search(part));
      expect(places, text).toEqual(places.toSorted((a, b) => a - b));
      expect(places.includes(-1), text).toBe(false);
    },
  );

  it('its fixture, pasted into golden/, fails on the layer that broke the law, and on no other', async () => {
    const validate = new Ajv({ strict: false }).compile(JSON.parse(goldenText('schema.json')));
    for (const bug of chosen) {
      const pasted = said[bug.id].slice(said[bug.id].lastIndexOf('\n') + 1);
      const file = { ...JSON.parse(goldenText(`${bug.subject}.json`)), cases: [JSON.parse(pasted)] };
      const text = await expectedText(JSON.stringify(file)).catch((error: Error) => error.message);
      if (!text.startsWith('{')) {
        expect(text, pasted).toMatch(/worked/); // NaN, and −∞ under a window that misses the image: exact arithmetic has neither
        continue;
      }
      expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
      const golden = revive(text);
      const name = bug.subject as LayerName;
      expectGolden(layerOf(implementations.naive, name), golden);
      const broken = layerOf(await plant<Layers>([bug], `naive/${name}.ts`), name);
      expect(() => expectGolden(broken, golden), `${bug.id}\n${pasted}`).toThrow();
    }
  });
});

const revive = (text: string): GoldenCase =>
  JSON.parse(text, (_, value) =>
    value?.shape && value.data ? { shape: value.shape, data: Float64Array.from(value.data, Number) } : value,
  ).cases[0];

describe('the arithmetic of one element', () => {
  const names = Object.keys(implementations.naive).filter((name) => `${name}Backward` in implementations.naive);

  it.each(names as LayerName[])('%s: ends in what the fixtures expect', async (name) => {
    for (const golden of answeredCases(name).slice(0, 4)) {
      const layer = layerOf(implementations.naive, name);
      const outputs: Readonly<Record<string, Tensor>> = { y: layer.forward(golden), ...layer.backward(golden) };
      for (const [k, tensor] of Object.entries(outputs)) {
        const index = tensor.shape.map((size) => size - 1);
        const text = await arithmetic(name, golden, k, index);
        const value = get(tensor, ...index);
        expect(text.split('\n').at(-1), `${golden.id} ${k}`).toBe(`    = ${Object.is(value, -0) ? '-0' : value}`);
      }
    }
  });

  it.each(['conv2d', 'groupedConv2d', 'linear'] as const)('%s: its products add up', async (name) => {
    const golden = answeredCases(name).find(({ id }) => id.includes('hostile'))!;
    for (const [k, tensor] of Object.entries({ y: golden.y, ...golden.gradients })) {
      const index = tensor.shape.map((size) => Math.floor(size / 2));
      const lines = (await arithmetic(name, golden, k, index)).split('\n').filter((line) => /^ {4}\S.* = /.test(line));
      const terms = lines.map((line) =>
        line.split(' = ')[1].replace(' (outside the image)', '').split(' · ').map(Number),
      );
      expect(
        terms.reduce((sum, factors) => sum + factors.reduce((a, b) => a * b), 0),
        lines.join('\n'),
      ).toBe(get(tensor, ...index));
    }
  });
});

it('a definition that has a known bug in it, word for word, is told so', () => {
  const read = (file: string) => readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8');
  expect(bugsIn('conv2d')).toEqual([]);
  for (const bug of bugs.filter(({ subject, put }) => subject === 'conv2d' && put !== ''))
    expect(bugsIn('conv2d', (file) => (file === bug.file ? edited(read(file), bug) : read(file)))).toContainEqual(bug);
});
