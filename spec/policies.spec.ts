import { expect, it } from 'vitest';
import { implementations } from '../src/layers.ts';
import { answer, sameAnswer } from './diagnose.ts';
import { answeredCases, goldenFile } from './golden.ts';
import { layerOf } from './law.ts';
import { acceptedBy, acceptedIds, frameworks, otherDefinitions, policies, variants } from './policies.ts';
import { directions, layerNames } from './port/protocol.ts';

const layers = layerNames.filter((name) => variants(name).length > 0);

it.each(layers)(
  '%s: each policy, and all of a framework together, differ from the definition on a fixture',
  async (name) => {
    const definition = layerOf(implementations.naive, name);
    const others = await otherDefinitions(name);
    expect(others).toHaveLength(variants(name).length);
    for (const { ids, layer } of others) {
      const differing = answeredCases(name).filter((golden) =>
        directions.some((direction) => {
          const [given, right] = [layer, definition].map((each) => answer(each, direction, golden));
          return !sameAnswer(given, right, 'bits', 0);
        }),
      );
      expect(differing.length, `${ids}`).toBeGreaterThan(0);
    }
  },
);

it('every policy is of a framework, and has an id of its own', () => {
  const ids = policies.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const { id, layer, of, means } of policies) {
    expect(id.startsWith(`${layer}.`), id).toBe(true);
    expect(of.length, id).toBeGreaterThan(0);
    expect(
      of.every((each) => frameworks.includes(each)),
      id,
    ).toBe(true);
    expect(means, id).not.toBe('');
  }
});

it('what a framework answers, though it must be an error, are fixtures of tier invalid', () => {
  const invalid = layerNames.flatMap((name) =>
    goldenFile(`${name}.json`).cases.flatMap(({ id, tier }) => (tier === 'invalid' ? [id] : [])),
  );
  for (const framework of frameworks) {
    const ids = acceptedIds(framework);
    expect(ids.filter((id) => !invalid.includes(id))).toEqual([]);
    for (const id of ids) expect(acceptedBy(id)).toContain(framework);
  }
  expect(frameworks.map((framework) => acceptedIds(framework).length)).toEqual([33, 0, 0, 50]);
});
