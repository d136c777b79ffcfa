import fc from 'fast-check';
import type { AvgPool2dOptions } from '../src/naive/avgPool2d.ts';
import { map, ones, sum } from '../src/ndarray.ts';
import { get, getOr, zeros } from '../src/tensor.ts';
import { avgPool2dCase, eighths } from './arbitraries.ts';
import { allowed, dot, expectTensor } from './close.ts';
import { pad, tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = avgPool2dCase();
/** Windows of 2^a × 2^b pixels side by side, over the whole image. */
const tiles = fc
  .tuple(
    fc.constantFrom([1, 2], [2, 1], [2, 4], [4, 2]),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 3 }),
  )
  .chain(([[KH, KW], rows, columns]) =>
    fc.record({ kernel: fc.constant([KH, KW] as const), x: eighths([2, 3, KH * rows, KW * columns]) }),
  );
const of = ({ x = [1, 1, 4, 4], ...options }: { x?: number[] } & AvgPool2dOptions) => ({
  inputs: { x: zeros(x) },
  options,
});
/** dx adds at most 9 quotients of at most 4: 9 divisions and 8 sums in each of two answers. */
const compare = { mode: 'bound', n: 34, S: 36 } as const;

export const laws = specify('avgPool2d', {
  cases,
  // linear: difference quotients have no h² term, only the rounding of ⟨y, dy⟩ ≤ 10³, divided by h
  precision: { compare, h: 2 ** -5, tolerance: 1e-11 },
  laws: [
    law('y = Σ pixels / how many taps count, place by place', cases, ({ forward, u }, call) => {
      const { x } = call.inputs;
      const [, , H, W] = x.shape;
      const { kernel, stride, padding, countIncludePad } = call.options;
      const { top, bottom, left, right } = countIncludePad ? padding : { top: 0, bottom: 0, left: 0, right: 0 };
      const y = tabulate(call.dy.shape, (n, c, oh, ow) => {
        let [total, taps] = [0, 0];
        for (let kh = 0; kh < kernel[0]; kh++)
          for (let kw = 0; kw < kernel[1]; kw++) {
            const [ih, iw] = [oh * stride[0] - padding.top + kh, ow * stride[1] - padding.left + kw];
            total += getOr(0, x, n, c, ih, iw);
            if (ih >= -top && ih < H + bottom && iw >= -left && iw < W + right) taps++;
          }
        return total / taps;
      });
      expectTensor('y', forward(call), y, allowed({ mode: 'ulp', k: 2 }, u)); // one division, or a reciprocal and a product
    }),
    law('a constant image stays constant when padding does not count', cases, ({ forward, u }, call) => {
      const constant = map(call.inputs.x, () => 3 / 8);
      const y = forward(change(call, { x: constant }, { countIncludePad: false }));
      expectTensor(
        'y',
        y,
        map(y, () => 3 / 8),
        allowed({ mode: 'ulp', k: 2 }, u),
      );
    }),
    law('without ceil mode, padding that counts = zeros around x, then none', cases, ({ forward }, call) => {
      const x = pad(call.inputs.x, call.options.padding);
      const y = forward(change(call, {}, { countIncludePad: true, ceilMode: false }));
      expectTensor('y', y, forward(change(call, { x }, { padding: 'valid', ceilMode: false })));
    }),
    law('ceil mode adds places at the end, and changes none of the others', cases, ({ forward }, call) => {
      const without = forward(change(call, {}, { ceilMode: false }));
      const y = forward(change(call, {}, { ceilMode: true }));
      expectTensor(
        'y',
        tabulate(without.shape, (...index) => get(y, ...index)),
        without,
      );
    }),
    law('windows side by side keep the mean of the image', tiles, ({ forward }, { x, kernel }) => {
      const y = forward({ inputs: { x }, options: { kernel } });
      const mean = (t: typeof x) => map(sum(t, [2, 3]), (total) => total / (t.data.length / 6)); // 2·3 channels
      expectTensor('mean', mean(y), mean(x), 2 ** -50); // a division by 2ⁿ is exact, the last one is not
    }),
    law('options left out: the stride is the kernel, padding counts', tiles, ({ forward }, { x, kernel }) => {
      const full = { kernel, stride: kernel, padding: 0, ceilMode: false, countIncludePad: true };
      expectTensor('y', forward({ inputs: { x }, options: { kernel } }), forward({ inputs: { x }, options: full }));
      const options = { kernel, padding: [kernel[0] >> 1, kernel[1] >> 1] };
      const y = forward({ inputs: { x }, options: { ...options, countIncludePad: true } });
      expectTensor('y', forward({ inputs: { x }, options }), y);
    }),
    law('⟨y, dy⟩ = ⟨x, dx⟩', cases, ({ forward, backward, u }, call) => {
      const { dx } = backward(call);
      const S = 16 * call.dy.data.length + 4 * 36 * dx.data.length; // |y·dy| ≤ 4·4, |x·dx| ≤ 4·36
      const n = compare.n + call.dy.data.length + dx.data.length;
      expectTensor('⟨x, dx⟩', dot(call.inputs.x, dx), dot(forward(call), call.dy), allowed({ mode: 'bound', n, S }, u));
    }),
    law('Σ dx = Σ dy when padding does not count', cases, ({ backward, u }, call) => {
      const { dx } = backward(change(call, {}, { countIncludePad: false }));
      const n = compare.n + dx.data.length + call.dy.data.length;
      const within = allowed({ mode: 'bound', n, S: 36 * dx.data.length }, u);
      expectTensor('Σ dx', dot(dx, ones(dx.shape)), dot(call.dy, ones(call.dy.shape)), within);
    }),
  ],
  rejects: [
    [of({ x: [4, 4], kernel: 2 }), 'avgPool2d: x has shape (4, 4), expected (N, C, H, W)'],
    [of({ kernel: 0 }), 'avgPool2d: kernel is 0, expected an integer ≥ 1'],
    [
      of({ kernel: 2, dilation: 2 } as never),
      'avgPool2d: there is no option dilation, expected kernel, stride, padding, ceilMode, countIncludePad',
    ],
    [of({ kernel: 2, ceilMode: 1 as never }), 'avgPool2d: ceilMode is 1, expected true or false'],
    [of({ kernel: 2, countIncludePad: 'no' as never }), 'avgPool2d: countIncludePad is "no", expected true or false'],
    [of({ kernel: [2, 3], padding: 2 }), "avgPool2d: padding at the top is 2, expected at most half the kernel's 2"],
    [of({ kernel: 5 }), 'avgPool2d: the window is 5×5 pixels, expected at most the 4×4 of the image and its padding'],
  ],
});
