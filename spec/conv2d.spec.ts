import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Conv2dOptions } from '../src/naive/conv2d.ts';
import { implementations } from '../src/layers.ts';
import { reshape } from '../src/ndarray.ts';
import { get, set, zeros } from '../src/tensor.ts';
import { conv2dCase, eighths } from './arbitraries.ts';
import { bilinear } from './bilinear.ts';
import { expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { entry, pad, stuff, subsample, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const { flatten, linear } = implementations.naive;
const cases = conv2dCase();
const loneOne = fc.record({ x: eighths([2, 3, 4, 6]), o: fc.nat(3), c: fc.nat(2), kh: fc.nat(1), kw: fc.nat(2) });
const oneByOne = fc.record({ x: eighths([2, 3, 4, 6]), w: eighths([4, 3, 1, 1]), b: eighths([4]) });
const fullSize = fc.record({ x: eighths([2, 3, 4, 5]), w: eighths([6, 3, 4, 5]), b: eighths([6]) });

type Arguments = { x?: number[]; w?: number[]; b?: number[] } & Conv2dOptions;
const of = ({ x = [2, 3, 8, 9], w = [4, 3, 3, 2], b = [4], ...options }: Arguments) => ({
  inputs: { x: zeros(x), w: zeros(w), b: zeros(b) },
  options,
});

const cut = change(of({}), { x: { shape: [2, 3, 8, 9], data: new Float64Array(5) } });

export const laws = specify('conv2d', {
  cases,
  precision: exactOnEighths,
  laws: [
    ...bilinear(cases),
    law(
      'a lone 1 at w[o, c, kh, kw]: y[o] reads x[c], kh down and kw right',
      loneOne,
      ({ forward }, { x, o, c, kh, kw }) => {
        const w = zeros([4, 3, 2, 3]);
        set(w, 1, o, c, kh, kw);
        const y = tabulate([2, 4, 3, 4], (n, at, oh, ow) => (at === o ? get(x, n, c, oh + kh, ow + kw) : 0));
        expectTensor('y', forward({ inputs: { x, w, b: zeros([4]) }, options: {} }), y);
      },
    ),
    law('options left out: stride 1, no padding, dilation 1', fullSize, ({ forward }, { x, w, b }) => {
      const inputs = { x, w: tabulate([6, 3, 2, 3], (o, c, kh, kw) => get(w, o, c, kh, kw)), b };
      const y = forward({ inputs, options: { stride: 1, padding: 0, dilation: 1 } });
      expectTensor('y', forward({ inputs, options: {} }), y);
    }),
    law('padding = zeros around x, then none', cases, ({ forward }, call) => {
      const x = pad(call.inputs.x, call.options.padding);
      expectTensor('y', forward(call), forward(change(call, { x }, { padding: 'valid' })));
    }),
    law('padding [h, w] is h above and below, w left and right; a number is both', cases, ({ forward }, call) => {
      const [h, w] = [call.options.padding.top + 2, call.options.padding.left + 3]; // enough for any kernel here
      const border = { top: h, bottom: h, left: w, right: w };
      const padded = (padding: Conv2dOptions['padding']) => forward(change(call, {}, { padding, dilation: 1 }));
      expectTensor('y', padded([h, w]), padded(border));
      expectTensor('y', padded(h), padded({ ...border, left: h, right: h }));
    }),
    law("'same' has ⌈n / stride⌉ places, the odd pixel of padding below and right", cases, ({ forward }, call) => {
      const { x, w } = call.inputs;
      const sides = [2, 3].map((axis) => {
        const [n, stride] = [x.shape[axis], call.options.stride[axis - 2]];
        const last = (Math.ceil(n / stride) - 1) * stride + call.options.dilation[axis - 2] * (w.shape[axis] - 1);
        const before = Math.max(0, last + 1 - n) >> 1; // half of what the last window lacks, rounded down
        return [before, Math.max(0, last + 1 - n) - before];
      });
      const [[top, bottom], [left, right]] = sides;
      const y = forward(change(call, {}, { padding: 'same' }));
      expectTensor('y', y, forward(change(call, {}, { padding: { top, bottom, left, right } })));
      assert.deepEqual(
        y.shape.slice(2),
        [2, 3].map((axis) => Math.ceil(x.shape[axis] / call.options.stride[axis - 2])),
      );
    }),
    law('stride = stride 1, then every stride-th row and column', cases, ({ forward }, call) => {
      const [rows, columns] = call.options.stride;
      expectTensor('y', forward(call), subsample(forward(change(call, {}, { stride: 1 })), { rows, columns }));
    }),
    law('dilation = zeros between the taps of w, then none', cases, ({ forward }, call) => {
      const [rows, columns] = call.options.dilation;
      const w = stuff(call.inputs.w, { rows, columns });
      expectTensor('y', forward(call), forward(change(call, { w }, { dilation: 1 })));
    }),
    law('a translated image has a translated y', fc.tuple(cases, fc.nat(2), fc.nat(2)), ({ forward }, [call, t, l]) => {
      const [rows, columns] = call.options.stride;
      const x = pad(call.inputs.x, { top: t * rows, left: l * columns, bottom: 0, right: 0 });
      const [, , OH, OW] = call.dy.shape;
      const moved = forward(change(call, { x }));
      const y = tabulate(call.dy.shape, (n, o, oh, ow) => get(moved, n, o, oh + t, ow + l));
      expectTensor('y', y, forward(call));
      assert.deepEqual(moved.shape.slice(2), [OH + t, OW + l]);
    }),
    law('a 1×1 kernel is linear at every pixel', oneByOne, ({ forward }, { x, w, b }) => {
      const [N, C, H, W] = x.shape;
      const pixels = tabulate([N * H * W, C], (p, c) =>
        get(x, Math.floor(p / (H * W)), c, Math.floor(p / W) % H, p % W),
      );
      const perPixel = linear(pixels, reshape(w, w.shape.slice(0, 2)), b);
      const y = tabulate([N, b.shape[0], H, W], (n, o, h, w) => get(perPixel, (n * H + h) * W + w, o));
      expectTensor('y', forward({ inputs: { x, w, b }, options: {} }), y);
    }),
    law('a kernel as large as the image is linear', fullSize, ({ forward }, { x, w, b }) => {
      const y = linear(flatten(x), flatten(w), b);
      expectTensor('y', forward({ inputs: { x, w, b }, options: {} }), reshape(y, [...y.shape, 1, 1]));
    }),
    law('the entries of a batch do not see each other', cases, ({ forward }, call) => {
      for (let n = 0; n < call.dy.shape[0]; n++)
        expectTensor('y', forward(change(call, { x: entry(call.inputs.x, n) })), entry(forward(call), n));
    }),
  ],
  rejects: [
    [of({ x: [3, 8, 9] }), 'conv2d: x has shape (3, 8, 9), expected (N, C, H, W)'],
    [of({ x: [0, 3, 8, 9] }), 'conv2d: x has shape (0, 3, 8, 9), expected (N, C, H, W)'],
    [of({ w: [4, 1, 3, 2] }), 'conv2d: w has shape (4, 1, 3, 2), expected (O, 3, KH, KW)'],
    [of({ w: [4, 5, 3, 2] }), 'conv2d: w has shape (4, 5, 3, 2), expected (O, 3, KH, KW)'],
    [of({ b: [3] }), 'conv2d: b has shape (3), expected (4)'],
    [of({ b: [5] }), 'conv2d: b has shape (5), expected (4)'],
    [cut, 'conv2d: x has shape (2, 3, 8, 9) and 5 numbers, expected 432'],
    [
      of({ w: [4, 3, 9, 2] }),
      'conv2d: the window is 9×2 pixels, expected at most the 8×9 of the image and its padding',
    ],
    [
      of({ dilation: 5, padding: { top: 1, bottom: 1, left: 2, right: 0 } }),
      'conv2d: the window is 11×6 pixels, expected at most the 10×11 of the image and its padding',
    ],
    [
      of({ w: [4, 3, 3, 4], dilation: [1, 5], padding: { top: 1, bottom: 0, left: 2, right: 1 } }),
      'conv2d: the window is 3×16 pixels, expected at most the 9×12 of the image and its padding',
    ],
    [of({ strides: 2 } as never), 'conv2d: there is no option strides, expected stride, padding, dilation'],
    [of({ stride: 0 }), 'conv2d: stride is 0, expected an integer ≥ 1'],
    [of({ stride: NaN }), 'conv2d: stride is NaN, expected an integer ≥ 1'],
    [of({ stride: [1, 2, 3] as never }), 'conv2d: stride is [1,2,3], expected an integer ≥ 1 or [height, width]'],
    [of({ dilation: [1, 1.5] }), 'conv2d: dilation is 1.5, expected an integer ≥ 1'],
    [of({ padding: -1 }), 'conv2d: padding is -1, expected an integer ≥ 0'],
    [of({ padding: NaN }), 'conv2d: padding is NaN, expected an integer ≥ 0'],
    [of({ padding: null as never }), 'conv2d: padding is null, expected an integer ≥ 0 or [height, width]'],
    [of({ stride: ['2', 1] as never }), "conv2d: stride is '2', expected an integer ≥ 1"],
    [of({ padding: { left: 1 } as never }), 'conv2d: padding at the top is undefined, expected an integer ≥ 0'],
    [of({ padding: 'full' as never }), "conv2d: padding is 'full', expected 'same', 'valid' or numbers"],
    [
      of({ padding: { top: 1, bottom: 0, left: -2, right: 0 } }),
      'conv2d: padding at the left is -2, expected an integer ≥ 0',
    ],
  ],
});
