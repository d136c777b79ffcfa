import type { Picture } from '../../src/data/image.ts';
import type { Random } from '../../src/random.ts';
import { curve, written, type Point, type Stroke } from './strokes.ts';

export type Colour = readonly [red: number, green: number, blue: number];

/** How a digit is written, on what, and in which light it is photographed. */
export interface Scene {
  readonly strokes: readonly Stroke[];
  readonly height: number;
  readonly width: number;
  /** Of the digit, as a share of the picture's height, and where its middle is, as shares of height and width. */
  readonly size: number;
  readonly middle?: Point;
  /** Of a stroke, as a share of the digit's height. */
  readonly thickness: number;
  readonly slant?: number;
  readonly paper: Colour;
  readonly ink: Colour;
  /** How much of the ink comes off the pen, from 0 to 1: less is a pencil or chalk, with the grain of the paper in it. */
  readonly pressure?: number;
  /** How much darker it gets from one edge to the other, as a share, and in which direction, in turns from the right. */
  readonly dimming?: readonly [share: number, direction: number];
  /** How much darker the corners are. */
  readonly vignette?: number;
  /** A shadow that falls on one side: how much darker it is, where its edge is, its direction, and how soft its edge is. */
  readonly shadow?: readonly [share: number, place: number, direction: number, softness: number];
  /** The standard deviation of the paper's grain and the camera's noise, of 255. */
  readonly grain?: number;
  /** Lines printed on the paper: their distance in pixels, and their colour. */
  readonly ruled?: readonly [distance: number, colour: Colour];
  /** Crumbs and dots, smaller than the strokes. */
  readonly specks?: number;
  /** Whether there is no paper: the ink on nothing. */
  readonly transparent?: boolean;
}

/** The picture of a scene: red, green, blue; and alpha if it is transparent. */
export function photograph(scene: Scene, random: Random): Picture {
  const { height, width, size, thickness, paper, ink, ruled, transparent = false } = scene;
  const { middle: [x0, y0] = [0.5, 0.5], slant = 0, pressure = 1, grain = 0, specks = 0 } = scene; // prettier-ignore
  const { normal, uniform } = random;
  const place = ([x, y]: Point): Point => [
    x0 * width + (x - 0.5) * size * height,
    y0 * height + (y - 0.5) * size * height,
  ];
  const lines = written(scene.strokes, slant, random).map((stroke) => curve(stroke).map(place));
  const radius = (thickness * size * height) / 2;
  const covered = coverage(height, width, lines, radius);
  const dots = Array.from({ length: specks }, (): Point => [width * uniform(), height * uniform()]);
  const dotted = coverage(
    height,
    width,
    dots.map((dot) => [dot, dot]),
    Math.max(0.7, radius / 4),
  );

  const channels = transparent ? 4 : 3;
  const pixels = new Uint8Array(height * width * channels);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      const i = row * width + column;
      const texture = pressure < 1 ? Math.min(1, Math.max(0, pressure + 0.5 * (1 - pressure) * normal())) : 1;
      const share = Math.max(covered[i] * texture, dotted[i]);
      if (transparent) {
        pixels.set([...ink, Math.round(255 * share)], 4 * i);
        continue;
      }
      const light = lightAt(scene, column / width, row / height);
      const noise = grain * normal();
      const onLine = ruled !== undefined && row % ruled[0] < 2;
      for (let c = 0; c < 3; c++) {
        const page = onLine ? ruled[1][c] : paper[c];
        pixels[3 * i + c] = Math.round(Math.min(255, Math.max(0, light * (page + share * (ink[c] - page)) + noise)));
      }
    }
  return { height, width, channels, pixels };
}

/** How much light falls on a place, given as shares of width and height: 1 is all. */
function lightAt({ dimming, vignette = 0, shadow }: Scene, x: number, y: number): number {
  const along = (direction: number) =>
    0.5 + (x - 0.5) * Math.cos(2 * Math.PI * direction) + (y - 0.5) * Math.sin(2 * Math.PI * direction);
  let light = 1 - 2 * vignette * ((x - 0.5) ** 2 + (y - 0.5) ** 2);
  if (dimming) light *= 1 - dimming[0] * along(dimming[1]);
  if (shadow) {
    const [share, edge, direction, softness] = shadow;
    light *= 1 - share / (1 + Math.exp((edge - along(direction)) / softness));
  }
  return light;
}

/** How much of each pixel lies within `radius` of the lines, from 0 to 1. */
function coverage(height: number, width: number, lines: readonly (readonly Point[])[], radius: number): Float64Array {
  const share = new Float64Array(height * width);
  for (const line of lines)
    for (let i = 1; i < line.length; i++) {
      const [[ax, ay], [bx, by]] = [line[i - 1], line[i]];
      const squared = (bx - ax) ** 2 + (by - ay) ** 2;
      const reach = radius + 1;
      const [top, bottom] = [Math.floor(Math.min(ay, by) - reach), Math.ceil(Math.max(ay, by) + reach)];
      const [left, right] = [Math.floor(Math.min(ax, bx) - reach), Math.ceil(Math.max(ax, bx) + reach)];
      for (let row = Math.max(0, top); row < Math.min(height, bottom); row++)
        for (let column = Math.max(0, left); column < Math.min(width, right); column++) {
          const [x, y] = [column + 0.5 - ax, row + 0.5 - ay];
          const t = squared > 0 ? Math.max(0, Math.min(1, (x * (bx - ax) + y * (by - ay)) / squared)) : 0;
          const distance = Math.hypot(x - t * (bx - ax), y - t * (by - ay));
          const at = row * width + column;
          share[at] = Math.max(share[at], Math.max(0, Math.min(1, radius - distance + 0.5)));
        }
    }
  return share;
}
