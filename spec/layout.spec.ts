import fc from 'fast-check';
import { expect } from 'vitest';
import * as real from '../src/layout.ts';
import { implementations } from '../src/layers.ts';
import { reshape } from '../src/ndarray.ts';
import { accumulate, get, tensor, zeros, type Tensor } from '../src/tensor.ts';
import { conv2dCase, eighths, linearCase, maxPool2dCase } from './arbitraries.ts';
import { expectTensor, expectTensors } from './close.ts';
import { tabulate } from './images.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('layout', real, (module, { describe, it }) => {
  const { toHWIO, toInOut, toNCHW, toNHWC, toOIHW, toOutIn } = module;
  it.each(functionFixtures('layout'))('golden: $title', (golden) => expectFunction(module, golden));

  const { conv2d, conv2dBackward, flatten, linear, linearBackward, maxPool2d, maxPool2dBackward } =
    implementations.vectorized;

  /** Four sizes, all different: no two axes can be swapped unseen. */
  const fourAxes = fc.shuffledSubarray([2, 3, 4, 5], { minLength: 4 }).chain(eighths);
  const twoAxes = fc.shuffledSubarray([2, 3, 4, 5], { minLength: 2, maxLength: 2 }).chain(eighths);

  describe('converters', () => {
    it.each<[string, fc.Arbitrary<Tensor>, (x: Tensor) => Tensor, (...index: number[]) => number[]]>([
      ['toNHWC: y[n, h, w, c] = x[n, c, h, w]', fourAxes, toNHWC, (n, c, h, w) => [n, h, w, c]],
      ['toNCHW: y[n, c, h, w] = x[n, h, w, c]', fourAxes, toNCHW, (n, h, w, c) => [n, c, h, w]],
      ['toHWIO: y[kh, kw, c, o] = w[o, c, kh, kw]', fourAxes, toHWIO, (o, c, kh, kw) => [kh, kw, c, o]],
      ['toOIHW: y[o, c, kh, kw] = w[kh, kw, c, o]', fourAxes, toOIHW, (kh, kw, c, o) => [o, c, kh, kw]],
      ['toInOut: y[in, out] = w[out, in]', twoAxes, toInOut, (o, i) => [i, o]],
      ['toOutIn: y[out, in] = w[in, out]', twoAxes, toOutIn, (i, o) => [o, i]],
    ])('%s', (_, tensors, convert, move) => {
      fc.assert(
        fc.property(tensors, (x) => {
          const y = convert(x);
          expect(y.shape).toEqual(move(...x.shape));
          expectTensor(
            'x',
            tabulate(x.shape, (...index) => get(y, ...move(...index))),
            x,
          );
        }),
      );
    });

    it('there and back is where one was', () => {
      fc.assert(
        fc.property(fourAxes, twoAxes, (x, w) => {
          expect([toNCHW(toNHWC(x)), toNHWC(toNCHW(x))]).toEqual([x, x]);
          expect([toOIHW(toHWIO(x)), toHWIO(toOIHW(x))]).toEqual([x, x]);
          expect([toOutIn(toInOut(w)), toInOut(toOutIn(w))]).toEqual([w, w]);
        }),
      );
    });

    it('golden: flattening 0 to 7 as (1, 2, 2, 2) in either layout', () => {
      const x = reshape(tensor([0, 1, 2, 3, 4, 5, 6, 7]), [1, 2, 2, 2]);
      expect(flatten(x)).toEqual(tensor([[0, 1, 2, 3, 4, 5, 6, 7]]));
      expect(flatten(toNHWC(x))).toEqual(tensor([[0, 4, 1, 5, 2, 6, 3, 7]]));
    });

    it('a reshape is right for one channel, and for no picture of several', () => {
      const x = (C: number) => tabulate([2, C, 3, 4], (n, c, h, w) => ((n * C + c) * 3 + h) * 4 + w);
      expect(toNHWC(x(1))).toEqual(reshape(x(1), [2, 3, 4, 1]));
      for (const C of [2, 3]) expect(toNHWC(x(C))).not.toEqual(reshape(x(C), [2, 3, 4, C]));
    });
  });

  type Options = { stride: readonly number[]; padding: { top: number; left: number }; dilation: readonly number[] };
  /** The pixel under tap (kh, kw) at place (oh, ow): h·s + kh·d − p, and the like. */
  const under = ({ stride: [sh, sw], padding: { top, left }, dilation: [dh, dw] }: Options) => ({
    row: (oh: number, kh: number) => oh * sh + kh * dh - top,
    column: (ow: number, kw: number) => ow * sw + kw * dw - left,
  });
  /** Calls f for every index of a tensor of this shape. */
  const each = (shape: readonly number[], f: (...index: number[]) => void) =>
    void tabulate(shape, (...index) => (f(...index), 0));
  /** x[n, ih, iw, c], or `outside` beyond the rows and columns. */
  const pixel = (outside: number, x: Tensor, n: number, ih: number, iw: number, c: number) =>
    ih >= 0 && ih < x.shape[1] && iw >= 0 && iw < x.shape[2] ? get(x, n, ih, iw, c) : outside;

  describe('layers in NHWC, written out from the formulas of the documents, and converted', () => {
    it('conv2d: y[n,h,w,f] = Σ W[kh,kw,c,f]·x[n,h·s+kh·d−p,w·s+kw·d−p,c] + b[f]', () => {
      fc.assert(
        fc.property(conv2dCase(), ({ inputs: { x, w, b }, options, dy }) => {
          const { row, column } = under(options);
          const [image, kernel] = [toNHWC(x), toHWIO(w)];
          const [N, O, OH, OW] = dy.shape;
          const y = tabulate([N, OH, OW, O], (_, __, ___, f) => get(b, f));
          each([N, OH, OW, O], (n, h, w, f) =>
            each(kernel.shape.slice(0, 3), (kh, kw, c) =>
              accumulate(y, get(kernel, kh, kw, c, f) * pixel(0, image, n, row(h, kh), column(w, kw), c), n, h, w, f),
            ),
          );
          expectTensor('y', toNHWC(conv2d(x, w, b, options)), y);
          expectTensor('y', conv2d(toNCHW(image), toOIHW(kernel), b, options), toNCHW(y));
        }),
      );
    });

    it('conv2dBackward: dW[kh,kw,c,f] = Σ x[…]·dy[n,h,w,f], dx[…] = Σ W[kh,kw,c,f]·dy[n,h,w,f], db[f] = Σ dy[n,h,w,f]', () => {
      fc.assert(
        fc.property(conv2dCase(), ({ inputs: { x, w, b }, options, dy }) => {
          const { row, column } = under(options);
          const [image, kernel, slope] = [toNHWC(x), toHWIO(w), toNHWC(dy)];
          const [, H, W] = image.shape;
          const expected = { dx: zeros(image.shape), dw: zeros(kernel.shape), db: zeros(b.shape) };
          each(slope.shape, (n, h, w, f) => {
            const d = get(slope, n, h, w, f);
            accumulate(expected.db, d, f);
            each(kernel.shape.slice(0, 3), (kh, kw, c) => {
              const [ih, iw] = [row(h, kh), column(w, kw)];
              if (ih < 0 || ih >= H || iw < 0 || iw >= W) return;
              accumulate(expected.dw, get(image, n, ih, iw, c) * d, kh, kw, c, f);
              accumulate(expected.dx, get(kernel, kh, kw, c, f) * d, n, ih, iw, c);
            });
          });
          const { dx, dw, db } = conv2dBackward(dy, x, w, b, options);
          expectTensors({ dx: toNHWC(dx), dw: toHWIO(dw), db }, expected);
        }),
      );
    });

    it('maxPool2d, and its gradient to the first maximum', () => {
      fc.assert(
        fc.property(maxPool2dCase(), ({ inputs: { x }, options, dy }) => {
          const { row, column } = under(options);
          const [image, slope] = [toNHWC(x), toNHWC(dy)];
          const [y, dx] = [zeros(slope.shape), zeros(image.shape)];
          each(slope.shape, (n, h, w, c) => {
            let [largest, winner] = [-Infinity, [-1, -1]];
            each(options.kernel, (kh, kw) => {
              const [ih, iw] = [row(h, kh), column(w, kw)];
              const value = pixel(-Infinity, image, n, ih, iw, c);
              if (value > largest) [largest, winner] = [value, [ih, iw]];
            });
            accumulate(y, largest, n, h, w, c);
            if (largest > -Infinity) accumulate(dx, get(slope, n, h, w, c), n, winner[0], winner[1], c);
          });
          expectTensor('y', toNHWC(maxPool2d(x, options)), y);
          expectTensor('dx', toNHWC(maxPool2dBackward(dy, x, options).dx), dx);
        }),
      );
    });

    it('linear with weights (in, out): y = x·W + b, dW = xᵀ·dy, dx = dy·Wᵀ', () => {
      fc.assert(
        fc.property(linearCase(), ({ inputs: { x, w, b }, dy }) => {
          const [W, [N, D], [O]] = [toInOut(w), x.shape, b.shape];
          const Σ = (count: number, f: (i: number) => number) =>
            Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b, 0);
          const y = tabulate([N, O], (n, o) => Σ(D, (d) => get(x, n, d) * get(W, d, o)) + get(b, o));
          const dW = tabulate([D, O], (d, o) => Σ(N, (n) => get(x, n, d) * get(dy, n, o)));
          const dx = tabulate([N, D], (n, d) => Σ(O, (o) => get(dy, n, o) * get(W, d, o)));
          expectTensor('y', linear(x, toOutIn(W), b), y);
          const gradients = linearBackward(dy, x, toOutIn(W), b);
          expectTensors({ dx: gradients.dx, dw: toInOut(gradients.dw) }, { dx, dw: dW });
        }),
      );
    });
  });

  it('golden: "Dense" of the documents, whose weights are (in, out)', () => {
    const x = tensor([
      [-0.5, -0.125, 0.25],
      [0.625, -0.375, 0],
    ]);
    const W = tensor([
      [-0.375, 0.25],
      [-0.5, 0.125],
      [-0.625, 0],
    ]);
    const b = tensor([-0.25, 0.625]);
    const dy = tensor([
      [0.125, 0.625],
      [-0.25, 0.25],
    ]);
    expectTensor(
      'y',
      linear(x, toOutIn(W), b),
      tensor([
        [-0.15625, 0.484375],
        [-0.296875, 0.734375],
      ]),
    );
    const { dx, dw, db } = linearBackward(dy, x, toOutIn(W), b);
    expectTensors(
      { dx, dW: toInOut(dw), db },
      {
        dx: tensor([
          [0.109375, 0.015625, -0.078125],
          [0.15625, 0.15625, 0.15625],
        ]),
        dW: tensor([
          [-0.21875, -0.15625],
          [0.078125, -0.171875],
          [0.03125, 0.15625],
        ]),
        db: tensor([-0.125, 0.875]),
      },
    );
  });

  it.each<[string, () => unknown]>([
    ['toNHWC: x has shape (3, 4, 5), expected (N, C, H, W)', () => toNHWC(zeros([3, 4, 5]))],
    ['toNHWC: x has shape (2, 0, 4, 5), expected (N, C, H, W)', () => toNHWC(zeros([2, 0, 4, 5]))],
    ['toNCHW: x has shape (2, 3), expected (N, H, W, C)', () => toNCHW(zeros([2, 3]))],
    ['toHWIO: w has shape (2), expected (O, C, KH, KW)', () => toHWIO(zeros([2]))],
    ['toOIHW: w has shape (), expected (KH, KW, C, O)', () => toOIHW(zeros([]))],
    ['toInOut: w has shape (2, 3, 4), expected (out, in)', () => toInOut(zeros([2, 3, 4]))],
    ['toOutIn: w has shape (2), expected (in, out)', () => toOutIn(zeros([2]))],
    [
      'toNHWC: x has shape (1, 2, 2, 2) and 7 numbers, expected 8',
      () => toNHWC({ shape: [1, 2, 2, 2], data: new Float64Array(7) }),
    ],
    ['toNHWC: x is no tensor, expected { shape: number[], data: Float64Array }', () => toNHWC([[1]] as never)],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
