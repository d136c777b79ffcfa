import { permute } from './ndarray.ts';
import { dims, type Tensor } from './tensor.ts';

// Inside the project images are (N, C, H, W) and weights (O, C, KH, KW) or (out, in). Keras, and some of the documents,
// order the axes differently. The numbers have to move with their axes: a reshape is right only where C = 1.

/** Images: (N, C, H, W) → (N, H, W, C). */
export const toNHWC = (x: Tensor): Tensor => permute(fit('toNHWC: x', x, ['N', 'C', 'H', 'W']), [0, 2, 3, 1]);

/** Images: (N, H, W, C) → (N, C, H, W). */
export const toNCHW = (x: Tensor): Tensor => permute(fit('toNCHW: x', x, ['N', 'H', 'W', 'C']), [0, 3, 1, 2]);

/** Kernels: (O, C, KH, KW) → (KH, KW, C, O). */
export const toHWIO = (w: Tensor): Tensor => permute(fit('toHWIO: w', w, ['O', 'C', 'KH', 'KW']), [2, 3, 1, 0]);

/** Kernels: (KH, KW, C, O) → (O, C, KH, KW). */
export const toOIHW = (w: Tensor): Tensor => permute(fit('toOIHW: w', w, ['KH', 'KW', 'C', 'O']), [3, 2, 0, 1]);

/** Weights of linear: (out, in) → (in, out). */
export const toInOut = (w: Tensor): Tensor => permute(fit('toInOut: w', w, ['out', 'in']), [1, 0]);

/** Weights of linear: (in, out) → (out, in). */
export const toOutIn = (w: Tensor): Tensor => permute(fit('toOutIn: w', w, ['in', 'out']), [1, 0]);

/** x, once it fits `pattern`. */
function fit(what: string, x: Tensor, pattern: readonly string[]): Tensor {
  dims(what, x, pattern);
  return x;
}
