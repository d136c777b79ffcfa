import type { Picture } from '../src/data/image.ts';
import { dims, type Tensor } from '../src/tensor.ts';
import { colourOf, type Colours } from './pictures/colours.ts';
import { paste, type Placed } from './pictures/drawPage.ts';

/**
 * How many rows and columns a number of maps makes: full rows if one is at most twice as long as there are of them (32 maps
 * are 4 rows of 8), else as near to a square as may be.
 */
export function gridOf(count: number): readonly [rows: number, columns: number] {
  const most = Math.ceil(Math.sqrt(count));
  for (let columns = most; columns ** 2 <= 2 * count; columns++)
    if (count % columns === 0) return [count / columns, columns];
  return [Math.ceil(count / most), most];
}

export const [WIDTH, HEIGHT] = [1200, 600];
export const GAP = 8;

/** How many pixels make the side of the square of one number, so that a grid of maps fits: at least 1. */
export function scaleOf(
  [H, W]: readonly [number, number],
  [rows, columns]: readonly [number, number],
  gap = GAP,
): number {
  const fits = (length: number, count: number, size: number) => (length - (count + 1) * gap) / (count * size);
  return Math.max(1, Math.floor(Math.min(fits(WIDTH, columns, W), fits(HEIGHT, rows, H))));
}

/** Every number of a map, which lie row by row, as a square of scale×scale pixels in the colour that it has. */
export function enlarge(
  map: ArrayLike<number>,
  [H, W]: readonly [number, number],
  scale: number,
  colour: (value: number) => readonly number[],
): Picture {
  const [height, width] = [H * scale, W * scale];
  const pixels = new Uint8Array(height * width * 3);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      pixels.set(colour(map[Math.floor(row / scale) * W + Math.floor(column / scale)]), (row * width + column) * 3);
  return { height, width, channels: 3, pixels };
}

/**
 * The maps of one image side by side, on white: each in colours from its own minimum to its own maximum,
 * every number enlarged to a square of equal pixels. The picture has at most 1200×600 of them, or, where that would need
 * squares smaller than 1, as many as there are numbers and gaps.
 *
 *     maps (1, C, H, W)
 *     colour = colours[min(255, ⌊256·((v − min) / (max − min))⌋)]        of a map of equal numbers the first
 *
 * @throws RangeError if maps is not the maps of one image, or a number in it is not finite
 */
export function drawMaps(maps: Tensor, colours: Colours): Picture {
  const [, C, H, W] = dims('drawMaps: maps', maps, [1, 'C', 'H', 'W']);
  const wrong = maps.data.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`drawMaps: maps has ${wrong}, expected finite numbers`);
  const [rows, columns] = gridOf(C);
  const scale = scaleOf([H, W], [rows, columns]);
  const placed = Array.from({ length: C }, (_, c): Placed => {
    const map = maps.data.subarray(c * H * W, (c + 1) * H * W);
    return {
      picture: enlarge(map, [H, W], scale, colourOf(colours, ...range(map))),
      top: GAP + Math.floor(c / columns) * (H * scale + GAP),
      left: GAP + (c % columns) * (W * scale + GAP),
    };
  });
  return paste(rows * (H * scale + GAP) + GAP, columns * (W * scale + GAP) + GAP, placed);
}

/** The least and the largest of numbers, of which there may be more than Math.min takes as arguments. */
export function range(numbers: Float64Array): [least: number, most: number] {
  return [numbers.reduce((a, b) => Math.min(a, b)), numbers.reduce((a, b) => Math.max(a, b))];
}
