import fc from 'fast-check';
import { map, mul, sum } from '../src/ndarray.ts';
import { get, zeros } from '../src/tensor.ts';
import type { PoolOptions } from '../src/window.ts';
import { distinct, eighths, maxPool2dCase, withPixel } from './arbitraries.ts';
import { allowed, expectTensor } from './close.ts';
import { exactOnEighths } from './every-layer.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = maxPool2dCase();
const onePixel = withPixel(cases);
const missing = maxPool2dCase(eighths, fc.constantFrom('rows', 'columns'));
/** Strides up to the kernel: the first windows leave no gaps. */
const twice = fc
  .record({
    kernels: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    gaps: fc.tuple(fc.nat(2), fc.nat(2)),
    second: fc.record({
      kernel: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      stride: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    }),
    x: eighths([2, 3, 9, 10]),
  })
  .map(({ kernels: [KH, KW], gaps, second, x }) => {
    const stride = [Math.max(1, KH - gaps[0]), Math.max(1, KW - gaps[1])] as const;
    return { x, second, first: { kernel: [KH, KW] as const, stride } };
  });
const of = ({ x = [1, 1, 4, 4], ...options }: { x?: number[] } & PoolOptions) => ({
  inputs: { x: zeros(x) },
  options,
});

export const laws = specify('maxPool2d', {
  cases,
  smooth: maxPool2dCase(distinct(1 / 8)), // 1/8 apart: x ± h changes no winner
  precision: exactOnEighths,
  laws: [
    law('pool(f(x)) = f(pool(x)) for increasing f', cases, ({ forward }, call) => {
      const f = (value: number) => 3 * value - 50; // all negative: a padding of 0 would show
      expectTensor('y', forward(change(call, { x: map(call.inputs.x, f) })), map(forward(call), f));
    }),
    law('Σ dx = Σ dy over the windows that see the image', cases, ({ forward, backward }, call) => {
      const seen = map(forward(call), (value) => (value === -Infinity ? 0 : 1));
      const axes = [0, 1, 2, 3];
      expectTensor('Σ', sum(backward(call).dx, axes), sum(mul(call.dy, seen), axes));
    }),
    law('options left out: the stride is the kernel, no padding, dilation 1, no ceil mode', cases, (layer, call) => {
      const { kernel } = call.options;
      const { x } = call.inputs;
      const large = tabulate([...x.shape.slice(0, 2), 7, 8], (n, c, h, w) =>
        get(x, n, c, h % x.shape[2], w % x.shape[3]),
      );
      const full = { kernel, stride: kernel, padding: 0, dilation: 1, ceilMode: false };
      const y = layer.forward({ inputs: { x: large }, options: full });
      expectTensor('y', layer.forward({ inputs: { x: large }, options: { kernel } }), y);
    }),
    law('a 1×1 kernel changes nothing', cases, (layer, { inputs: { x } }) => {
      const y = layer.forward({ inputs: { x }, options: { kernel: 1 } });
      expectTensor('y', y, x);
    }),
    law('pooling twice is pooling once under a larger window', twice, ({ forward }, { x, first, second }) => {
      const reach = (axis: 0 | 1) => (second.kernel[axis] - 1) * first.stride[axis] + first.kernel[axis];
      const stride = [first.stride[0] * second.stride[0], first.stride[1] * second.stride[1]];
      const y = forward({ inputs: { x: forward({ inputs: { x }, options: first }) }, options: second });
      expectTensor('y', y, forward({ inputs: { x }, options: { kernel: [reach(0), reach(1)], stride } }));
    }),
    law('the entries of a batch and the channels do not see each other', cases, ({ forward }, call) => {
      const { x } = call.inputs;
      const y = forward(call);
      const [N, C] = x.shape;
      for (let n = 0; n < N; n++)
        for (let c = 0; c < C; c++) {
          const alone = forward(
            change(call, { x: tabulate([1, 1, ...x.shape.slice(2)], (_n, _c, h, w) => get(x, n, c, h, w)) }),
          );
          expectTensor(
            'y',
            alone,
            tabulate(alone.shape, (_n, _c, oh, ow) => get(y, n, c, oh, ow)),
          );
        }
    }),
    law(
      'of equal pixels the first wins: each a little lower than the one before it, dx is the same',
      cases,
      (layer, call) => {
        const tied = map(call.inputs.x, Math.trunc); // nine values: ties in most windows
        const [, , H, W] = tied.shape;
        const apart = { shape: tied.shape, data: tied.data.map((value, i) => value - (i % (H * W)) / 2 ** 11) };
        expectTensor('dx', layer.backward(change(call, { x: tied })).dx, layer.backward(change(call, { x: apart })).dx);
      },
    ),
    law('NaN under a window, and only there, makes NaN', onePixel, ({ forward }, { call, at }) => {
      const { shape, data } = call.inputs.x;
      const y = forward(change(call, { x: { shape, data: data.with(at, NaN) } }));
      const sees = forward(change(call, { x: { shape, data: data.with(at, 100) } }));
      expectTensor(
        'y',
        y,
        map(sees, (value) => (value === 100 ? NaN : value)),
      );
    }),
    law('of NaN and larger pixels the NaN gets dy, of two the first', onePixel, ({ backward }, { call, at }) => {
      const { shape, data } = call.inputs.x;
      const largest = backward(change(call, { x: { shape, data: data.with(at, 100) } }));
      const { dx } = backward(change(call, { x: { shape, data: data.with(at, NaN) } }));
      expectTensor('dx', dx, largest.dx);
      const first = backward(change(call, { x: map(call.inputs.x, () => 0) }));
      expectTensor('dx', backward(change(call, { x: map(call.inputs.x, () => NaN) })).dx, first.dx);
    }),
    law('where all pixels are ∞, dx is as where all are 0: padding never wins', cases, ({ backward }, call) => {
      const all = (value: number) => backward(change(call, { x: map(call.inputs.x, () => value) })).dx;
      expectTensor('dx', all(Infinity), all(0));
    }),
    law('a window that misses the image is −∞ and passes no gradient', missing, ({ forward, backward }, call) => {
      const y = map(call.dy, () => -Infinity);
      expectTensor('y', forward(call), y);
      expectTensor('dx', backward(call).dx, zeros(call.inputs.x.shape));
    }),
    law('y is a pixel, to the last bit', cases, ({ forward, u }, call) => {
      const y = map(forward(call), (value) => value / 3);
      const within = u === 2 ** -53 ? 0 : allowed({ mode: 'ulp', k: 1 }, u); // float32 has no thirds
      expectTensor('y', forward(change(call, { x: map(call.inputs.x, (value) => value / 3) })), y, within);
    }),
  ],
  rejects: [
    [of({ x: [4, 4], kernel: 2 }), 'maxPool2d: x has shape (4, 4), expected (N, C, H, W)'],
    [of({ kernel: 0 }), 'maxPool2d: kernel is 0, expected an integer ≥ 1'],
    [of({ kernel: undefined as never }), 'maxPool2d: kernel is undefined, expected an integer ≥ 1 or [height, width]'],
    [
      of({ kernel: 2, ceil: true } as never),
      'maxPool2d: there is no option ceil, expected kernel, stride, padding, dilation, ceilMode',
    ],
    [of({ kernel: 2, ceilMode: 'no' as never }), 'maxPool2d: ceilMode is "no", expected true or false'],
    [of({ kernel: 2, stride: NaN }), 'maxPool2d: stride is NaN, expected an integer ≥ 1'],
    [of({ kernel: [2, 3], padding: 2 }), "maxPool2d: padding at the top is 2, expected at most half the kernel's 2"],
    [
      of({ kernel: [2, 3], padding: { top: 0, bottom: 1, left: 1, right: 2 } }),
      "maxPool2d: padding at the right is 2, expected at most half the kernel's 3",
    ],
    [of({ kernel: 5 }), 'maxPool2d: the window is 5×5 pixels, expected at most the 4×4 of the image and its padding'],
    [
      of({ kernel: 5, stride: 1, ceilMode: true }),
      'maxPool2d: the window is 5×5 pixels, expected at most the 4×4 of the image and its padding',
    ],
  ],
});
