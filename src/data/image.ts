import { toNCHW } from '../layout.ts';
import { atLeast, type Tensor } from '../tensor.ts';

/** A picture of 8-bit pixels as decoders give it: row by row, and the channels of a pixel side by side. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  /** 1: gray. 2: gray and alpha. 3: red, green, blue. 4: red, green, blue and alpha. */
  readonly channels: 1 | 2 | 3 | 4;
  /** height · width · channels numbers. */
  readonly pixels: Uint8Array;
}

// ── Colours ─────────────────────────────────────────────────────────────────

/**
 * The brightness of every pixel, as Pillow's convert('L') has it, on white paper where the picture is transparent.
 *
 *     v' = v                                  without alpha
 *     v' = round(255 − a·(255 − v) / 255)     of every colour v, on white
 *     y = ⌊(19595·r' + 38470·g' + 7471·b') / 2¹⁶ + ½⌋        0.299, 0.587 and 0.114 in 16 bits
 *
 * convert('L') itself leaves out alpha: of black strokes on transparent black it makes a black picture.
 *
 * @throws RangeError if the picture is malformed
 */
export function grayscale(picture: Picture): Picture {
  const { height, width, channels, pixels } = wellFormed('grayscale', picture);
  const colours = channels < 3 ? 1 : 3;
  const onWhite = (at: number, colour: number) => {
    const alpha = channels > colours ? pixels[at + colours] : 255;
    return Math.round(255 - (alpha * (255 - pixels[at + colour])) / 255);
  };
  const brightness = (at: number) => {
    if (colours === 1) return onWhite(at, 0);
    const [r, g, b] = [onWhite(at, 0), onWhite(at, 1), onWhite(at, 2)];
    return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
  };
  const gray = new Uint8Array(height * width);
  for (let i = 0; i < gray.length; i++) gray[i] = brightness(i * channels);
  return { height, width, channels: 1, pixels: gray };
}

// ── Polarity: MNIST's digits are white on black, those on paper dark on light ──

/**
 * Whether a picture in gray shows dark ink on light paper: its border is, on average, brighter than the middle between
 * its darkest and its brightest pixel, or than gray 127.5 if all pixels are the same. Of photographs, in which light falls
 * unevenly or ink touches the border, see inkOf.
 *
 * @throws RangeError if the picture is malformed, or not in gray
 */
export function darkOnLight(picture: Picture): boolean {
  const { height, width, pixels } = inGray('darkOnLight', picture);
  let [darkest, brightest] = [255, 0];
  let [sum, count] = [0, 0];
  pixels.forEach((value, i) => {
    [darkest, brightest] = [Math.min(darkest, value), Math.max(brightest, value)];
    const [row, column] = [Math.floor(i / width), i % width];
    if (row % (height - 1) && column % (width - 1)) return; // inside
    [sum, count] = [sum + value, count + 1];
  });
  return sum / count > (darkest === brightest ? 255 : darkest + brightest) / 2;
}

/** 255 − v for every pixel of a picture in gray. */
export function invert(picture: Picture): Picture {
  const { pixels } = inGray('invert', picture);
  return { ...picture, pixels: pixels.map((value) => 255 - value) };
}

/** A picture in gray as MNIST has it, white on black: inverted if it is dark on light. */
export const whiteOnBlack = (picture: Picture): Picture => (darkOnLight(picture) ? invert(picture) : picture);

// ── Numbers ─────────────────────────────────────────────────────────────────

/**
 * A batch of one picture: (1, C, H, W) with pixels from 0 to 1. toNHWC of it is what Keras takes.
 * @throws RangeError if the picture is malformed
 */
export function toBatch(picture: Picture): Tensor {
  const { height, width, channels, pixels } = wellFormed('toBatch', picture);
  return toNCHW({ shape: [1, height, width, channels], data: Float64Array.from(pixels, (value) => value / 255) });
}

// ── Rejections ──────────────────────────────────────────────────────────────

/** @throws RangeError 'grayscale: the picture has 5 numbers, expected 6: 2×3 pixels with 1 channel' */
function wellFormed(what: string, picture: Picture): Picture {
  const { height, width, channels, pixels } = picture;
  atLeast(`${what}: the picture's height`, height, 1);
  atLeast(`${what}: the picture's width`, width, 1);
  if (![1, 2, 3, 4].includes(channels))
    throw new RangeError(`${what}: the picture has ${channels} channels, expected 1, 2, 3 or 4`);
  const expected = height * width * channels;
  if (!(pixels instanceof Uint8Array))
    throw new RangeError(`${what}: the picture's pixels are no Uint8Array, expected one of ${expected} numbers`);
  if (pixels.length !== expected)
    throw new RangeError(
      `${what}: the picture has ${pixels.length} numbers, expected ${expected}: ` +
        `${height}×${width} pixels with ${channels} ${channels === 1 ? 'channel' : 'channels'}`,
    );
  return picture;
}

/** @throws RangeError 'invert: the picture has 3 channels, expected 1: see grayscale' */
export function inGray(what: string, picture: Picture): Picture {
  const { channels } = wellFormed(what, picture);
  if (channels !== 1) throw new RangeError(`${what}: the picture has ${channels} channels, expected 1: see grayscale`);
  return picture;
}
