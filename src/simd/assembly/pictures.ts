import { load4, store4 } from './lanes';

// Pictures are N images of H rows of WC numbers, W pixels of C channels. They may have a border around every image: they are
// given as the address of their first pixel, with the bytes from one row to the next and from one image to the next.

/** y = x */
export function copyPictures(
  x: usize,
  y: usize,
  N: i32,
  H: i32,
  WC: i32,
  xRow: usize,
  xImage: usize,
  yRow: usize,
  yImage: usize,
): void {
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      const from = x + (n as usize) * xImage + (h as usize) * xRow;
      memory.copy(y + (n as usize) * yImage + (h as usize) * yRow, from, (WC as usize) * 4);
    }
}

/** y += x */
export function addPictures(
  x: usize,
  y: usize,
  N: i32,
  H: i32,
  WC: i32,
  xRow: usize,
  xImage: usize,
  yRow: usize,
  yImage: usize,
): void {
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      let from = x + (n as usize) * xImage + (h as usize) * xRow;
      let to = y + (n as usize) * yImage + (h as usize) * yRow;
      let left = WC;
      for (; left >= 4; left -= 4) {
        add4(from, to, 4);
        from += 16;
        to += 16;
      }
      if (left > 0) add4(from, to, left);
    }
}

// @ts-ignore: decorator
@inline
function add4(x: usize, y: usize, lanes: i32): void {
  store4(y, f32x4.add(load4(y, lanes), load4(x, lanes)), lanes);
}
