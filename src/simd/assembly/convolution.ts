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
  /** Bytes from each place of a window (oh, ow) to the next, where x has its pixel: OH·OW integers. */
  placeSteps: usize;
  /** Bytes from each channel of y to the next: O times 4. */
  channelSteps: usize;
}

// Packed weights are panels of 8 kernels: w[panel][kh][kw][c][o], o < 8. See pack.

/** So many places of the window are done for all taps and channels before the next: what they read stays in the cache. */
const BLOCK: i32 = 48;

// A place of the window. One follows the other in (n, oh, ow), across the ends of rows and images.
let n: i32 = 0;
let oh: i32 = 0;
let ow: i32 = 0;

/** Goes to a place, by its number. */
function goTo(place: i32, g: Geometry): void {
  n = place / (g.OH * g.OW);
  oh = (place / g.OW) % g.OH;
  ow = place % g.OW;
}

/** On to the next place. */
// @ts-ignore: decorator
@inline
function advance(g: Geometry): void {
  if (++ow < g.OW) return;
  ow = 0;
  if (++oh < g.OH) return;
  oh = 0;
  n++;
}

/** The pixel of x under the first tap of the window. */
// @ts-ignore: decorator
@inline
function pixelX(x: usize, g: Geometry): usize {
  return at(x, ((n * g.H + oh * g.strideH) * g.W + ow * g.strideW) * g.pixelX);
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
  for (let first = 0; first < places; first += BLOCK) {
    const end = min(first + BLOCK, places);
    for (let o = 0; o < g.O; o += COLUMNS) {
      goTo(first, g);
      for (let place = first; place < end; place += ROWS) {
        const last = min(ROWS, end - place) - 1;
        for (let i = 0; i < ROWS; i++) {
          setRow(i, pixelX(x, g), at(y, (place + min(i, last)) * g.pixelY + o));
          if (i < last) advance(g);
        }
        advance(g);
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
  for (let first = 0; first < places; first += BLOCK) {
    const end = min(first + BLOCK, places);
    for (let kh = 0; kh < g.KH; kh++)
      for (let kw = 0; kw < g.KW; kw++)
        for (let c = 0; c < g.C; c += COLUMNS) {
          const tap = at(dx, (kh * g.dilationH * g.W + kw * g.dilationW) * g.pixelX + c);
          goTo(first, g);
          for (let place = first; place < end; place += ROWS) {
            const last = min(ROWS, end - place) - 1;
            for (let i = 0; i < ROWS; i++) {
              setRow(i, at(dy, (place + min(i, last)) * g.pixelY), pixelX(tap, g));
              if (i < last) advance(g);
            }
            advance(g);
            const from = at(w, (kh * g.KW + kw) * g.C + c);
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
  const taps = g.KH * g.KW * g.C;
  for (let image = 0; image < g.N; image++) {
    const ofX = at(x, image * g.H * g.W * g.pixelX);
    const ofDy = at(dy, image * g.OH * g.OW * g.pixelY);
    for (let o = 0; o < g.O; o += COLUMNS)
      for (let first = 0; first < taps; first += ROWS) {
        for (let i = 0; i < ROWS; i++) {
          const k = min(first + i, taps - 1);
          const kh = k / g.C / g.KW;
          const kw = (k / g.C) % g.KW;
          const number = (kh * g.dilationH * g.W + kw * g.dilationW) * g.pixelX + (k % g.C);
          setRow(i, at(ofX, number), at(dw, o * taps + k * COLUMNS));
        }
        tile(g.placeSteps, g.OH * g.OW, at(ofDy, o), (g.pixelY as usize) * 4, 0, COLUMNS);
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
