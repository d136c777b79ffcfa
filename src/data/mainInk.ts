import { between } from '../tensor.ts';
import { inGray, type Picture } from './image.ts';

/** A piece of ink with less than this share of the pixels of the largest piece is a speck. */
const SPECK = 0.1;

/**
 * A picture of ink without its specks, and with paper where there is little of it: pieces of neighbouring pixels (also across
 * corners) above `paper` stay as they are if they have at least a tenth as many pixels as the largest; all else becomes 0.
 *
 * @throws RangeError if the picture is malformed or not in gray, or paper is not in [0, 255]
 */
export function mainInk(picture: Picture, paper: number): Picture {
  const { height, width, pixels } = inGray('mainInk', picture);
  between('mainInk: paper', paper, 0, 255);
  const pieces: number[][] = [];
  const seen = new Uint8Array(pixels.length);
  for (let start = 0; start < pixels.length; start++) {
    if (pixels[start] <= paper || seen[start]) continue;
    const piece = [start];
    seen[start] = 1;
    for (const at of piece) {
      const [row, column] = [Math.floor(at / width), at % width];
      for (let r = Math.max(0, row - 1); r <= Math.min(height - 1, row + 1); r++)
        for (let c = Math.max(0, column - 1); c <= Math.min(width - 1, column + 1); c++) {
          const near = r * width + c;
          if (pixels[near] <= paper || seen[near]) continue;
          seen[near] = 1;
          piece.push(near);
        }
    }
    pieces.push(piece);
  }
  const least = SPECK * pieces.reduce((most, { length }) => Math.max(most, length), 0);
  const kept = new Uint8Array(pixels.length);
  for (const piece of pieces) if (piece.length >= least) for (const at of piece) kept[at] = pixels[at];
  return { height, width, channels: 1, pixels: kept };
}
