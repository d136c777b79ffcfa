import { digitOf } from '../src/data/digitOf.ts';
import { toBatch, type Picture } from '../src/data/image.ts';
import type { Tensor } from '../src/tensor.ts';
import { readPicture } from './picture.ts';

/** Of a photograph's longer side: fifty times what a digit of MNIST has. */
const PIXELS = 1000;

/**
 * A picture file, and the digit on it as a batch of one for the networks for digits: (1, 1, 28, 28).
 * @throws RangeError that names the file, if it cannot be read or has no ink
 */
export async function readDigit(path: string): Promise<{ readonly picture: Picture; readonly x: Tensor }> {
  const picture = await readPicture(path, PIXELS);
  try {
    return { picture, x: toBatch(digitOf(picture)) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError(`${path}: ${error.message.replace(/^\w+: /, '')}`); // the file, in place of the function
  }
}
