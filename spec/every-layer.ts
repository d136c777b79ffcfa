import assert from 'node:assert/strict';
import fc from 'fast-check';
import { implementations, type LayerName } from '../src/layers.ts';
import { zeros, type Tensor } from '../src/tensor.ts';
import { allowed, expectTensors, expectSameBits, expectTensor, type Compare } from './close.ts';
import { compareOf, goldenFile, type GoldenCase, type GoldenInvalid } from './golden.ts';
import { slopes } from './gradcheck.ts';
import { law, layerOf, type Call, type Case, type Law, type Layer } from './law.ts';

/** How exactly a layer can be checked, stated by its spec with the reason. */
export interface Precision {
  /** Between two implementations, on the layer's cases. */
  readonly compare: Compare;
  /** The step of the difference quotients, and their error. A power of 2, so that x ± h is exact. */
  readonly h: number;
  readonly tolerance: number;
}

/** Sums of products and maxima of eighths: no rounding at all, and difference quotients are slopes. */
export const exactOnEighths: Precision = { compare: 'exact', h: 2 ** -5, tolerance: 0 };

export interface Specification {
  readonly cases: fc.Arbitrary<Case>;
  /** Cases without a kink within h, for the gradient law. Default: `cases`. */
  readonly smooth?: fc.Arbitrary<Case>;
  readonly precision: Precision;
  /** The laws of this layer alone. */
  readonly laws: readonly Law[];
  /** Calls that are errors, and the message of each. */
  readonly rejects: readonly (readonly [Call, string])[];
}

/** y and the gradients, all outputs of a case by name. */
const outputs = ({ forward, backward }: Layer, call: Case): Readonly<Record<string, Tensor>> => ({
  y: forward(call),
  ...backward(call),
});

/**
 * The laws that hold for every layer, whatever it computes. `definition` is what twins are compared with, and whose slopes
 * gradients must be: naive, unless a layer is to be judged by itself.
 */
export function lawsOfEveryLayer(
  name: LayerName,
  { cases, smooth = cases, precision: { compare, h, tolerance }, rejects }: Specification,
  definition = layerOf(implementations.naive, name),
): readonly Law[] {
  const leaning = (leansOn: Law['leansOn'] & string, leaner: Law): Law => ({ ...leaner, leansOn });
  const once = <T>(value: T) => fc.constant(value);
  const goldenLaw = (golden: GoldenCase | GoldenInvalid, leaner: Law): Law => ({
    ...leaning('golden', leaner),
    ...('float64' in golden && { float64: golden.float64! }),
  });
  return [
    // of the definition itself this asks little; of every other implementation, everything
    leaning(
      'twin',
      law('y and the gradients are those of the definition', cases, (layer, call) => {
        expectTensors(outputs(layer, call), outputs(definition, call), allowed(compare, layer.u));
      }),
    ),

    leaning('slopes', {
      ...law(
        'every input k has a gradient dk: the slope of ⟨y, dy⟩ along k',
        smooth,
        ({ backward, u }, call) => {
          const rounding = allowed(compare, u);
          expectTensors(backward(call), slopes(definition, call, h), (want, i) => tolerance + rounding(want, i));
        },
        25, // two forward passes for every coordinate of every input: each case is a hundred checks
      ),
      definitionOnly: true,
    }),

    law('no argument is written to, and no result shares memory with one', cases, (layer, call) => {
      const before = structuredClone(call);
      const results = outputs(layer, call);
      assert.deepEqual(structuredClone(call), before); // a clone loses fast-check's null prototype
      const lent = [...Object.values(call.inputs), ...Object.values(call.constants ?? {}), call.dy];
      const all = [...lent, ...Object.values(results)];
      for (const [k, { data }] of Object.entries(results)) {
        const owners = all.filter((tensor) => tensor.data.buffer === data.buffer);
        assert.equal(owners.length, 1, `${k} shares memory with an argument or another result`);
      }
    }),

    law('the same call gives the same bits, whatever is called in between', fc.tuple(cases, cases), (layer, [a, b]) => {
      const first = outputs(layer, a);
      outputs(layer, b);
      for (const [k, again] of Object.entries(outputs(layer, a))) expectSameBits(k, again, first[k]);
    }),

    leaning(
      'twin',
      law('an infinite dy makes the gradients of the definition too', cases, (layer, call) => {
        const infinite = { shape: call.dy.shape, data: call.dy.data.with(0, Infinity) };
        const gradients = definition.backward({ ...call, dy: infinite });
        expectTensors(layer.backward({ ...call, dy: infinite }), gradients, allowed(compare, layer.u));
      }),
    ),

    law('an option that does not exist is an error, and so are options that are no object', cases, (layer, call) => {
      const names = Object.keys(call.options).join(', ') || 'none'; // a case writes every option out
      for (const [options, message] of [
        [{ ...call.options, nonsense: 1 }, `${name}: there is no option nonsense, expected ${names}`],
        [null, `${name}: options is null, expected an object`],
      ] as const) {
        assert.throws(() => layer.forward({ ...call, options: options! }), new RangeError(message));
        assert.throws(() => layer.backward({ ...call, options: options! }), new RangeError(message));
      }
    }),

    law(
      'an argument that is left out, or no tensor, is an error that names it',
      cases,
      ({ forward, backward }, call) => {
        const { inputs, constants = {} } = call;
        const naming = (what: string) =>
          [
            (error: unknown) => error instanceof RangeError && error.message.startsWith(`${what} `),
            `${what} is no tensor, expected a RangeError that begins with that name`,
          ] as const;
        for (const none of [undefined, {}] as unknown[] as Tensor[]) {
          for (const k of Object.keys({ ...inputs, ...constants })) {
            const without = (tensors: Case['inputs']) => (k in tensors ? { ...tensors, [k]: none } : tensors);
            const less = { ...call, inputs: without(inputs), constants: without(constants) };
            assert.throws(() => forward(less), ...naming(`${name}: ${k}`));
            assert.throws(() => backward(less), ...naming(`${name}: ${k}`));
          }
          assert.throws(() => backward({ ...call, dy: none }), ...naming(`${name}Backward: dy`));
        }
      },
      1, // no case is more hostile than another
    ),

    law('a dy of another shape is an error', cases, ({ backward }, call) => {
      const { shape } = call.dy;
      const message = `${name}Backward: dy has shape (${[...shape, 1].join(', ')}), expected (${shape.join(', ')})`;
      assert.throws(() => backward({ ...call, dy: zeros([...shape, 1]) }), new RangeError(message));
      const longer = shape.map((size, axis) => (axis === shape.length - 1 ? size + 1 : size));
      const dy = `dy has shape (${longer.join(', ')}), expected (${shape.join(', ')})`;
      if (shape.length > 0)
        assert.throws(() => backward({ ...call, dy: zeros(longer) }), new RangeError(`${name}Backward: ${dy}`));
    }),

    ...rejects.map(([call, message]) =>
      law(`error: ${message}`, once(call), (layer) => expectError(layer, call, message), 1),
    ),

    ...goldenFile(`${name}.json`).cases.flatMap((golden) => [
      goldenLaw(
        golden,
        law(`golden ${golden.id}: ${golden.title}`, once(golden), (layer) => expectGolden(layer, golden), 1),
      ),
      ...('error' in golden || golden.kink !== undefined || golden.steep !== undefined
        ? [] // y has no slope, or none that shows
        : [
            goldenLaw(golden, {
              ...law(
                `every dk is the slope along k: ${golden.title}`,
                once(golden),
                ({ backward, u }) => {
                  const gradients = backward(golden);
                  for (const [k, slope] of Object.entries(slopes(definition, golden, h))) {
                    const rounding = allowed(compareOf(golden, k), u);
                    expectTensor(k, gradients[k], slope, (want, i) => tolerance + rounding(want, i));
                  }
                },
                1,
              ),
              definitionOnly: true,
            }),
          ]),
    ]),
  ];
}

/** @throws AssertionError if the call is no error, forward and backward, or one of another message */
function expectError({ forward, backward }: Layer, call: Call, message: string): void {
  assert.throws(() => forward(call), new RangeError(message));
  assert.throws(() => backward({ ...call, dy: zeros([]) }), new RangeError(message));
}

/** @throws AssertionError if an output of the layer is not what the case expects, or what must be an error is none */
export function expectGolden(layer: Layer, golden: GoldenCase | GoldenInvalid): void {
  if ('error' in golden) return expectError(layer, golden, golden.error);
  assert(golden.float64 === undefined || layer.u === 2 ** -53, `${golden.id} is for float64 alone: ${golden.float64}`);
  expectOutput(golden, 'y', layer.forward(golden), layer.u);
  const gradients = layer.backward(golden);
  assert.deepEqual(Object.keys(gradients).sort(), Object.keys(golden.gradients).sort(), 'the names of the gradients');
  for (const k of Object.keys(golden.gradients)) expectOutput(golden, k, gradients[k], layer.u);
}

/** @throws AssertionError if an output, y or a gradient, is not what the case expects in arithmetic of unit roundoff u */
export function expectOutput(golden: GoldenCase, k: string, actual: Tensor, u: number): void {
  const want = k === 'y' ? golden.y : golden.gradients[k];
  expectTensor(k, actual, want, allowed(compareOf(golden, k), u));
  if (golden.signedZeros) expectSameBits(k, actual, want);
}
