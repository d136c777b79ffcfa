import type { Random } from '../../src/random.ts';

/** A place: x to the right, y down. */
export type Point = readonly [x: number, y: number];
/** A line that the pen draws without being lifted or turned sharply: points on a smooth curve. */
export type Stroke = readonly Point[];

/** How people write digits: strokes in a box of height 1. */
export const forms = {
  zero: [[[0.5, 0], [0.24, 0.2], [0.16, 0.58], [0.34, 0.95], [0.62, 0.97], [0.84, 0.6], [0.78, 0.2], [0.55, 0.01], [0.42, 0.04]]],
  one: [[[0.53, 0], [0.5, 0.5], [0.47, 1]]],
  oneWithFlag: [[[0.27, 0.27], [0.55, 0]], [[0.55, 0], [0.54, 0.5], [0.55, 1]]],
  two: [[[0.18, 0.24], [0.34, 0.04], [0.62, 0.01], [0.8, 0.2], [0.7, 0.5], [0.42, 0.79], [0.15, 1]], [[0.15, 1], [0.5, 0.95], [0.88, 0.98]]],
  twoWithLoop: [[[0.2, 0.2], [0.4, 0.02], [0.7, 0.06], [0.78, 0.3], [0.6, 0.62], [0.3, 0.92], [0.17, 0.93], [0.24, 0.8], [0.45, 0.88], [0.7, 1], [0.9, 0.92]]],
  three: [[[0.2, 0.12], [0.45, 0], [0.74, 0.12], [0.7, 0.36], [0.42, 0.47]], [[0.42, 0.47], [0.76, 0.56], [0.82, 0.8], [0.58, 0.99], [0.18, 0.9]]],
  fourOpen: [[[0.26, 0], [0.2, 0.3], [0.17, 0.58]], [[0.17, 0.58], [0.5, 0.57], [0.86, 0.54]], [[0.72, 0.06], [0.68, 0.5], [0.66, 1]]],
  fourClosed: [[[0.64, 0], [0.38, 0.34], [0.12, 0.66]], [[0.12, 0.66], [0.5, 0.66], [0.9, 0.64]], [[0.64, 0], [0.66, 0.5], [0.66, 1]]],
  five: [[[0.8, 0.02], [0.54, 0.02], [0.28, 0.03]], [[0.28, 0.03], [0.26, 0.22], [0.24, 0.42]], [[0.24, 0.42], [0.5, 0.36], [0.8, 0.5], [0.8, 0.82], [0.5, 1], [0.18, 0.9]]],
  six: [[[0.7, 0.01], [0.42, 0.18], [0.23, 0.55], [0.25, 0.85], [0.5, 1], [0.76, 0.85], [0.72, 0.6], [0.5, 0.52], [0.28, 0.7]]],
  seven: [[[0.15, 0.03], [0.5, 0.04], [0.85, 0.02]], [[0.85, 0.02], [0.56, 0.5], [0.42, 1]]],
  sevenCrossed: [[[0.15, 0.04], [0.5, 0.03], [0.85, 0.03]], [[0.85, 0.03], [0.58, 0.5], [0.44, 1]], [[0.34, 0.52], [0.56, 0.5], [0.78, 0.5]]],
  eight: [[[0.72, 0.14], [0.5, 0], [0.27, 0.15], [0.4, 0.4], [0.68, 0.58], [0.76, 0.82], [0.5, 1], [0.24, 0.82], [0.36, 0.57], [0.64, 0.4], [0.76, 0.2], [0.66, 0.05]]],
  nine: [[[0.75, 0.24], [0.52, 0.01], [0.25, 0.2], [0.3, 0.45], [0.55, 0.5], [0.75, 0.3]], [[0.76, 0.18], [0.74, 0.6], [0.66, 1]]],
} satisfies Record<string, readonly Stroke[]>; // prettier-ignore

/** The same strokes as a hand writes them: each point a little beside its place, and all leaning to the right. */
export function written(strokes: readonly Stroke[], slant: number, { normal }: Random): Stroke[] {
  const moved = new Map<string, Point>(); // strokes that meet go on meeting
  const move = ([x, y]: Point): Point => {
    const place = moved.get(`${x} ${y}`) ?? [x + slant * (0.5 - y) + 0.012 * normal(), y + 0.012 * normal()];
    moved.set(`${x} ${y}`, place);
    return place;
  };
  return strokes.map((stroke) => stroke.map(move));
}

const STEPS = 12;

/**
 * Points close to each other on the curve through a stroke's points.
 *
 *     p(t) = ½·(2·b + (c − a)·t + (2·a − 5·b + 4·c − d)·t² + (3·b − a − 3·c + d)·t³)       from b to c; a and d are beside them
 *
 * @see Catmull, Rom, A class of local interpolating splines, 1974
 */
export function curve(stroke: Stroke): Point[] {
  const at = (i: number) => stroke[Math.max(0, Math.min(stroke.length - 1, i))];
  const points = stroke.slice(1).flatMap((_, i) =>
    Array.from({ length: STEPS }, (_, step): Point => {
      const t = step / STEPS;
      const axis = (k: 0 | 1) => {
        const [a, b, c, d] = [at(i - 1)[k], at(i)[k], at(i + 1)[k], at(i + 2)[k]];
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t ** 2 + (3 * b - a - 3 * c + d) * t ** 3);
      };
      return [axis(0), axis(1)];
    }),
  );
  return [...points, stroke.at(-1)!];
}
