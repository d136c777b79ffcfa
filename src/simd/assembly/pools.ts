import { load4, store4 } from './lanes';

// Images lie in memory as (N, H, W, C), without padding: a tap outside the image is left out. Under each window four channels
// are done at once, for all its taps: their sums stay in a register.

/** The sizes and strides of a pool, 32-bit integers one after the other: see src/simd/pool.ts. */
@unmanaged
class Geometry {
  N: i32;
  C: i32;
  H: i32;
  W: i32;
  OH: i32;
  OW: i32;
  KH: i32;
  KW: i32;
  strideH: i32;
  strideW: i32;
  dilationH: i32;
  dilationW: i32;
  top: i32;
  bottom: i32;
  left: i32;
  right: i32;
  /** Whether padding counts as pixels of value 0: 0 or 1. */
  countIncludePad: i32;
}

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** How many channels are left from c on, at most four. */
// @ts-ignore: decorator
@inline
function lanesFrom(c: i32, C: i32): i32 {
  return min(4, C - c);
}

// A window, at (n, oh, ow). Its taps that lie on the image are a rectangle. (Every thread has its own globals.)
let firstRow: i32 = 0;
let endRow: i32 = 0;
let firstColumn: i32 = 0;
let endColumn: i32 = 0;
/** The number of x under tap (0, 0), c = 0; outside the image it is not that of a pixel. */
let corner: i32 = 0;

/** Goes to the window at (n, oh, ow). */
function goTo(n: i32, oh: i32, ow: i32, g: Geometry): void {
  const row = oh * g.strideH - g.top;
  const column = ow * g.strideW - g.left;
  firstRow = before(0, row, g.dilationH);
  endRow = min(g.KH, before(g.H, row, g.dilationH));
  firstColumn = before(0, column, g.dilationW);
  endColumn = min(g.KW, before(g.W, column, g.dilationW));
  corner = ((n * g.H + row) * g.W + column) * g.C;
}

/** How many of start, start + step, … are less than `end`. */
// @ts-ignore: decorator
@inline
function before(end: i32, start: i32, step: i32): i32 {
  if (start >= end) return 0;
  return step == 1 ? end - start : (end - start + step - 1) / step; // a division takes as long as some taps
}

/** The number of x under the first tap of row kh that lies on the image, c = 0. */
// @ts-ignore: decorator
@inline
function startOfRow(kh: i32, g: Geometry): i32 {
  return corner + (kh * g.dilationH * g.W + firstColumn * g.dilationW) * g.C;
}

/** Bytes from one tap of a row to the next. */
// @ts-ignore: decorator
@inline
function columnStep(g: Geometry): usize {
  return ((g.dilationW * g.C) as usize) * 4;
}

/**
 * y[n,oh,ow,c] = the largest number under its window, −∞ if there is none; NaN if one is NaN.
 *
 * index[n,oh,ow,c] = kh·KW + kw of the tap there: the first in reading order that is the largest or NaN, and −1 where all are
 * −∞. One byte each, in which −1 is 255; but 32 bits each if KH·KW > 255.
 */
export function maxPool(x: usize, y: usize, index: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const indexSize = sizeOfIndex(g);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++) {
        goTo(n, oh, ow, g);
        for (let c = 0; c < g.C; c += 4) largest(at(x, c), at(y, c), index + c * indexSize, lanesFrom(c, g.C), g);
        y = at(y, g.C);
        index += g.C * indexSize;
      }
}

/** `lanes` channels of one window: their largest numbers, and its taps there. */
function largest(x: usize, y: usize, index: usize, lanes: i32, g: Geometry): void {
  const step = columnStep(g);
  let most = f32x4.splat(-Infinity);
  let tapOfMost = i32x4.splat(-1);
  for (let kh = firstRow; kh < endRow; kh++) {
    let from = at(x, startOfRow(kh, g));
    for (let kw = firstColumn; kw < endColumn; kw++) {
      const value = load4(from, lanes);
      const better = v128.andnot(f32x4.eq(most, most), f32x4.le(value, most)); // larger, or the first NaN
      tapOfMost = v128.bitselect(i32x4.splat(kh * g.KW + kw), tapOfMost, better);
      most = f32x4.max(most, value);
      from += step;
    }
  }
  store4(y, most, lanes);
  if (sizeOfIndex(g) == 4) store4(index, tapOfMost, lanes);
  else storeBytes(index, tapOfMost, lanes);
}

// @ts-ignore: decorator
@inline
function sizeOfIndex(g: Geometry): i32 {
  return g.KH * g.KW > 255 ? 4 : 1;
}

/** The last bytes of the first `lanes` integers. */
// @ts-ignore: decorator
@inline
function storeBytes(to: usize, integers: v128, lanes: i32): void {
  const bytes = i8x16.shuffle(integers, integers, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
  if (lanes == 4) v128.store32_lane(to, bytes, 0);
  else for (let i = 0; i < lanes; i++) store<u8>(to + i, i32x4.extract_lane(bytes, 0) >>> (8 * i));
}

/** The way back, without signs. */
function loadBytes(from: usize, lanes: i32): v128 {
  let bytes = i32x4.splat(0);
  if (lanes == 4) bytes = v128.load32_zero(from);
  else for (let i = lanes - 1; i >= 0; i--) bytes = v128.or(i32x4.shl(bytes, 8), i32x4.splat(load<u8>(from + i)));
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes));
}

/** dx += dy at the tap that index has, from maxPool. */
export function maxPoolBackward(dy: usize, index: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const indexSize = sizeOfIndex(g);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++) {
        goTo(n, oh, ow, g);
        for (let c = 0; c < g.C; c += 4) addAtTap(at(dy, c), index + c * indexSize, at(dx, c), lanesFrom(c, g.C), g);
        dy = at(dy, g.C);
        index += g.C * indexSize;
      }
}

/** dx += dy at each tap of one window where it is the tap of the index, else += 0. */
function addAtTap(dy: usize, index: usize, dx: usize, lanes: i32, g: Geometry): void {
  const step = columnStep(g);
  const slope = load4(dy, lanes);
  const tapOfMost = sizeOfIndex(g) == 4 ? load4(index, lanes) : loadBytes(index, lanes);
  for (let kh = firstRow; kh < endRow; kh++) {
    let to = at(dx, startOfRow(kh, g));
    for (let kw = firstColumn; kw < endColumn; kw++) {
      const here = i32x4.eq(tapOfMost, i32x4.splat(kh * g.KW + kw));
      store4(to, f32x4.add(load4(to, lanes), v128.and(slope, here)), lanes);
      to += step;
    }
  }
}

/**
 * relu, then the largest of each 2×2 window, one beside the other, of one image x (H, W, C):
 *
 *     y[oh,ow,c] = max(0, x[2·oh, 2·ow, c], …, x[2·oh + 1, 2·ow + 1, c])      oh < ⌊H / 2⌋, ow < ⌊W / 2⌋
 *
 * NaN if one is NaN. From one row of y to the next are yRow bytes, so that y may lie inside a border. index (OH, OW, C), bytes:
 * the first tap in reading order that is the largest or NaN, 0 to 3; 4 where the largest is ≤ 0, whose slope is 0.
 */
export function reluMaxPool(x: usize, y: usize, index: usize, H: i32, W: i32, C: i32, yRow: i32): void {
  const pixel = (C as usize) * 4;
  for (let oh = 0; oh < H >> 1; oh++) {
    let upper = at(x, 2 * oh * W * C);
    let to = y + oh * yRow;
    for (let ow = 0; ow < W >> 1; ow++) {
      let c = 0;
      for (; c + 4 <= C; c += 4) reluLargest(at(upper, c), pixel, W, at(to, c), index + c, 4);
      if (c < C) reluLargest(at(upper, c), pixel, W, at(to, c), index + c, C - c);
      upper += 2 * pixel;
      to += pixel;
      index += C;
    }
  }
}

/** The least float32 above 0. */
const LEAST: f32 = 1.401298464324817e-45;

/** `lanes` channels of the window whose first tap is at `upper`. */
// @ts-ignore: decorator
@inline
function reluLargest(upper: usize, pixel: usize, W: i32, y: usize, index: usize, lanes: i32): void {
  const lower = upper + pixel * W;
  const tap0 = load4(upper, lanes);
  const tap1 = load4(upper + pixel, lanes);
  const tap2 = load4(lower, lanes);
  const tap3 = load4(lower + pixel, lanes);
  const sum = f32x4.add(f32x4.add(tap0, tap1), f32x4.add(tap2, tap3));
  const most = f32x4.pmax(f32x4.pmax(tap0, tap1), f32x4.pmax(tap2, tap3));
  store4(y, f32x4.pmax(f32x4.splat(0), most), lanes);
  // Where the largest is ≤ 0 no tap equals the least number above 0. Every tap passed in vain counts −1.
  const wanted = f32x4.pmax(f32x4.splat(LEAST), most);
  const not0 = f32x4.ne(tap0, wanted);
  const not1 = v128.and(not0, f32x4.ne(tap1, wanted));
  const not2 = v128.and(not1, f32x4.ne(tap2, wanted));
  const not3 = v128.and(not2, f32x4.ne(tap3, wanted));
  const passed = i32x4.add(i32x4.add(not0, not1), i32x4.add(not2, not3));
  storeBytes(index, i32x4.neg(passed), lanes);
  // pmax forgets NaN, a sum does not. (∞ − ∞ is only taken for it.)
  if (v128.any_true(f32x4.ne(sum, sum)))
    for (let i = 0; i < lanes; i++) reluLargestOrNaN(at(upper, i), pixel, W, at(y, i), index + i);
}

/** One channel of a window, where numbers may be NaN. */
function reluLargestOrNaN(upper: usize, pixel: usize, W: i32, y: usize, index: usize): void {
  let most: f32 = 0;
  let tapOfMost = 4;
  for (let tap = 0; tap < 4; tap++) {
    const value = load<f32>(upper + pixel * ((tap >> 1) * W + (tap & 1)));
    if (isNaN(most) || value <= most) continue;
    most = value;
    tapOfMost = tap;
  }
  store<f32>(y, most);
  store<u8>(index, tapOfMost);
}

/** How many taps of the window at (oh, ow) count. They are a rectangle too. */
function count(g: Geometry, oh: i32, ow: i32): f32 {
  const rows = counting(
    oh * g.strideH - g.top,
    g.KH,
    g.H,
    g.countIncludePad ? g.top : 0,
    g.countIncludePad ? g.bottom : 0,
  );
  const columns = counting(
    ow * g.strideW - g.left,
    g.KW,
    g.W,
    g.countIncludePad ? g.left : 0,
    g.countIncludePad ? g.right : 0,
  );
  return (rows * columns) as f32;
}

/** How many of `taps` places from `first` on lie in [−before, size + after). */
function counting(first: i32, taps: i32, size: i32, before: i32, after: i32): i32 {
  return max(0, min(first + taps, size + after) - max(first, -before));
}

/**
 * Whether every window of a row has its neighbour one pixel on, and all its columns on the image. Then number i of a row of y comes
 * from number i of a row of x, and those dilationW pixels on: the row is done as if it were one pixel of OW·C channels.
 */
function inLine(g: Geometry): bool {
  return g.strideW == 1 && g.left == 0 && g.right == 0;
}

/** y[n,oh,ow,c] = the sum under its window / how many taps count */
export function avgPool(x: usize, y: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const wide = inLine(g);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow += wide ? g.OW : 1) {
        goTo(n, oh, ow, g);
        const numbers = wide ? g.OW * g.C : g.C;
        const counted = count(g, oh, ow);
        let i = 0;
        for (; i + 4 <= numbers; i += 4) mean(at(x, i), at(y, i), counted, 4, g);
        if (i + 2 == numbers) mean(at(x, i), at(y, i), counted, 2, g);
        else if (i < numbers) mean(at(x, i), at(y, i), counted, numbers - i, g);
        y = at(y, numbers);
      }
}

/** `lanes` channels of one window: the sum of its taps in reading order / counted. */
// @ts-ignore: decorator
@inline
function mean(x: usize, y: usize, counted: f32, lanes: i32, g: Geometry): void {
  const step = columnStep(g);
  let sum = f32x4.splat(0);
  for (let kh = firstRow; kh < endRow; kh++) {
    let from = at(x, startOfRow(kh, g));
    for (let kw = firstColumn; kw < endColumn; kw++) {
      sum = f32x4.add(sum, load4(from, lanes));
      from += step;
    }
  }
  store4(y, f32x4.div(sum, f32x4.splat(counted)), lanes);
}

/** dx += dy / how many taps count, at every number under the window */
export function avgPoolBackward(dy: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  const wide = inLine(g);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow += wide ? g.OW : 1) {
        goTo(n, oh, ow, g);
        const counted = count(g, oh, ow);
        if (wide) addRow(dy, counted, dx, g);
        else {
          let c = 0;
          for (; c + 4 <= g.C; c += 4) addShare(at(dy, c), counted, at(dx, c), 4, g);
          if (c + 2 == g.C) addShare(at(dy, c), counted, at(dx, c), 2, g);
          else if (c < g.C) addShare(at(dy, c), counted, at(dx, c), g.C - c, g);
        }
        dy = at(dy, wide ? g.OW * g.C : g.C);
      }
}

/** The same of a row in line, the last column of the windows first: to a number of dx comes first what the first window sends. */
function addRow(dy: usize, counted: f32, dx: usize, g: Geometry): void {
  const numbers = g.OW * g.C;
  for (let kw = g.KW - 1; kw >= 0; kw--) {
    const to = at(dx, corner + kw * g.dilationW * g.C);
    let i = 0;
    for (; i + 4 <= numbers; i += 4) addColumn(at(dy, i), counted, at(to, i), 4, g);
    if (i < numbers) addColumn(at(dy, i), counted, at(to, i), numbers - i, g);
  }
}

/** dx += dy / counted at the taps of one column */
// @ts-ignore: decorator
@inline
function addColumn(dy: usize, counted: f32, dx: usize, lanes: i32, g: Geometry): void {
  const share = f32x4.div(load4(dy, lanes), f32x4.splat(counted));
  const step = ((g.dilationH * g.W * g.C) as usize) * 4;
  let to = dx + (firstRow as usize) * step;
  for (let kh = firstRow; kh < endRow; kh++, to += step) store4(to, f32x4.add(load4(to, lanes), share), lanes);
}

/** dx += dy / counted at every tap of one window */
// @ts-ignore: decorator
@inline
function addShare(dy: usize, counted: f32, dx: usize, lanes: i32, g: Geometry): void {
  const step = columnStep(g);
  const share = f32x4.div(load4(dy, lanes), f32x4.splat(counted));
  for (let kh = firstRow; kh < endRow; kh++) {
    let to = at(dx, startOfRow(kh, g));
    for (let kw = firstColumn; kw < endColumn; kw++) {
      store4(to, f32x4.add(load4(to, lanes), share), lanes);
      to += step;
    }
  }
}

/** y[n,c] = Σ x[n,i,c] / P over the P pixels i */
export function globalAvgPool(x: usize, y: usize, N: i32, C: i32, P: i32): void {
  const pixels = f32x4.splat(P as f32);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c += 4) {
      const lanes = lanesFrom(c, C);
      let sum = f32x4.splat(0);
      for (let i = 0; i < P; i++) sum = f32x4.add(sum, load4(at(x, (n * P + i) * C + c), lanes));
      store4(at(y, n * C + c), f32x4.div(sum, pixels), lanes);
    }
}

/** dx[n,i,c] = dy[n,c] / P */
export function globalAvgPoolBackward(dy: usize, dx: usize, N: i32, C: i32, P: i32): void {
  const pixels = f32x4.splat(P as f32);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c += 4) {
      const lanes = lanesFrom(c, C);
      const share = f32x4.div(load4(at(dy, n * C + c), lanes), pixels);
      for (let i = 0; i < P; i++) store4(at(dx, (n * P + i) * C + c), share, lanes);
    }
}
