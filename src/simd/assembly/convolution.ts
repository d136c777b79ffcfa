import { COLUMNS, ROWS, setRow, tile } from './tile';

// Images lie in memory as (N, H, W, C): the channels of a pixel are neighbours. x comes with its padding, so that every tap of
// a window is a pixel. A linear layer is a convolution too: one image with one row, a pixel for each of the batch, and 1×1 taps.

/** The sizes and strides of a convolution, 32-bit integers one after the other: see src/simd/convolution.ts. */
@unmanaged
class Geometry {
  /** Images. */
  N: i32;
  /** Channels of x that each window sees, and from one pixel of x to the next: more in grouped convolutions. */
  C: i32;
  pixelX: i32;
  /** Rows and columns of x, padding included. */
  H: i32;
  W: i32;
  /** Channels of y, and from one pixel of y to the next. */
  O: i32;
  pixelY: i32;
  OH: i32;
  OW: i32;
  KH: i32;
  KW: i32;
  strideH: i32;
  strideW: i32;
  dilationH: i32;
  dilationW: i32;
  /** Bytes from each number of a kernel (kh, kw, c) to the next, where x has them: KH·KW·C integers. */
  kernelSteps: usize;
  /** Bytes from each place of the window (oh, ow) to the next, where x has its first pixel; the last goes to the next image. */
  placeSteps: usize;
  /** Bytes from each channel of y to the next: O times 4. */
  channelSteps: usize;
}

// Packed weights are panels of 8 kernels: w[panel][kh][kw][c][o], o < 8. See pack. What a last panel has
// beyond the kernels there are is never used: in dw it means nothing.

/** So many places of the window are done for all taps and channels before the next: what they read stays in the cache. */
const BLOCK: i32 = 48;

// A place of the window, in (n, oh, ow): its number in its image, and the pixel of x under the first tap there.
let place: i32 = 0;
let pixel: usize = 0;

/** Goes to a place, counted from that of the first image. */
function goTo(number: i32, x: usize, g: Geometry): void {
  place = number % (g.OH * g.OW);
  const row = (number / (g.OH * g.OW)) * g.H + (place / g.OW) * g.strideH;
  pixel = at(x, (row * g.W + (place % g.OW) * g.strideW) * g.pixelX);
}

/** On to the next place, across the ends of rows and images. */
// @ts-ignore: decorator
@inline
function advance(g: Geometry): void {
  pixel += load<i32>(at(g.placeSteps, place)) as usize;
  if (++place == g.OH * g.OW) place = 0;
}

/** Row i of a tile whose rows are places: one of \`forward\` reads x and writes y, backward it is the other way round. */
// @ts-ignore: decorator
@inline
function placeRow(forward: bool, i: i32, last: i32, y: usize, g: Geometry): void {
  const ofY = at(y, min(i, last) * g.pixelY);
  if (forward) setRow(i, pixel, ofY);
  else setRow(i, ofY, pixel);
  if (i < last) advance(g);
}

/** The rows 0 to \`last\`, one place after the other, and on to the next. (A loop would cost a tenth of the speed.) */
// @ts-ignore: decorator
@inline
function placeRows(forward: bool, last: i32, y: usize, g: Geometry): void {
  placeRow(forward, 0, last, y, g);
  placeRow(forward, 1, last, y, g);
  placeRow(forward, 2, last, y, g);
  placeRow(forward, 3, last, y, g);
  placeRow(forward, 4, last, y, g);
  placeRow(forward, 5, last, y, g);
  advance(g);
}

/** The address of number i after x. */
// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** y[n,oh,ow,o] = b[o] + Σ_{kh,kw,c} x[n, oh·strideH + kh·dilationH, ow·strideW + kw·dilationW, c] · w[kh,kw,c,o], w packed. */
export function convolve(x: usize, w: usize, b: usize, y: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const places = g.N * g.OH * g.OW;
  const taps = g.KH * g.KW * g.C;
  for (let block = 0; block < places; block += BLOCK) {
    const end = min(block + BLOCK, places);
    for (let o = 0; o < g.O; o += COLUMNS) {
      goTo(block, x, g);
      for (let first = block; first < end; first += ROWS) {
        placeRows(true, min(ROWS, end - first) - 1, at(y, first * g.pixelY + o), g);
        tile(g.kernelSteps, taps, at(w, o * taps), COLUMNS * 4, at(b, o), min(COLUMNS, g.O - o));
      }
    }
  }
}

/**
 * dx += what each tap of each window sends back: dx[n, ih, iw, c] += Σ_o dy[n,oh,ow,o] · w[o,kh,kw,c], w as it lies in
 * (O, KH, KW, C). Six places at one tap are six pixels of dx, all different.
 */
export function convolveInputGradient(dy: usize, w: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const places = g.N * g.OH * g.OW;
  const taps = g.KH * g.KW * g.C;
  for (let block = 0; block < places; block += BLOCK) {
    const end = min(block + BLOCK, places);
    for (let kh = 0; kh < g.KH; kh++)
      for (let kw = 0; kw < g.KW; kw++)
        for (let c = 0; c < g.C; c += COLUMNS) {
          const from = at(w, (kh * g.KW + kw) * g.C + c);
          goTo(block, at(dx, (kh * g.dilationH * g.W + kw * g.dilationW) * g.pixelX + c), g);
          for (let first = block; first < end; first += ROWS) {
            placeRows(false, min(ROWS, end - first) - 1, at(dy, first * g.pixelY), g);
            tile(g.channelSteps, g.O, from, (taps as usize) * 4, 0, min(COLUMNS, g.C - c));
          }
        }
  }
}

/**
 * dw += Σ_{n,oh,ow} x[n, ih, iw, c] · dy[n,oh,ow,o], packed as w is: six numbers of a kernel (kh, kw, c), eight kernels o.
 * Image by image, so that x and dy of one are read while they are near.
 */
export function convolveWeightGradient(dy: usize, x: usize, dw: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const places = g.OH * g.OW;
  const taps = g.KH * g.KW * g.C;
  for (let n = 0; n < g.N; n++) {
    const ofDy = at(dy, n * places * g.pixelY);
    for (let o = 0; o < g.O; o += COLUMNS) {
      let from = at(x, n * g.H * g.W * g.pixelX);
      for (let first = 0; first < taps; first += ROWS) {
        const last = min(ROWS, taps - first) - 1;
        const to = at(dw, o * taps + first * COLUMNS);
        for (let i = 0; i < ROWS; i++) {
          setRow(i, from, at(to, min(i, last) * COLUMNS));
          if (i < last) from += load<i32>(at(g.kernelSteps, first + i)) as usize;
        }
        from += load<i32>(at(g.kernelSteps, first + last)) as usize;
        tile(g.placeSteps, places, at(ofDy, o), (g.pixelY as usize) * 4, 0, COLUMNS);
      }
    }
  }
}

/** w (O, K) → panels of 8 rows, number by number: packed[o / 8][k][o % 8]. What a last panel lacks must be 0 already. */
export function pack(w: usize, packed: usize, O: i32, K: i32): void {
  for (let o = 0; o < O; o++)
    for (let k = 0; k < K; k++) store<f32>(inPanels(packed, o, k, K), load<f32>(at(w, o * K + k)));
}

/** The way back: packed[o / 8][k][o % 8] → w (O, K). */
export function unpack(packed: usize, w: usize, O: i32, K: i32): void {
  for (let o = 0; o < O; o++)
    for (let k = 0; k < K; k++) store<f32>(at(w, o * K + k), load<f32>(inPanels(packed, o, k, K)));
}

// @ts-ignore: decorator
@inline
function inPanels(packed: usize, o: i32, k: i32, K: i32): usize {
  return at(packed, ((o / COLUMNS) * K + k) * COLUMNS + (o % COLUMNS));
}

/** y[c] = Σ_rows x[row, c], added up in float64; from one row to the next are `step` numbers. */
export function sumRows(x: usize, y: usize, rows: i32, columns: i32, step: i32): void {
  for (let c = 0; c < columns; c++) {
    let sum: f64 = 0;
    for (let row = 0; row < rows; row++) sum += load<f32>(at(x, row * step + c));
    store<f32>(at(y, c), sum as f32);
  }
}
