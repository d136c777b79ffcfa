import { mean, std } from 'mathjs';
import { expect, it } from 'vitest';
import { heNormal, initialize } from '../src/initialize.ts';
import { page3 } from '../src/models/index.ts';
import { parameterShapes } from '../src/network.ts';
import { random } from '../src/random.ts';

// The deviations that the documents' own code computes: √(2 / fan-in).
it.each([
  [[1000, 1, 3, 3], 0.4714045],
  [[10, 1352], 0.0384615],
  [[100, 3, 7, 7], 0.1166424],
  [[20, 64, 3, 3], 0.0589256],
  [[20, 512], 0.0625],
])('heNormal(%j): mean 0, deviation %f, within 5 standard errors', (shape, deviation) => {
  const { data } = heNormal(shape, random(1));
  const n = data.length;
  expect(Math.abs(Number(mean([...data])))).toBeLessThan((5 * deviation) / Math.sqrt(n));
  expect(Math.abs(Number(std([...data])) / deviation - 1)).toBeLessThan(5 / Math.sqrt(2 * n));
});

it('initialize: every parameter in its shape, biases 0, the same for the same seed', () => {
  const parameters = initialize(page3, random(5));
  expect(Object.fromEntries(Object.entries(parameters).map(([k, { shape }]) => [k, shape]))).toEqual(
    parameterShapes(page3),
  );
  expect(parameters['fc1.bias'].data.every((value) => value === 0)).toBe(true);
  expect(parameters['conv1.weight'].data.every((value) => value !== 0)).toBe(true);
  expect(initialize(page3, random(5))).toEqual(parameters);
});
