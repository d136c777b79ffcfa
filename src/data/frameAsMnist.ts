import { between, knownOptions } from '../tensor.ts';
import { boxAbove } from './boxAbove.ts';
import { inGray, type Picture } from './image.ts';
import { resize } from './resize.ts';

export interface FrameAsMnistOptions {
  /** The brightness up to which a pixel is paper, and becomes 0. From 0 to 255. Default 0. */
  readonly paper?: number;
}

const FIELD = 28;
const BOX = 20;

/**
 * A digit, white on black, where the pictures of MNIST have it: its ink (what is brighter than the paper) is cut out,
 * scaled to fit 20×20 pixels with the ratio of its sides kept, and laid on 28×28 black ones so that its centre of mass
 * falls on pixel (14, 14), or as near to that as its box stays within the 28×28.
 *
 *     centre of mass = Σ (i + ½)·v / Σ v        of rows i and, likewise, of columns; v is the brightness
 *
 * Of the two pixels beside the middle it is 14, not 13: so it is in MNIST itself, measured.
 *
 * @throws RangeError if the picture is malformed, not in gray or without ink, or an option is out of range
 * @see LeCun, Cortes, Burges, The MNIST database of handwritten digits
 */
export function frameAsMnist(picture: Picture, options: FrameAsMnistOptions = {}): Picture {
  knownOptions('frameAsMnist', options, ['paper']);
  const { paper = 0 } = options;
  between('frameAsMnist: paper', paper, 0, 255);
  const ink = inked(inGray('frameAsMnist', picture), paper);
  const scale = BOX / Math.max(ink.height, ink.width);
  const scaled = (size: number) => Math.max(1, Math.round(size * scale));
  const digit = resize(ink, scaled(ink.height), scaled(ink.width), 'bilinear');
  if (digit.pixels.every((value) => value === 0))
    throw new RangeError(
      `frameAsMnist: the ink is so little on ${ink.height}×${ink.width} pixels ` +
        `that nothing is left on ${digit.height}×${digit.width}, expected more of it`,
    );
  const [top, left] = corner(digit);
  const pixels = new Uint8Array(FIELD * FIELD);
  for (let row = 0; row < digit.height; row++)
    pixels.set(digit.pixels.subarray(row * digit.width, (row + 1) * digit.width), (top + row) * FIELD + left);
  return { height: FIELD, width: FIELD, channels: 1, pixels };
}

/** The smallest part of a picture that holds all its ink; what is paper in it becomes 0. */
function inked({ width, pixels }: Picture, paper: number): Picture {
  const box = boxAbove(pixels, width, paper);
  if (!box) throw new RangeError(`frameAsMnist: the picture has no ink, expected a pixel brighter than ${paper}`);
  const { top, left, ...size } = box;
  const at = (i: number) => pixels[(top + Math.floor(i / size.width)) * width + left + (i % size.width)];
  const ink = new Uint8Array(size.height * size.width);
  for (let i = 0; i < ink.length; i++) ink[i] = at(i) > paper ? at(i) : 0;
  return { ...size, channels: 1, pixels: ink };
}

/** The row and the column of the field where the corner of a digit comes to lie. */
function corner({ height, width, pixels }: Picture): readonly [number, number] {
  let [mass, rows, columns] = [0, 0, 0];
  pixels.forEach((value, i) => {
    mass += value;
    rows += value * (Math.floor(i / width) + 0.5);
    columns += value * ((i % width) + 0.5);
  });
  const start = (centre: number, size: number) => Math.min(FIELD - size, Math.max(0, FIELD / 2 - Math.floor(centre)));
  return [start(rows / mass, height), start(columns / mass, width)];
}
