import { COLUMNS, ROWS, setRow, storeSome, tile, ZEROS } from './tile';

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
  /** Bytes from each place of the window (n, oh, ow) to the next, where x has its first pixel: N·OH·OW integers. */
  placeSteps: usize;
  /** Bytes from each channel of y to the next: O times 4. */
  channelSteps: usize;
}

// Packed weights are panels of 8 kernels: w[panel][kh][kw][c][o], o < 8; dw likewise. What a last panel has beyond the kernels
// there are is 0. For dx they are turned into panels of 8 channels: turned[kh][kw][panel][o][c], c < 8. See turn.

/** So many places of the window are done for all taps and channels before the next: what they read stays in the cache. */
const BLOCK: i32 = 48;

/** Of the long sums of dw so many places are added up at a time, for all taps and channels, for the same reason. */
const LONG_BLOCK: i32 = 256;

// A place of the window, (n, oh, ow) counted through, and the pixel of x under the first tap there.
let place: i32 = 0;
let pixel: usize = 0;

/** Goes to a place, counted from that of the first image. */
function goTo(number: i32, x: usize, g: Geometry): void {
  place = number;
  const row = (number / (g.OH * g.OW)) * g.H + ((number / g.OW) % g.OH) * g.strideH;
  pixel = at(x, (row * g.W + (number % g.OW) * g.strideW) * g.pixelX);
}

/** On to the next place, across the ends of rows and images. */
// @ts-ignore: decorator
@inline
function advance(g: Geometry): void {
  pixel += load<i32>(at(g.placeSteps, place++)) as usize;
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
 * dx += what each tap of each window sends back: dx[n, ih, iw, c] += Σ_o dy[n,oh,ow,o] · w[o,kh,kw,c], w turned. Six places at
 * one tap are six pixels of dx, all different. No block has parts of two images: the order in which a pixel's terms come does
 * not depend on what images are before it.
 */
export function convolveInputGradient(dy: usize, turned: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const ofImage = g.OH * g.OW;
  const whole = ofImage > BLOCK ? ofImage : (BLOCK / ofImage) * ofImage;
  const places = g.N * ofImage;
  for (let images = 0; images < places; images += whole) {
    const until = min(images + whole, places);
    for (let block = images; block < until; block += BLOCK)
      sendBack(dy, turned, dx, block, min(block + BLOCK, until), g);
  }
}

/** What the places block ≤ place < end send back. */
function sendBack(dy: usize, turned: usize, dx: usize, block: i32, end: i32, g: Geometry): void {
  for (let kh = 0; kh < g.KH; kh++)
    for (let kw = 0; kw < g.KW; kw++)
      for (let c = 0; c < g.C; c += COLUMNS) {
        goTo(block, at(dx, (kh * g.dilationH * g.W + kw * g.dilationW) * g.pixelX + c), g);
        for (let first = block; first < end; first += ROWS) {
          placeRows(false, min(ROWS, end - first) - 1, at(dy, first * g.pixelY), g);
          tile(g.channelSteps, g.O, turned, COLUMNS * 4, 0, min(COLUMNS, g.C - c));
        }
        turned = at(turned, g.O * COLUMNS);
      }
}

/**
 * dw += Σ_{n,oh,ow} x[n, ih, iw, c] · dy[n,oh,ow,o] for the kernels first ≤ o < end, packed as w is: six numbers of a kernel
 * (kh, kw, c), eight kernels o. `first` is a multiple of 8. If `fresh`, dw is written: nothing is there yet.
 */
export function convolveWeightGradient(
  dy: usize,
  x: usize,
  dw: usize,
  geometry: usize,
  first: i32,
  end: i32,
  fresh: bool,
): void {
  const g = changetype<Geometry>(geometry);
  const places = g.N * g.OH * g.OW;
  const taps = g.KH * g.KW * g.C;
  for (let block = 0; block < places; block += LONG_BLOCK) {
    const count = min(LONG_BLOCK, places - block);
    for (let o = first; o < end; o += COLUMNS) {
      goTo(block, x, g);
      let from = pixel;
      for (let tap = 0; tap < taps; tap += ROWS) {
        const last = min(ROWS, taps - tap) - 1;
        const to = at(dw, o * taps + tap * COLUMNS);
        for (let i = 0; i < ROWS; i++) {
          setRow(i, from, at(to, min(i, last) * COLUMNS));
          if (i < last) from += load<i32>(at(g.kernelSteps, tap + i)) as usize;
        }
        from += load<i32>(at(g.kernelSteps, tap + last)) as usize;
        const ofDy = at(dy, block * g.pixelY + o);
        const start = fresh && block == 0 ? ZEROS : 0;
        tile(at(g.placeSteps, block), count, ofDy, (g.pixelY as usize) * 4, start, min(COLUMNS, end - o));
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

/**
 * w, panels of 8 kernels, → panels of 8 channels, for dx: turned[kh][kw][panel][o][c], c < 8; of the kernels first ≤ o < end
 * alone, `first` a multiple of 8. What a last panel has beyond the channels there are must be 0 already.
 */
export function turn(packed: usize, turned: usize, O: i32, C: i32, taps: i32, first: i32, end: i32): void {
  const panels = (C + COLUMNS - 1) / COLUMNS;
  for (let o = first; o < end; o += COLUMNS) {
    const kernels = min(COLUMNS, end - o);
    for (let tap = 0; tap < taps; tap++)
      for (let c = 0; c < C; c += COLUMNS) {
        const from = at(packed, (o * taps + tap * COLUMNS) * C + c * COLUMNS);
        const to = at(turned, ((tap * panels + c / COLUMNS) * O + o) * COLUMNS);
        if (kernels == COLUMNS && C - c >= COLUMNS) transposePanel(from, to);
        else
          for (let i = 0; i < kernels; i++)
            for (let j = 0; j < min(COLUMNS, C - c); j++)
              store<f32>(at(to, i * COLUMNS + j), load<f32>(at(from, j * COLUMNS + i)));
      }
  }
}

/** 8 × 8 numbers, transposed: four times 4 × 4. */
function transposePanel(from: usize, to: usize): void {
  transposeQuarter(from, to);
  transposeQuarter(at(from, 4), at(to, 4 * COLUMNS));
  transposeQuarter(at(from, 4 * COLUMNS), at(to, 4));
  transposeQuarter(at(from, 4 * COLUMNS + 4), at(to, 4 * COLUMNS + 4));
}

/** 4 × 4 of the 8 × 8. */
// @ts-ignore: decorator
@inline
function transposeQuarter(from: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from, 32);
  const c = v128.load(from, 64);
  const d = v128.load(from, 96);
  const ab = v128.shuffle<f32>(a, b, 0, 4, 1, 5); // a0 b0 a1 b1
  const cd = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab2 = v128.shuffle<f32>(a, b, 2, 6, 3, 7); // a2 b2 a3 b3
  const cd2 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
  v128.store(to, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 32);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 0, 1, 4, 5), 64);
  v128.store(to, v128.shuffle<f32>(ab2, cd2, 2, 3, 6, 7), 96);
}

/** y[c] = Σ_rows x[row, c] for first ≤ c < end, added up in float64; from one row to the next are `step` numbers. */
export function sumRows(x: usize, y: usize, rows: i32, step: i32, first: i32, end: i32): void {
  let c = first;
  for (; c + 16 <= end; c += 16) sumRows16(at(x, c), at(y, c), rows, (step as usize) << 2);
  for (; c < end; c += 4) sumRows4(at(x, c), at(y, c), rows, (step as usize) << 2, min(4, end - c));
}

/** 16 columns, of which a line of the cache has all. */
function sumRows16(x: usize, y: usize, rows: i32, step: usize): void {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  let e = f64x2.splat(0);
  let f = f64x2.splat(0);
  let g = f64x2.splat(0);
  let h = f64x2.splat(0);
  for (; rows > 0; rows--, x += step) {
    a = f64x2.add(a, firstTwo(v128.load(x)));
    b = f64x2.add(b, lastTwo(v128.load(x)));
    c = f64x2.add(c, firstTwo(v128.load(x, 16)));
    d = f64x2.add(d, lastTwo(v128.load(x, 16)));
    e = f64x2.add(e, firstTwo(v128.load(x, 32)));
    f = f64x2.add(f, lastTwo(v128.load(x, 32)));
    g = f64x2.add(g, firstTwo(v128.load(x, 48)));
    h = f64x2.add(h, lastTwo(v128.load(x, 48)));
  }
  v128.store(y, rounded(a, b));
  v128.store(y, rounded(c, d), 16);
  v128.store(y, rounded(e, f), 32);
  v128.store(y, rounded(g, h), 48);
}

/** Up to 4 columns. Beyond the last is the next row, or the room behind the last: read, and not stored. */
function sumRows4(x: usize, y: usize, rows: i32, step: usize, columns: i32): void {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  for (; rows > 0; rows--, x += step) {
    a = f64x2.add(a, firstTwo(v128.load(x)));
    b = f64x2.add(b, lastTwo(v128.load(x)));
  }
  const sums = rounded(a, b);
  storeSome(y, sums, sums, columns);
}

// @ts-ignore: decorator
@inline
function firstTwo(x: v128): v128 {
  return f64x2.promote_low_f32x4(x);
}

// @ts-ignore: decorator
@inline
function lastTwo(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(x, x, 2, 3, 2, 3));
}

// @ts-ignore: decorator
@inline
function rounded(a: v128, b: v128): v128 {
  return v128.shuffle<f32>(f32x4.demote_f64x2_zero(a), f32x4.demote_f64x2_zero(b), 0, 1, 4, 5);
}
