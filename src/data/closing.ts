import { atLeast } from '../tensor.ts';
import { inGray, type Picture } from './image.ts';

/**
 * The paper under dark ink: every dark place that no square of size×size pixels fits into becomes as bright as what
 * surrounds it; wider ones, such as shadows, stay as they are, and so do those at an edge, which may go on beyond it.
 *
 *     closing[i] = the least, over all squares that hold pixel i, of the greatest pixel in the square
 *
 * Squares reach over the edges, and hold what of them is on the picture.
 *
 * @throws RangeError if the picture is malformed or not in gray, or size is not an integer ≥ 1
 * @see Serra, Image analysis and mathematical morphology, 1982
 */
export function closing(picture: Picture, size: number): Picture {
  const { height, width, pixels } = inGray('closing', picture);
  atLeast('closing: size', size, 1);
  const greatest = extremes(extremes(pixels, width, size, 'greatest'), height, size, 'greatest');
  return { height, width, channels: 1, pixels: least(greatest) };

  function least(squares: Uint8Array): Uint8Array {
    return extremes(extremes(squares, width + size - 1, size, 'least'), height + size - 1, size, 'least');
  }
}

/**
 * Of each row of `length` pixels the greatest of every `size` neighbours, where one of them is enough: length + size − 1
 * numbers; or the least, where all are there: length − size + 1. Rows become columns.
 */
function extremes(pixels: Uint8Array, length: number, size: number, which: 'greatest' | 'least'): Uint8Array {
  const rows = pixels.length / length;
  const [begin, end] = which === 'greatest' ? [0, length + size - 1] : [size - 1, length];
  const flip = which === 'greatest' ? 0 : 255; // the least of v is the greatest of 255 − v
  const result = new Uint8Array(rows * (end - begin));
  const waiting = new Int32Array(length); // those that may still come to be the greatest: each less than the one before
  const values = new Uint8Array(length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < length; i++) values[i] = pixels[row * length + i] ^ flip;
    let [first, last] = [0, -1];
    for (let i = 0; i < end; i++) {
      if (i < length) {
        while (last >= first && values[waiting[last]] <= values[i]) last--;
        waiting[++last] = i;
      }
      if (waiting[first] <= i - size) first++;
      if (i >= begin) result[(i - begin) * rows + row] = values[waiting[first]] ^ flip;
    }
  }
  return result;
}
