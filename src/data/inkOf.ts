import { boxAbove } from './boxAbove.ts';
import { closing } from './closing.ts';
import { inGray, invert, type Picture } from './image.ts';

/** Every stroke is narrower than this share of the picture's longer side. */
const STROKE = 1 / 3;
/** Ink shows where it is more than this share as dark as the darkest: of the grain of paper and the edges of shadows little is. */
const SURE = 0.6;

/**
 * How much ink is on each pixel of a picture in gray, from 0 to 255, whether it is dark on light or light on dark, and however
 * the light falls. The paper is the closing of the picture: what it is without its strokes.
 *
 *     ink = (paper − v) / (paper + 32)        scaled so that its greatest is 255
 *
 * This is the share of the light that ink takes away: under a shadow it is as large as beside it; 32 keeps the noise of what
 * is nearly black small. Light on dark is the same of 255 − v. Which of both it is, the box around the ink shows: strokes lie
 * around the gaps between them, and gaps are what the other reading takes for ink. To compare the two, 255 stands in for 32:
 * then the noise of both counts alike, be the paper black or white.
 *
 * @returns the ink, and the greatest difference of a pixel from its paper
 * @throws RangeError if the picture is malformed or not in gray
 */
export function inkOf(picture: Picture): { readonly ink: Picture; readonly contrast: number } {
  const { height, width } = inGray('inkOf', picture);
  const size = Math.ceil(STROKE * Math.max(height, width));
  const readings = [picture, invert(picture)].map(({ pixels }) => ({
    pixels,
    paper: closing({ ...picture, pixels }, size).pixels,
  }));
  const shares = readings.map((reading) => share(reading, 255));
  const sure = SURE * Math.max(...shares.map(greatest));
  const [dark, light] = shares.map((ink) => area(ink, width, sure));
  const { pixels, paper } = readings[dark >= light ? 0 : 1];
  const ink = share({ pixels, paper }, 32);
  const most = greatest(ink);
  const contrast = pixels.reduce((most, value, i) => Math.max(most, paper[i] - value), 0);
  return {
    ink: {
      height,
      width,
      channels: 1,
      pixels: Uint8Array.from(ink, (value) => most && Math.round((255 * value) / most)),
    },
    contrast,
  };
}

const share = ({ pixels, paper }: { readonly pixels: Uint8Array; readonly paper: Uint8Array }, black: number) =>
  Float64Array.from(pixels, (value, i) => (paper[i] - value) / (paper[i] + black));

const greatest = (values: Float64Array) => values.reduce((a, b) => Math.max(a, b));

/** Of the box around all values above a threshold. */
function area(values: Float64Array, width: number, threshold: number): number {
  const box = boxAbove(values, width, threshold);
  return box ? box.height * box.width : 0;
}
