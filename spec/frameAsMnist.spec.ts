import fc from 'fast-check';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import * as real from '../src/data/frameAsMnist.ts';
import type { Picture } from '../src/data/image.ts';
import { mnist } from '../src/data/mnist.ts';
import { resize } from '../src/data/resize.ts';
import { expectPicture, gray, pictureOf, pictures, placed, rowsOf } from './pictures.ts';
import { expectFunction, functionFixtures } from './functions.ts';
import { specifyModule } from './specifyModule.ts';

specifyModule('frameAsMnist', real, (module, { describe, it }) => {
  const { frameAsMnist } = module;
  it.each(functionFixtures('frameAsMnist'))('golden: $title', (golden) => expectFunction(module, golden));

  const { train, test } = mnist(fileURLToPath(new URL('../golden/mnist/', import.meta.url)));
  const all = [train, test].flatMap((set) => Array.from(set.labels, (_, n) => pictureOf(set, n)));

  /** A picture of one value. */
  const solid = (height: number, width: number, value = 255) =>
    gray(Array.from({ length: height }, () => Array<number>(width).fill(value)));

  /** Where the ink of a picture is: its first and last rows and columns. */
  const boxOf = ({ width, pixels }: Picture) => {
    const inked = [...pixels.keys()].filter((i) => pixels[i] > 0);
    const columns = inked.map((i) => i % width).toSorted((a, b) => a - b);
    const [top, bottom] = [inked[0], inked.at(-1)!].map((i) => Math.floor(i / width));
    return { top, bottom, left: columns[0], right: columns.at(-1)! };
  };
  const sidesOf = (picture: Picture) => {
    const { top, bottom, left, right } = boxOf(picture);
    return [bottom - top + 1, right - left + 1];
  };
  /** Σ (i + ½)·v / Σ v, for rows and for columns. */
  const centreOf = ({ width, pixels }: Picture) => {
    const mass = pixels.reduce((sum, value) => sum + value, 0);
    return [(i: number) => Math.floor(i / width), (i: number) => i % width].map(
      (index) => pixels.reduce((sum, value, i) => sum + value * (index(i) + 0.5), 0) / mass,
    );
  };

  describe('golden: digits of MNIST are framed already', () => {
    it('of 1,500 all come back bit by bit, but for the one whose ink is 19×19', () => {
      const moved = all.filter((digit) => Buffer.compare(frameAsMnist(digit).pixels, digit.pixels) !== 0);
      expect(moved.map(sidesOf)).toEqual([[19, 19]]);
    });

    it('so they keep the rule: their longer side is 20 pixels, their centre of mass on pixel 14', () => {
      expect(all.filter((digit) => Math.max(...sidesOf(digit)) !== 20)).toHaveLength(1);
      for (const digit of all) expect(centreOf(digit).map(Math.floor)).toEqual([14, 14]);
    });

    it('anywhere on a larger black field they are the same', () => {
      const place = fc.record({ n: fc.nat(all.length - 1), top: fc.nat(40), left: fc.nat(40) });
      fc.assert(
        fc.property(place, ({ n, top, left }) => {
          const moved = placed(all[n], 0, [28 + 40, 28 + 40], [top, left]);
          expectPicture(frameAsMnist(moved), frameAsMnist(all[n]));
        }),
      );
    });

    it('enlarged to five times their size they come back blurred, and most of them exactly where they were', () => {
      /** How far two pictures differ, on average over their pixels, if the second is moved. */
      const differ = (a: Picture, b: Picture, down: number, right: number) =>
        a.pixels.reduce((sum, value, i) => {
          const [row, column] = [Math.floor(i / 28) - down, (i % 28) - right];
          const inside = row >= 0 && row < 28 && column >= 0 && column < 28;
          return sum + Math.abs(value - (inside ? b.pixels[row * 28 + column] : 0)) / 784;
        }, 0);
      const moves = [-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => [down, right]));
      const inPlace = all.slice(0, 200).filter((digit) => {
        const framed = frameAsMnist(resize(digit, 140, 140, 'bilinear'));
        const differences = moves.map(([down, right]) => differ(framed, digit, down, right));
        const least = Math.min(...differences);
        expect(least).toBeLessThan(14); // of 255; measured: 13.6 at most, 7.9 on average
        return differences.indexOf(least) === 4;
      });
      // measured: 173. The others had their centre of mass beside the edge of a pixel, and the blur moved it across.
      expect(inPlace.length).toBeGreaterThan(160);
    });
  });

  it.each<[string, Picture, number[], number[]]>([
    // rows and columns are a·20 / longer side, and the corner 14 − ⌊half of them⌋
    ['a square', solid(7, 7), [20, 20], [4, 4]],
    ['a tall stroke keeps its ratio', solid(60, 6), [20, 2], [4, 13]],
    ['a wide one as well', solid(8, 40), [4, 20], [12, 4]],
    ['a small one grows', solid(2, 1), [20, 10], [4, 9]],
    ['a hair is at least one pixel wide', solid(100, 1), [20, 1], [4, 14]],
  ])('%s', (_, ink, [height, width], corner) => {
    const framed = frameAsMnist(placed(ink, 0, [120, 120], [11, 5]));
    expectPicture(framed, placed(solid(height, width), 0, [28, 28], corner));
  });

  it('a line narrower than a pixel becomes gray, by the bilinear filter', () => {
    // halved, the weights are 1/8 3/8 3/8 1/8: column 20 of 40 has 3/8 of column 10 and 1/8 of column 9
    const line = gray(Array.from({ length: 40 }, () => Array<number>(40).fill(255).with(20, 0)));
    const halves = Array<number>(20).fill(255).with(9, 223).with(10, 159);
    expectPicture(frameAsMnist(line), placed(gray(Array.from({ length: 20 }, () => halves)), 0, [28, 28], [4, 5])); // its centre: column 9.97
  });

  it('the centre of mass decides, not the box', () => {
    // an L of 20×20: a stem of 20×4 and a foot of 4×16. Σv = 80 + 64 pixels, Σ(i+½)v = 80·10 + 64·18 = 1952: 13.55…
    const ink = gray(
      Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, (_, j) => (i > 15 || j < 4 ? 99 : 0))),
    );
    const columns = (80 * 2 + 64 * 12) / 144; // 6.44…
    expectPicture(frameAsMnist(ink), placed(ink, 0, [28, 28], [14 - 13, 14 - Math.floor(columns)]));
  });

  it('but the box stays on the field', () => {
    const faint = gray(Array.from({ length: 20 }, (_, i) => Array.from({ length: 20 }, () => (i < 19 ? 1 : 255))));
    expect(Math.floor(centreOf(faint)[0])).toBe(18); // 14 − 18 would be above the field
    expectPicture(frameAsMnist(faint), placed(faint, 0, [28, 28], [0, 4]));
    const lower = gray(rowsOf(faint).toReversed());
    expect(Math.floor(centreOf(lower)[0])).toBe(1); // 14 − 1 would end 5 rows below it
    expectPicture(frameAsMnist(lower), placed(lower, 0, [28, 28], [8, 4]));
  });

  it('whatever the ink: a box of at most 20×20, and the centre of mass on pixel 14 unless the box lies at the edge', () => {
    fc.assert(
      fc.property(pictures(fc.constantFrom(0, 0, 90, 200, 255), 40), fc.nat(120), (picture, at) => {
        const ink = { ...picture, pixels: picture.pixels.with(at % picture.pixels.length, 255) };
        const framed = frameAsMnist(ink);
        expect([framed.height, framed.width]).toEqual([28, 28]);
        const [height, width] = sidesOf(framed);
        expect(Math.max(height, width)).toBeLessThanOrEqual(20);
        const { top, bottom, left, right } = boxOf(framed);
        const ends = [[top, bottom], [left, right]]; // prettier-ignore
        centreOf(framed).forEach((centre, axis) => {
          const [start, end] = ends[axis];
          if (start > 0 && end < 27) expect(Math.floor(centre)).toBe(14);
        });
      }),
    );
  });

  describe('paper', () => {
    const noisy = placed(solid(10, 5), 3, [40, 30], [20, 20]);

    it('a page that is not quite black is ink from edge to edge', () => {
      expect(sidesOf(frameAsMnist(noisy))).toEqual([20, 15]); // 40×30
    });

    it('unless it is called paper, and then it is black', () => {
      const framed = placed(solid(20, 10), 0, [28, 28], [4, 9]);
      expectPicture(frameAsMnist(noisy, { paper: 3 }), framed);
      expectPicture(frameAsMnist(noisy, { paper: 254.5 }), framed);
    });

    it('ink within the box that is no brighter is paper too', () => {
      const ring = gray([[9, 9, 9], [9, 3, 9], [9, 9, 9]]); // prettier-ignore
      const hole = gray([[9, 9, 9], [9, 0, 9], [9, 9, 9]]); // prettier-ignore
      expectPicture(frameAsMnist(ring, { paper: 3 }), frameAsMnist(hole));
    });
  });

  it('the picture is not written to', () => {
    const before = gray([[0, 4, 0], [0, 9, 0], [0, 2, 1]]); // prettier-ignore
    const picture = structuredClone(before);
    frameAsMnist(picture, { paper: 2 });
    expect(picture).toEqual(before);
  });

  const two = placed(gray([[1]]), 0, [1000, 900], [0, 0]);
  const speckles = { ...two, pixels: two.pixels.with(-1, 1) };
  it.each<[string, () => unknown]>([
    ['frameAsMnist: the picture has no ink, expected a pixel brighter than 0', () => frameAsMnist(solid(5, 4, 0))],
    [
      'frameAsMnist: the picture has no ink, expected a pixel brighter than 200',
      () => frameAsMnist(solid(5, 4, 200), { paper: 200 }),
    ],
    [
      'frameAsMnist: the ink is so little on 1000×900 pixels that nothing is left on 20×18, expected more of it',
      () => frameAsMnist(speckles),
    ],
    ['frameAsMnist: paper is -1, expected a number from 0 to 255', () => frameAsMnist(solid(2, 2), { paper: -1 })],
    ['frameAsMnist: paper is NaN, expected a number from 0 to 255', () => frameAsMnist(solid(2, 2), { paper: NaN })],
    [
      'frameAsMnist: there is no option threshold, expected paper',
      () => frameAsMnist(solid(2, 2), { threshold: 1 } as never),
    ],
    [
      'frameAsMnist: the picture has 3 channels, expected 1: see grayscale',
      () => frameAsMnist({ height: 1, width: 1, channels: 3, pixels: new Uint8Array(3) }),
    ],
  ])('error: %s', (message, attempt) => {
    expect(attempt).toThrow(new RangeError(message));
  });
});
