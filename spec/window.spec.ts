import fc from 'fast-check';
import assert from 'node:assert/strict';
import { implementations } from '../src/layers.ts';
import { ones } from '../src/ndarray.ts';
import { get, set, zeros } from '../src/tensor.ts';
import type { Border } from '../src/window.ts';
import * as real from '../src/window.ts';
import { conv2dCase, maxPool2dCase } from './arbitraries.ts';
import { expectTensor } from './close.ts';
import { pad, tabulate } from './images.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { change } from './law.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('window', real, (module, { describe, it }) => {
  it.each(functionFixtures('window'))('golden: $title', (golden) => expectFunction(module, golden));

  it('a window larger than the padded image is an error, whatever the stride', () => {
    const sizes = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      more: fc.integer({ min: 1, max: 4 }),
      stride: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(sizes, ({ size, more, stride }) => {
        for (const [image, kernel] of [
          [
            [size, 9],
            [size + more, 1],
          ],
          [
            [9, size],
            [1, size + more],
          ],
        ] as const)
          assert.throws(() => module.geometry('conv2d', image, kernel, { stride }), RangeError);
      }),
    );
  });

  // The twins share window.ts, so the twin law cannot see it: these laws count and look, and never use its formulas.

  /** How often a window stops, counted: while it lies in the padded image. */
  function stops(size: number, taps: number, stride: number, dilation: number): number {
    let count = 0;
    for (let first = 0; first + (taps - 1) * dilation < size; first += stride) count++;
    return count;
  }

  /** The same in ceil mode: while the stop before left pixels uncovered, and the window starts before the image ends. */
  function ceilStops([before, size, after]: number[], taps: number, stride: number, dilation: number): number {
    let count = 0;
    const uncovered = (first: number) => first - stride + (taps - 1) * dilation + 1 < before + size + after;
    for (let first = 0; uncovered(first) && first < before + size; first += stride) count++;
    return count;
  }

  /** The least padding with which the window stops ⌈size / stride⌉ times; the odd pixel comes after. */
  function same(size: number, taps: number, stride: number, dilation: number): [before: number, after: number] {
    let total = 0;
    while (stops(size + total, taps, stride, dilation) < Math.ceil(size / stride)) total++;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  }

  describe.each(Object.entries(implementations))('window > %s', (_, { conv2d }) => {
    it('a lone 1 at (kh, kw) reads the pixel kh and kw taps from the corner of every place of the window', () => {
      const cases = fc.tuple(conv2dCase(), fc.nat(), fc.nat(), fc.boolean());
      fc.assert(
        fc.property(cases, ([{ inputs, options }, down, right, useSame]) => {
          const [x, [, , H, W], [, C, KH, KW]] = [inputs.x, inputs.x.shape, inputs.w.shape];
          const { stride, dilation } = options;
          const [top, bottom] = same(H, KH, stride[0], dilation[0]);
          const [left, right2] = same(W, KW, stride[1], dilation[1]);
          const border: Border = useSame ? { top, bottom, left, right: right2 } : options.padding;
          const [kh, kw] = [down % KH, right % KW];
          const w = zeros([1, C, KH, KW]);
          set(w, 1, 0, 0, kh, kw);

          const y = conv2d(x, w, zeros([1]), { ...options, padding: useSame ? 'same' : border });

          const padded = pad(x, border);
          const OH = stops(padded.shape[2], KH, stride[0], dilation[0]);
          const OW = stops(padded.shape[3], KW, stride[1], dilation[1]);
          const seen = tabulate([x.shape[0], 1, OH, OW], (n, _, oh, ow) => {
            const [row, column] = [oh * stride[0] + kh * dilation[0], ow * stride[1] + kw * dilation[1]];
            return get(padded, n, 0, row, column);
          });
          expectTensor('y', y, seen);
        }),
      );
    });
  });

  describe.each(Object.entries(implementations))('window > %s', (_, { maxPool2d }) => {
    it('ceil mode: the last window may reach beyond the padding, but starts before the image ends', () => {
      const ceil = maxPool2dCase().map((call) => change(call, {}, { ceilMode: true }));
      fc.assert(
        fc.property(ceil, ({ inputs: { x }, options: { kernel, stride, dilation, padding } }) => {
          const [N, C, H, W] = x.shape;
          const OH = ceilStops([padding.top, H, padding.bottom], kernel[0], stride[0], dilation[0]);
          const OW = ceilStops([padding.left, W, padding.right], kernel[1], stride[1], dilation[1]);
          const largest = tabulate([N, C, OH, OW], (n, c, oh, ow) => {
            let value = -Infinity;
            for (let h = 0; h < H; h++)
              for (let w = 0; w < W; w++) {
                const [down, right] = [h + padding.top - oh * stride[0], w + padding.left - ow * stride[1]];
                const under = (distance: number, axis: 0 | 1) =>
                  distance >= 0 && distance % dilation[axis] === 0 && distance / dilation[axis] < kernel[axis];
                if (under(down, 0) && under(right, 1)) value = Math.max(value, get(x, n, c, h, w));
              }
            return value;
          });
          expectTensor('y', maxPool2d(x, { kernel, stride, dilation, padding, ceilMode: true }), largest);
        }),
      );
    });
  });

  it('a pixel is inside the image, or in its padding, or beyond', () => {
    fc.assert(
      fc.property(conv2dCase(), ({ inputs: { x, w }, options }) => {
        const [[, , H, W], [, , KH, KW]] = [x.shape, w.shape];
        const { top, bottom, left, right } = options.padding;
        const g = module.geometry('window', [H, W], [KH, KW], options);
        const image = pad(ones([1, 1, H, W]), options.padding); // 1 inside, 0 in the padding
        for (let ih = -top - 1; ih <= H + bottom; ih++)
          for (let iw = -left - 1; iw <= W + right; iw++) {
            const beyond = [-top - 1, H + bottom].includes(ih) || [-left - 1, W + right].includes(iw);
            const pixel = beyond ? undefined : get(image, 0, 0, ih + top, iw + left);
            assert.deepEqual([g.inside(ih, iw), g.padded(ih, iw)], [pixel === 1, pixel !== undefined]);
          }
      }),
    );
  });
});
