import fc from 'fast-check';
import { add, reshape, sum } from '../src/ndarray.ts';
import { zeros, type Tensor } from '../src/tensor.ts';
import { eighths } from './arbitraries.ts';
import { dot, expectTensor } from './close.ts';
import { change, law, type Case, type Law } from './law.ts';

/** The laws of every layer whose y is b and a sum of products x·w. */
export function bilinear(
  cases: fc.Arbitrary<Case & { readonly inputs: { readonly x: Tensor; readonly w: Tensor; readonly b: Tensor } }>,
): readonly Law[] {
  const withoutBias = cases.map((call) => change(call, { b: zeros(call.inputs.b.shape) }));
  const twoOfEach = withoutBias.chain((call) =>
    fc.record({ call: fc.constant(call), x: eighths(call.inputs.x.shape), w: eighths(call.inputs.w.shape) }),
  );
  return [
    law('y(x + x′) = y(x) + y(x′), and so in w, when b = 0', twoOfEach, ({ forward }, { call, ...more }) => {
      for (const k of ['x', 'w'] as const) {
        const y = (input = call.inputs[k]) => forward(change(call, { [k]: input }));
        expectTensor('y', y(add(call.inputs[k], more[k])), add(y(), y(more[k])));
      }
    }),
    law('⟨y, dy⟩ = ⟨x, dx⟩ = ⟨w, dw⟩ when b = 0', withoutBias, ({ forward, backward }, call) => {
      const { dx, dw } = backward(call);
      expectTensor('⟨x, dx⟩', dot(call.inputs.x, dx), dot(forward(call), call.dy));
      expectTensor('⟨w, dw⟩', dot(call.inputs.w, dw), dot(forward(call), call.dy));
    }),
    law('db = Σ dy, output by output', cases, ({ backward }, call) => {
      const { dy } = call;
      const others = dy.shape.map((_, axis) => axis).filter((axis) => axis !== 1);
      expectTensor('db', backward(call).db, reshape(sum(dy, others), call.inputs.b.shape));
    }),
  ];
}
