import { interpolateViridis } from 'd3-scale-chromatic';
import type { Picture } from '../src/data/image.ts';
import { dims, type Tensor } from '../src/tensor.ts';

/** The 256 colours of viridis, from dark blue to yellow: red, green, blue. */
export const viridis: readonly (readonly [number, number, number])[] = Array.from({ length: 256 }, (_, i) => {
  const colour = Number.parseInt(interpolateViridis((i + 0.5) / 256).slice(1), 16); // '#440154'
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
});

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

const [WIDTH, HEIGHT] = [1200, 600];
const GAP = 8;

/**
 * The maps of one image side by side, on white: each in the colours of viridis from its own minimum to its own maximum,
 * every number enlarged to a square of equal pixels. The picture has at most 1200×600 of them, or, where that would need
 * squares smaller than 1, as many as there are numbers and gaps.
 *
 *     maps (1, C, H, W)
 *     colour = viridis[min(255, ⌊256·((v − min) / (max − min))⌋)]        of a map of equal numbers the first
 *
 * @throws RangeError if maps is not the maps of one image, or a number in it is not finite
 */
export function drawMaps(maps: Tensor): Picture {
  const [, C, H, W] = dims('drawMaps: maps', maps, [1, 'C', 'H', 'W']);
  const wrong = maps.data.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`drawMaps: maps has ${wrong}, expected finite numbers`);
  const [rows, columns] = gridOf(C);
  const fits = (length: number, count: number, size: number) => (length - (count + 1) * GAP) / (count * size);
  const scale = Math.max(1, Math.floor(Math.min(fits(WIDTH, columns, W), fits(HEIGHT, rows, H))));
  const [height, width] = [rows * (H * scale + GAP) + GAP, columns * (W * scale + GAP) + GAP];
  const pixels = new Uint8Array(height * width * 3).fill(255);
  for (let c = 0; c < C; c++) {
    const map = maps.data.subarray(c * H * W, (c + 1) * H * W);
    const colourOf = colours(map);
    const top = GAP + Math.floor(c / columns) * (H * scale + GAP);
    const left = GAP + (c % columns) * (W * scale + GAP);
    for (let row = 0; row < H * scale; row++)
      for (let column = 0; column < W * scale; column++) {
        const value = map[Math.floor(row / scale) * W + Math.floor(column / scale)];
        pixels.set(colourOf(value), ((top + row) * width + left + column) * 3);
      }
  }
  return { height, width, channels: 3, pixels };
}

/** The colour of every number of a map, which may have more of them than Math.min takes as arguments. */
function colours(map: Float64Array): (value: number) => readonly number[] {
  const least = map.reduce((a, b) => Math.min(a, b));
  const range = map.reduce((a, b) => Math.max(a, b)) - least;
  return (value) => viridis[range > 0 ? Math.min(255, Math.floor(256 * ((value - least) / range))) : 0];
}
