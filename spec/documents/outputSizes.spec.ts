import { evaluate } from 'mathjs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { geometry } from '../../src/window.ts';
import { conv2dCase } from '../arbitraries.ts';

/** "CNN from scratch with NumPy", section 3, with the floor that its prose leaves out. */
const formula = 'floor((size + before + after - dilation * (taps - 1) - 1) / stride) + 1';

/** Every place where the window, laid on the padded image, lies wholly inside it. */
const counted = (size: number, kernel: number, padding: number, stride: number) =>
  Array.from({ length: size + 2 * padding }, (_, first) => first).filter(
    (first) => first % stride === 0 && first + kernel <= size + 2 * padding,
  ).length;

it.each([
  // "CNN from scratch with NumPy": the printed table, the two-convolution net, the net that is trained
  [28, 3, 0, 1, 26],
  [28, 3, 1, 1, 28],
  [28, 3, 0, 2, 13],
  [28, 3, 1, 2, 14],
  [26, 2, 0, 2, 13],
  [13, 3, 0, 1, 11],
  [11, 2, 0, 2, 5],
  // "CNN with tanh and average pooling": the pool
  [26, 3, 0, 1, 24],
  // "CNN basics" in PyTorch: the first convolution, LeNet-5, MNISTNet, and "stride 2 halves" with padding and without
  [32, 3, 1, 1, 32],
  [32, 5, 0, 1, 28],
  [28, 2, 0, 2, 14],
  [14, 5, 0, 1, 10],
  [10, 2, 0, 2, 5],
  [14, 2, 0, 2, 7],
  [32, 3, 1, 2, 16],
  [32, 3, 0, 2, 15],
  [7, 3, 1, 2, 4],
  // ResNet-18 in NumPy: stem, pool as called and as written, main path, shortcut, shortcut as coded
  [224, 7, 3, 2, 112],
  [112, 3, 1, 2, 56],
  [112, 3, 0, 2, 55],
  [56, 3, 1, 2, 28],
  [56, 1, 0, 2, 28],
  [56, 1, 1, 2, 29],
  [7, 2, 0, 2, 3],
])('size %i, kernel %i, padding %i, stride %i: %i places', (size, kernel, padding, stride, places) => {
  const { OH, OW } = geometry('test', [size, size], [kernel, kernel], { padding, stride });
  expect([OH, OW]).toEqual([places, places]);
  expect(evaluate(formula, { size, taps: kernel, before: padding, after: padding, dilation: 1, stride })).toBe(places);
  expect(counted(size, kernel, padding, stride)).toBe(places);
});

it('size 7, kernel 2, stride 2 in ceil mode: 4 places', () => {
  const { OH, OW } = geometry('test', [7, 7], [2, 2], { stride: 2, ceilMode: true });
  expect([OH, OW]).toEqual([4, 4]);
});

it.each([1, 2])('size 2, kernel 3, stride %i: no place, and an error', (stride) => {
  expect(counted(2, 3, 0, stride)).toBe(0);
  expect(() => geometry('test', [2, 2], [3, 3], { stride })).toThrow(
    'test: the window is 3×3 pixels, expected at most the 2×2 of the image and its padding',
  );
});

it('OH and OW are the formula, at random', () => {
  fc.assert(
    fc.property(conv2dCase(), ({ inputs: { x, w }, options }) => {
      const [, , H, W] = x.shape;
      const [, , KH, KW] = w.shape;
      const { top, bottom, left, right } = options.padding;
      const along = (axis: 0 | 1) => ({ stride: options.stride[axis], dilation: options.dilation[axis] });
      const { OH, OW } = geometry('test', [H, W], [KH, KW], options);
      expect(OH).toBe(evaluate(formula, { size: H, taps: KH, before: top, after: bottom, ...along(0) }));
      expect(OW).toBe(evaluate(formula, { size: W, taps: KW, before: left, after: right, ...along(1) }));
    }),
  );
});
