import { map, ones } from '../src/ndarray.ts';
import { get, zeros } from '../src/tensor.ts';
import { dropoutCase } from './arbitraries.ts';
import { dot, expectTensor } from './close.ts';
import { tabulate } from './images.ts';
import { change, law } from './law.ts';
import { specify } from './specify.ts';

const cases = dropoutCase();
const of = ({ x = [2, 3, 4, 5], mask = [2, 3, 4, 5], ...options }) => ({
  inputs: { x: zeros(x) },
  constants: { mask: zeros(mask) },
  options,
});
const masked = (...mask: number[]) => ({
  inputs: { x: zeros([1, 2]) },
  constants: { mask: { shape: [1, 2], data: Float64Array.from(mask) } },
  options: {},
});

export const laws = specify('dropout', {
  cases,
  // 1 − p is a power of two: no rounding. The fixture with p = ¼ has some: u·4, divided by h
  precision: { compare: 'exact', h: 2 ** -5, tolerance: 1e-13 },
  laws: [
    law('y·(1 − p) is x where the mask is 1, and 0 elsewhere', cases, ({ forward }, call) => {
      const { mask } = call.constants;
      const { p } = call.options;
      const perPixel = mask.data.length === call.dy.data.length;
      const kept = tabulate(call.dy.shape, (n, c, ...pixel) => {
        const keep = get(mask, n, c, ...(perPixel ? pixel : pixel.map(() => 0)));
        return p < 1 && keep === 1 ? get(call.inputs.x, n, c, ...pixel) : 0;
      });
      expectTensor(
        'y·(1 − p)',
        map(forward(call), (value) => value * (1 - p)),
        kept,
      );
    }),
    law('dx is what dropout makes of dy', cases, ({ forward, backward }, call) => {
      expectTensor('dx', backward(call).dx, forward(change(call, { x: call.dy })));
    }),
    law('a mask and its opposite share x between them', cases, ({ forward }, call) => {
      const mask = map(call.constants.mask, (keep) => 1 - keep);
      const [y, opposite] = [forward(call), forward({ ...call, constants: { mask } })];
      const both = tabulate(y.shape, (...index) => get(y, ...index) + get(opposite, ...index));
      const { p } = call.options;
      expectTensor(
        'y + opposite',
        both,
        map(call.inputs.x, (value) => (p === 1 ? 0 : value / (1 - p))),
      );
    }),
    law('p = 0 with a mask of ones changes nothing, p = 1 leaves nothing', cases, ({ forward }, call) => {
      const mask = ones(call.constants.mask.shape);
      const at = (p: number) => forward({ ...call, constants: { mask }, options: { p } });
      expectTensor('y', at(0), call.inputs.x);
      expectTensor('y', at(1), zeros(call.dy.shape));
    }),
    law('what is left out is 0, were it NaN or ∞', cases, ({ forward }, call) => {
      const kept = forward(change(call, { x: ones(call.dy.shape) }));
      for (const value of [NaN, Infinity, -Infinity]) {
        const y = forward(change(call, { x: map(kept, () => value) }));
        expectTensor(
          'y',
          y,
          map(kept, (one) => (one === 0 ? 0 : value)),
        );
      }
    }),
    law('p left out: ½', cases, ({ forward }, call) => {
      expectTensor('y', forward({ ...call, options: {} }), forward({ ...call, options: { p: 0.5 } }));
    }),
    law('⟨y, dy⟩ = ⟨x, dx⟩', cases, ({ forward, backward }, call) => {
      expectTensor('⟨x, dx⟩', dot(call.inputs.x, backward(call).dx), dot(forward(call), call.dy));
    }),
  ],
  rejects: [
    [of({ x: [0, 3], mask: [0, 3] }), 'dropout: x has shape (0, 3), expected (N, C)'],
    [of({ x: [3], mask: [3] }), 'dropout: x has shape (3), expected (N, C, …)'],
    [of({ mask: [2, 3] }), 'dropout: mask has shape (2, 3), expected (2, 3, 4, 5) or (2, 3, 1, 1)'],
    [of({ mask: [1, 3, 1, 1] }), 'dropout: mask has shape (1, 3, 1, 1), expected (2, 3, 4, 5) or (2, 3, 1, 1)'],
    [of({ x: [2, 3], mask: [2, 1] }), 'dropout: mask has shape (2, 1), expected (2, 3)'],
    [masked(1, 0.5), 'dropout: mask has 0.5 at position 1, expected 0 or 1'],
    [masked(-1, 1), 'dropout: mask has -1 at position 0, expected 0 or 1'],
    [masked(1), 'dropout: mask has shape (1, 2) and 1 numbers, expected 2'],
    [of({ p: 1.5 }), 'dropout: p is 1.5, expected a number from 0 to 1'],
    [of({ p: -0.1 }), 'dropout: p is -0.1, expected a number from 0 to 1'],
    [of({ p: NaN }), 'dropout: p is NaN, expected a number from 0 to 1'],
    [of({ rate: 0.5 }), 'dropout: there is no option rate, expected p'],
  ],
});
