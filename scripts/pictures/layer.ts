import type { Picture } from '../../src/data/image.ts';
import type { LayerStep } from '../../src/network.ts';
import type { Tensor } from '../../src/tensor.ts';
import { drawMaps, enlarge, range } from '../drawMaps.ts';
import { colourOf, grays, scaleBar, viridis, type Colours } from './colours.ts';
import { shifted, titled, together, type Page, type Text } from './drawPage.ts';

const activations: readonly string[] = ['relu', 'leakyRelu', 'tanh', 'sigmoid'];

/** What came of a layer, and the layers it is after: of itself, and of an activation that follows, at once or after a batch norm. */
export function shownFrom(steps: readonly LayerStep[], at: number): { readonly names: string; readonly y: Tensor } {
  const activates = (i: number) => activations.includes(steps[i]?.layer);
  const normalised = steps[at + 1]?.layer === 'batchNormInference' && activates(at + 2);
  const more = activates(at + 1) ? 1 : normalised ? 2 : 0;
  const shown = steps.slice(at, at + 1 + more);
  return {
    names: shown
      .map(({ node }) => node.name)
      .join(', ')
      .replace(/, ([^,]*)$/, ' and $1'),
    y: shown.at(-1)!.y,
  };
}

/**
 * What a layer makes of an image, with the image beside it.
 *
 *     x (1, C, H, W)    the image, from 0 to 1
 *     y (1, C, H, W)    maps; or (1, D): numbers, drawn as rows of squares
 *
 * @throws RangeError if y has a number that is not finite
 */
export async function layerPage(title: string, x: Tensor, caption: string, y: Tensor): Promise<Page> {
  const colours = await viridis();
  const maps = y.shape.length === 4;
  const what = maps
    ? `${y.shape[1]} ${y.shape[1] === 1 ? 'map' : 'maps'} of ${y.shape[2]}×${y.shape[3]}, numbered along the rows from 0, each in colours from its own least number to its own largest`
    : `${y.shape[1]} numbers, in colours from the least to the largest`;
  const body = maps ? mapsOf(y, colours) : numbersOf(y, colours);
  const image = imageOf(x);
  const left = shifted(
    { ...image, texts: [{ text: caption, x: 0, y: image.height + 20 }], height: image.height + 28 },
    8,
    0,
  );
  const bar = scaleBar(colours, maps ? ['least', 'largest'] : range(y.data).map(short));
  const under = shifted(bar, left.height + 16, 0);
  const right = shifted(body, 0, Math.max(left.width, under.width) + 24);
  return titled(title, [what], together(left, under, right));
}

/** An image enlarged to about 200 pixels: in gray, or in red, green and blue. */
export function imageOf(x: Tensor, side = 200): Page {
  const [, C, H, W] = x.shape;
  const scale = Math.max(1, Math.floor(side / Math.max(H, W)));
  return { height: H * scale, width: W * scale, pictures: [{ picture: coloured(x.data, C, H, W, scale), top: 0, left: 0 }], texts: [] }; // prettier-ignore
}

function coloured(pixels: Float64Array, C: number, H: number, W: number, scale: number): Picture {
  if (C === 1) return enlarge(pixels, [H, W], scale, colourOf(grays, 0, 1));
  const positions = Array.from({ length: H * W }, (_, i) => i);
  return enlarge(positions, [H, W], scale, (i) => [0, 1, 2].map((c) => Math.round(255 * pixels[c * H * W + i])));
}

function mapsOf(y: Tensor, colours: Colours): Page {
  const picture = drawMaps(y, colours);
  return { height: picture.height, width: picture.width, pictures: [{ picture, top: 0, left: 0 }], texts: [] };
}

/** Squares of 28 pixels in rows of 32, each row with the place of its first; of few numbers each with itself below. */
function numbersOf({ shape: [, D], data }: Tensor, colours: Colours): Page {
  const wrong = data.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`layerPage: y has ${wrong}, expected finite numbers`);
  const few = D <= 16;
  const [side, columns] = few ? [56, D] : [28, Math.min(D, 32)];
  const colour = colourOf(colours, ...range(data));
  const across = few ? 0 : 48;
  const rows = Array.from({ length: Math.ceil(D / columns) }, (_, row) => data.subarray(row * columns, (row + 1) * columns)); // prettier-ignore
  const down = (row: number) => 8 + row * (side + 4);
  const texts = few
    ? Array.from(data, (value, i): Text[] => [
        { text: `${i}`, x: (i + 0.5) * side, y: side + 30, anchor: 'middle', bold: true },
        { text: short(value), x: (i + 0.5) * side, y: side + 50, anchor: 'middle', size: 13 },
      ]).flat()
    : rows.map((_, row): Text => ({ text: `${row * columns}`, x: across - 8, y: down(row) + 19, anchor: 'end', size: 13 })); // prettier-ignore
  return {
    height: down(rows.length) + (few ? 48 : 0),
    width: across + columns * side,
    pictures: Array.from(data, (value, i) => ({
      picture: enlarge([value], [1, 1], side - 2, colour),
      top: down(Math.floor(i / columns)),
      left: across + (i % columns) * side,
    })),
    texts,
  };
}

/** '−3.14' */
export const short = (value: number): string => `${Number(value.toPrecision(3))}`.replace('-', '−');
