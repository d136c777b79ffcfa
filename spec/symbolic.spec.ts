import { all, create, type BigNumber } from 'mathjs';
import { describe, it } from 'vitest';
import { implementations, type LayerName } from '../src/layers.ts';
import { tensor, type Tensor } from '../src/tensor.ts';
import { allowed, expectTensor } from './close.ts';
import { compareOf, goldenFile, type GoldenCase } from './golden.ts';
import { layerOf, type Call } from './law.ts';

// Derivatives by rules, not by quotients: mathjs differentiates the formula as text. 128 digits: a share of e⁻²⁰⁰ is not lost.
const math = create(all, { number: 'BigNumber', precision: 128 });

/** ∂y/∂x as mathjs writes it: the same for every point. */
const derivatives = new Map<string, { evaluate(scope: object): unknown }>();
function derivative(y: string, x: string) {
  const key = `${y} by ${x}`;
  if (!derivatives.has(key)) derivatives.set(key, math.derivative(y, x).compile());
  return derivatives.get(key)!;
}

/** ∂y[k]/∂x[j] of expressions in x0, x1, … at a point, rounded once. */
function jacobian(ys: readonly string[], point: readonly number[]): Tensor {
  const scope = Object.fromEntries(point.map((value, j) => [`x${j}`, math.bignumber(value)]));
  const slope = (y: string, j: number) => Number((derivative(y, `x${j}`).evaluate(scope) as BigNumber).toString());
  return tensor(ys.map((y) => point.map((_, j) => slope(y, j))));
}

interface Formula {
  /** Every y of a row, of the variables x0, x1, … */
  readonly ys: (variables: readonly string[], point: readonly number[]) => readonly string[];
  readonly points: readonly (readonly number[])[];
  /** The fixture of the layer that states how near dx has to come. */
  readonly stated: string;
  readonly call?: (x: Tensor) => Call;
}
const eighths = [
  [-0.125, 0.375, 1.25],
  [2, -1.875, 0.5],
];
const logits = [...eighths, [100, 0, -100], [1000, 999.5, 1000.25], [3, 3, 3]];
const sumOfExp = (variables: readonly string[]) => variables.map((x) => `exp(${x})`).join(' + ');
const [slope, target] = [0.01, [0.25, -1, 3]];

const formulas: Partial<Record<LayerName, Formula>> = {
  tanh: {
    ys: (variables) => variables.map((x) => `tanh(${x})`),
    points: [...eighths, [0, 1e-8, -20], [40, 300, -0.1]],
    stated: 'tanh/hostile',
  },
  sigmoid: {
    ys: (variables) => variables.map((x) => `1 / (1 + exp(-${x}))`),
    points: [...eighths, [0, 1e-8, -40], [40, 700, -700]],
    stated: 'sigmoid/hostile',
  },
  softmax: {
    ys: (variables) => variables.map((x) => `exp(${x}) / (${sumOfExp(variables)})`),
    points: logits,
    stated: 'softmax/overflow',
  },
  logSoftmax: {
    ys: (variables) => variables.map((x) => `${x} - log(${sumOfExp(variables)})`),
    points: logits,
    stated: 'logSoftmax/hostile',
  },
  softmaxCrossEntropy: {
    ys: (variables) => [`log(${sumOfExp(variables)}) - ${variables[1]}`],
    points: logits,
    stated: 'softmaxCrossEntropy/hostile',
    call: (logits) => ({ inputs: { logits }, constants: { labels: tensor([1]) }, options: {} }),
  },
  meanSquaredError: {
    ys: (variables) => [`(${variables.map((x, j) => `(${x} - (${target[j]}))^2`).join(' + ')}) / 3`],
    points: [...eighths, [0.1, 1e6, -1e-6]],
    stated: 'meanSquaredError/hostile',
    call: (x) => ({ inputs: { x }, constants: { target: tensor([target]) }, options: {} }),
  },
  relu: {
    ys: (variables, point) => variables.map((x, j) => (point[j] > 0 ? x : `0 * ${x}`)),
    points: [...eighths, [1e-300, -1e-300, -1e9]],
    stated: 'relu/hostile',
  },
  leakyRelu: {
    ys: (variables, point) => variables.map((x, j) => (point[j] > 0 ? x : `${slope} * ${x}`)),
    points: [...eighths, [1e-300, -1e-300, -1e9]],
    stated: 'leakyRelu/reals',
    call: (x) => ({ inputs: { x }, options: { negativeSlope: slope } }),
  },
};

describe.each(Object.entries(formulas))('the backward of %s is the derivative of its formula', (name, formula) => {
  const { ys, points, stated, call = (x: Tensor): Call => ({ inputs: { x }, options: {} }) } = formula;
  const golden = goldenFile(`${name}.json`).cases.find(({ id }) => id === stated) as GoldenCase;
  const [input] = Object.keys(golden.inputs);
  const within = allowed(compareOf(golden, `d${input}`), 2 ** -53);

  it.each(points)('at %d, %d, %d', (...point) => {
    const slopes = jacobian(
      ys(
        point.map((_, j) => `x${j}`),
        point,
      ),
      point,
    );
    const layer = layerOf(implementations.naive, name as LayerName);
    const given = call(tensor([point]));
    const { shape, data } = layer.forward(given);
    for (let k = 0; k < data.length; k++) {
      const dy = { shape, data: data.map((_, at) => (at === k ? 1 : 0)) };
      const expected = { shape: [1, point.length], data: slopes.data.slice(k * point.length, (k + 1) * point.length) };
      expectTensor(`∂y[${k}]`, layer.backward({ ...given, dy })[`d${input}`], expected, within);
    }
  });
});
