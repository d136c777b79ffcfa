import fc from 'fast-check';
import { implementations } from '../src/layers.ts';
import type { GroupedConv2dOptions } from '../src/naive/groupedConv2d.ts';
import { get, zeros, type Tensor } from '../src/tensor.ts';
import { eighths, groupedConv2dCase } from './arbitraries.ts';
import { bilinear } from './bilinear.ts';
import { expectTensor, expectTensors } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const { conv2d, conv2dBackward } = implementations.naive;
const cases = groupedConv2dCase();
const fullSize = fc.record({ x: eighths([2, 3, 4, 5]), w: eighths([6, 3, 2, 3]), b: eighths([6]) });
/** As many groups as channels, with two or three kernels for each. */
const depthwise = fc
  .tuple(fc.constantFrom(2, 3), fc.constantFrom(2, 3))
  .chain(([C, multiplier]) =>
    fc.record({ x: eighths([2, C, 4, 5]), w: eighths([C * multiplier, 1, 2, 3]), b: eighths([C * multiplier]) }),
  );

type Arguments = { x?: number[]; w?: number[]; b?: number[] } & GroupedConv2dOptions;
const of = ({ x = [2, 4, 8, 9], w = [6, 2, 3, 2], b = [6], groups = 2, ...options }: Arguments) => ({
  inputs: { x: zeros(x), w: zeros(w), b: zeros(b) },
  options: { groups, ...options },
});

/** `count` channels (axis 1) or kernels (axis 0) of a tensor, from `start` on. */
const slice = (t: Tensor, axis: 0 | 1, start: number, count: number) =>
  tabulate(t.shape.with(axis, count), (...index) => get(t, ...index.with(axis, start + index[axis])));

/** The same kernels for all C channels: 0 where a kernel does not look. */
function blockDiagonal(w: Tensor, C: number, groups: number): Tensor {
  const [O, perGroup, KH, KW] = w.shape;
  return tabulate([O, C, KH, KW], (o, c, kh, kw) =>
    Math.floor(c / perGroup) === Math.floor((o * groups) / O) ? get(w, o, c % perGroup, kh, kw) : 0,
  );
}

export const laws = specify('groupedConv2d', {
  cases,
  precision: exactOnEighths,
  laws: [
    ...bilinear(cases),
    law('y is conv2d with a block-diagonal kernel, and so are dx and db', cases, ({ forward, backward }, call) => {
      const { x, w, b } = call.inputs;
      const { groups, ...options } = call.options;
      const whole = blockDiagonal(w, x.shape[1], groups);
      expectTensor('y', forward(call), conv2d(x, whole, b, options));
      const { dx, db } = conv2dBackward(call.dy, x, whole, b, options);
      const gradients = backward(call);
      expectTensors({ dx: gradients.dx, db: gradients.db }, { dx, db });
    }),
    law('every slice of y is conv2d of the same slice of x; dw too', cases, ({ forward, backward }, call) => {
      const { x, w, b } = call.inputs;
      const { groups, ...options } = call.options;
      const [channels, kernels] = [x.shape[1] / groups, w.shape[0] / groups];
      const [y, { dw }] = [forward(call), backward(call)];
      for (let group = 0; group < groups; group++) {
        const from = group * kernels;
        const one = [slice(x, 1, group * channels, channels), slice(w, 0, from, kernels)] as const;
        const bias = tabulate([kernels], (o) => get(b, from + o));
        expectTensor(`slice ${group} of y`, slice(y, 1, from, kernels), conv2d(...one, bias, options));
        const expected = conv2dBackward(slice(call.dy, 1, from, kernels), ...one, bias, options).dw;
        expectTensor(`slice ${group} of dw`, slice(dw, 0, from, kernels), expected);
      }
    }),
    law('depthwise, kernel o sees channel ⌊o / multiplier⌋ alone', depthwise, ({ forward }, inputs) => {
      const { x, w, b } = inputs;
      const [[, C], [O]] = [x.shape, w.shape];
      const y = forward({ inputs, options: { groups: C } });
      for (let o = 0; o < O; o++) {
        const bias = tabulate([1], () => get(b, o));
        const alone = conv2d(slice(x, 1, Math.floor(o / (O / C)), 1), slice(w, 0, o, 1), bias);
        expectTensor(`channel ${o} of y`, slice(y, 1, o, 1), alone);
      }
    }),
    law('options left out: one group, stride 1, no padding, dilation 1', fullSize, ({ forward }, inputs) => {
      const y = forward({ inputs, options: { groups: 1, stride: 1, padding: 0, dilation: 1 } });
      expectTensor('y', forward({ inputs, options: {} }), y);
    }),
    law('one slice of x changes one slice of y', cases, ({ forward }, call) => {
      const { x, w } = call.inputs;
      const { groups } = call.options;
      const moved = tabulate(x.shape, (n, c, h, ww) => get(x, n, c, h, ww) + (c < x.shape[1] / groups ? 1 : 0));
      const [kernels, others] = [w.shape[0] / groups, w.shape[0] - w.shape[0] / groups];
      const y = forward(change(call, { x: moved }));
      if (others > 0) expectTensor('y', slice(y, 1, kernels, others), slice(forward(call), 1, kernels, others));
    }),
  ],
  rejects: [
    [of({ x: [4, 8, 9] }), 'groupedConv2d: x has shape (4, 8, 9), expected (N, C, H, W)'],
    [of({ groups: 3 }), 'groupedConv2d: x has 4 channels, expected a multiple of the 3 groups'],
    [of({ w: [5, 2, 3, 2], b: [5] }), 'groupedConv2d: w has 5 kernels, expected a multiple of the 2 groups'],
    [of({ w: [6, 4, 3, 2] }), 'groupedConv2d: w has shape (6, 4, 3, 2), expected (O, 2, KH, KW)'],
    [of({ b: [2] }), 'groupedConv2d: b has shape (2), expected (6)'],
    [of({ groups: 0 }), 'groupedConv2d: groups is 0, expected an integer ≥ 1'],
    [of({ groups: 1.5 }), 'groupedConv2d: groups is 1.5, expected an integer ≥ 1'],
    [of({ group: 2 } as never), 'groupedConv2d: there is no option group, expected groups, stride, padding, dilation'],
    [of({ stride: 0 }), 'groupedConv2d: stride is 0, expected an integer ≥ 1'],
    [
      of({ w: [6, 2, 9, 2] }),
      'groupedConv2d: the window is 9×2 pixels, expected at most the 8×9 of the image and its padding',
    ],
  ],
});
