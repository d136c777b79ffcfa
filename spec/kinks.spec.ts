import { expect, it } from 'vitest';
import { implementations, type LayerName } from '../src/layers.ts';
import { formulas, sides } from './exact.ts';
import { goldenFile, goldenNames, type GoldenCase } from './golden.ts';
import { layerOf } from './law.ts';

const kinks = goldenNames.flatMap((name) => {
  const { layer, cases } = goldenFile(name);
  return cases.flatMap((golden) =>
    'kink' in golden && layer ? [[golden.id, layer as LayerName, golden] as const] : [],
  );
});
const isFinite = ({ inputs, constants, y }: GoldenCase) =>
  [...Object.values(inputs), ...Object.values(constants ?? {}), y].every(({ data }) => data.every(Number.isFinite));

it('cases without a slope have equal pixels or zeros; the others have NaN or ∞, and no numbers on both sides', () => {
  expect(kinks.filter(([, , golden]) => isFinite(golden)).map(([id]) => id)).toEqual([
    'leakyRelu/zero',
    'maxPool2d/ties',
    'maxPool2d/ties-overlapping',
    'maxPool2d/negative-padded',
    'maxPool2d/hostile-ties',
    'relu/zero',
    'relu/infinite-dy',
  ]);
});

it.each(kinks.filter(([, , golden]) => isFinite(golden)))(
  '%s: every ∂y/∂x lies between the slopes on both sides, and is the one that is declared',
  (_id, name, golden) => {
    const { backward } = layerOf(implementations.naive, name);
    const { shape, data } = golden.y;
    const gradients = Array.from(data, (_, p) =>
      backward({ ...golden, dy: { shape, data: data.map((_, at) => (at === p ? 1 : 0)) } }),
    );
    const wrong: string[] = [];
    let corners = 0;
    for (const { input, i, left, right, declared } of sides(formulas[name], golden))
      gradients.forEach((gradient, p) => {
        const found = gradient[`d${input}`].data[i];
        if (left[p] !== right[p]) corners++;
        const between = Math.min(left[p], right[p]) <= found && found <= Math.max(left[p], right[p]);
        if (!between || found !== declared[p])
          wrong.push(`∂y[${p}]/∂${input}[${i}] is ${found}, declared ${declared[p]}, from ${left[p]} to ${right[p]}`);
      });
    expect(wrong).toEqual([]);
    expect(corners, 'places without a slope').toBeGreaterThan(0);
  },
);
