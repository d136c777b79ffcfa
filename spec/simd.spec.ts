import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { implementations, unitRoundoff, type LayerName } from '../src/layers.ts';
import { bestBuild, use } from '../src/simd/kernels.ts';
import { conv2d, relu } from '../src/simd/index.ts';
import { expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { expectGolden } from './every-layer.ts';
import { goldenFile } from './golden.ts';
import { layerOf } from './law.ts';

// The build that this engine is best with is judged with all other implementations, in the spec of each layer. Here are both.

const names = Object.keys(implementations.simd).filter((name) => `${name}Backward` in implementations.simd);

describe.each(['plain', 'fma'] as const)('simd > %s', (build) => {
  beforeAll(() => use(build));
  afterAll(() => use(bestBuild()));

  it.each(names as LayerName[])('every fixture of %s', (name) => {
    const layer = layerOf(implementations.simd, name, unitRoundoff.simd);
    const cases = goldenFile(`${name}.json`).cases.filter((golden) => !('float64' in golden));
    expect(cases.length).toBeGreaterThan(0);
    for (const golden of cases) expectGolden(layer, golden);
  });

  it('the memory grows with what is put there', () => {
    const x = tabulate([3, 20_000], (n, d) => (n === 1 ? -1 : 1) * (d % 1000)); // 240 KB: it begins with 64
    expectTensor(
      'y',
      relu(x),
      tabulate(x.shape, (n, d) => (n === 1 ? 0 : d % 1000)),
    );
  });

  it('a·b + c is rounded once, or twice', () => {
    // (1 + 2⁻¹²)² − (1 + 2⁻¹¹) = 2⁻²⁴, which rounding the square loses
    const one = (value: number) => tabulate([1, 1, 1, 1], () => value);
    const b = tabulate([1], () => -(1 + 2 ** -11));
    expect(conv2d(one(1 + 2 ** -12), one(1 + 2 ** -12), b).data[0]).toBe(build === 'fma' ? 2 ** -24 : 0);
  });
});
