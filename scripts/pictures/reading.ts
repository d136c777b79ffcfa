import type { Picture } from '../../src/data/image.ts';
import type { Prediction } from '../../src/predict.ts';
import type { Tensor } from '../../src/tensor.ts';
import { enlarge } from '../drawMaps.ts';
import { optional } from '../optional.ts';
import { shifted, titled, together, type Page } from './drawPage.ts';
import { imageOf } from './layer.ts';

const SIDE = 280; // ten pixels to one of the network's 28
const [WINNER, OTHERS] = [[0x00, 0x72, 0xb2], [0xb8, 0xbc, 0xc2]] as const; // prettier-ignore

/**
 * How a digit was read: the picture as it was given, what the network saw of it, and the ten probabilities as bars.
 *
 *     x (1, 1, H, W)    what the network saw, from 0 to 1
 *
 * @throws RangeError if sharp is not installed
 */
export async function readingPage(
  title: string,
  note: string,
  picture: Picture,
  x: Tensor,
  { digit, probabilities }: Prediction,
): Promise<Page> {
  const given = await onWhite(picture);
  const columns = [
    captioned({ ...given, pictures: framed(given), texts: [] }, 'the picture'),
    captioned(imageOf(x, SIDE), 'what the network saw'),
    barsOf(probabilities, digit),
  ];
  let right = 0;
  const placed = columns.map((column) => {
    const page = shifted(column, 8, right);
    right = page.width + 32;
    return page;
  });
  return titled(title, [note], together(...placed));
}

/** In red, green and blue, and as high as what the network saw, or as wide if it is wider than high. */
async function onWhite({ height, width, channels, pixels }: Picture): Promise<Picture> {
  const sharp = await optional('sharp');
  const { data, info } = await sharp(pixels, { raw: { height, width, channels } })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .resize({
      height: SIDE,
      width: SIDE,
      fit: 'inside',
      kernel: Math.max(height, width) < SIDE / 4 ? 'nearest' : 'cubic',
    })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { height: info.height, width: info.width, channels: 3, pixels: data };
}

/** In a frame of one pixel around it: white paper on a white page has none. */
function framed(picture: Picture): Page['pictures'] {
  const [height, width] = [picture.height + 2, picture.width + 2];
  const frame = { height, width, channels: 3 as const, pixels: new Uint8Array(height * width * 3).fill(0xb8) };
  return [
    { picture: frame, top: -1, left: -1 },
    { picture, top: 0, left: 0 },
  ];
}

const captioned = (part: Page, text: string): Page => ({
  ...part,
  width: Math.max(part.width, 140), // of the words
  height: part.height + 28,
  texts: [...part.texts, { text, x: 0, y: part.height + 20 }],
});

/** A bar for each class, that of the winner in a colour of its own. */
function barsOf(probabilities: readonly number[], winner: number): Page {
  const [row, thick, left, long] = [SIDE / probabilities.length, 18, 24, 240];
  const bars = probabilities.map((probability, k) => ({
    top: Math.round(row * k),
    width: Math.max(1, Math.round(long * probability)),
    colour: k === winner ? WINNER : OTHERS,
    text: `${(100 * probability).toFixed(1)} %`,
  }));
  return {
    height: SIDE,
    width: left + long + 70,
    pictures: bars.flatMap(({ top, width, colour }) => {
      const line = enlarge(new Uint8Array(width), [1, width], 1, () => colour);
      return Array.from({ length: thick }, (_, i) => ({ picture: line, top: top + i, left }));
    }),
    texts: bars.flatMap(({ top, width, text }, k) => [
      { text: `${k}`, x: 0, y: top + 14, size: 15, bold: k === winner },
      { text, x: left + width + 8, y: top + 14, size: 13, bold: k === winner },
    ]),
  };
}
