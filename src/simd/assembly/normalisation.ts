import { addSums, high, load4, low, store4 } from './lanes';

// x and dx lie in memory as (N, H, W, C), y, the shortcut and dy so too, but these may have a border around every image: they
// are given as the address of their first pixel, with the bytes from one row to the next and from one image to the next.
//
// What is done per pixel, threads share by images. What is summed over the batch they share by channels, from ≤ c < to: the
// sums of a channel run in the same order whoever has the others, so that the number of threads changes no bit. They run in
// float64, in `sums`: room for 2·C float64, the same for all threads.

/** The address of number i after x. */
// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

// @ts-ignore: decorator
@inline
function firstSum(sums: usize, c: i32): usize {
  return sums + (c as usize) * 8;
}

// @ts-ignore: decorator
@inline
function secondSum(sums: usize, c: i32, C: i32): usize {
  return firstSum(sums, C + c);
}

function clearSums(sums: usize, C: i32, from: i32, to: i32): void {
  for (let c = from; c < to; c++) {
    store<f64>(firstSum(sums, c), 0);
    store<f64>(secondSum(sums, c, C), 0);
  }
}

/** So many rows are added up for all channels before the next: one channel's neighbours are read while they are near. */
const BLOCK: i32 = 64;

/**
 * Mean and biased variance of every channel of x (rows, C), read once. With d = x − the first row's x,
 *
 *     mean = first + Σd / rows        variance = (Σd² − (Σd)² / rows) / rows
 *
 * The first x is one of them, so that (first − mean)² ≤ rows · variance: in the difference at most log₂ rows bits of the 53
 * of float64 cancel, and float32 needs 24. Where all x are equal it is 0.
 */
export function batchStatistics(
  x: usize,
  mean: usize,
  variance: usize,
  sums: usize,
  rows: i32,
  C: i32,
  from: i32,
  to: i32,
): void {
  clearSums(sums, C, from, to);
  for (let row = 0; row < rows; row += BLOCK) {
    const count = min(BLOCK, rows - row);
    for (let c = from; c < to; c += 4) {
      const ofRow = at(x, row * C + c);
      if (to - c >= 4) sumSquares(ofRow, at(x, c), sums, c, count, C, 4);
      else sumSquares(ofRow, at(x, c), sums, c, count, C, to - c);
    }
  }
  for (let c = from; c < to; c++) {
    const sum = load<f64>(firstSum(sums, c));
    const squares = load<f64>(secondSum(sums, c, C));
    store<f32>(at(mean, c), (load<f32>(at(x, c)) + sum / rows) as f32);
    store<f32>(at(variance, c), ((squares - (sum * sum) / rows) / rows) as f32);
  }
}

/** Σd and Σd² over some rows, of 1 to 4 channels. */
// @ts-ignore: decorator
@inline
function sumSquares(x: usize, first: usize, sums: usize, c: i32, rows: i32, C: i32, lanes: i32): void {
  const start = load4(first, lanes);
  const leftStart = low(start);
  const rightStart = high(start);
  let leftSum = f64x2.splat(0);
  let rightSum = f64x2.splat(0);
  let leftSquares = f64x2.splat(0);
  let rightSquares = f64x2.splat(0);
  for (let row = 0; row < rows; row++) {
    const value = load4(x, lanes);
    const left = f64x2.sub(low(value), leftStart);
    const right = f64x2.sub(high(value), rightStart);
    leftSum = f64x2.add(leftSum, left);
    rightSum = f64x2.add(rightSum, right);
    leftSquares = f64x2.add(leftSquares, f64x2.mul(left, left));
    rightSquares = f64x2.add(rightSquares, f64x2.mul(right, right));
    x = at(x, C);
  }
  addSums(firstSum(sums, c), leftSum, rightSum, lanes);
  addSums(secondSum(sums, c, C), leftSquares, rightSquares, lanes);
}

/** √(variance + eps) of every channel. */
export function deviations(variance: usize, deviation: usize, C: i32, eps: f32): void {
  for (let c = 0; c < C; c++) store<f32>(at(deviation, c), sqrt(load<f32>(at(variance, c)) + eps));
}

/**
 * y = (x − mean) · gamma/deviation + beta, then + shortcut if there is one (its address is not 0), then max(0, y) if `relu` is
 * not 0: NaN stays, −0 becomes 0.
 */
export function normalise(
  x: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  deviation: usize,
  shortcut: usize,
  y: usize,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  shortcutRow: usize,
  shortcutImage: usize,
  yRow: usize,
  yImage: usize,
  relu: i32,
): void {
  const floor = f32x4.splat(relu ? 0 : NaN); // what is ≤ floor becomes 0: nothing is ≤ NaN
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      const ofX = at(x, (n * H + h) * W * C);
      const ofShortcut = shortcut == 0 ? 0 : shortcut + (n as usize) * shortcutImage + (h as usize) * shortcutRow;
      const ofY = y + (n as usize) * yImage + (h as usize) * yRow;
      for (let c = 0; c < C; c += 4)
        if (C - c >= 4) normaliseRow(ofX, gamma, beta, mean, deviation, ofShortcut, ofY, c, W, C, floor, 4);
        else normaliseRow(ofX, gamma, beta, mean, deviation, ofShortcut, ofY, c, W, C, floor, C - c);
    }
}

/** 1 to 4 channels of one row, from channel c on. */
// @ts-ignore: decorator
@inline
function normaliseRow(
  x: usize,
  gamma: usize,
  beta: usize,
  mean: usize,
  deviation: usize,
  shortcut: usize,
  y: usize,
  c: i32,
  W: i32,
  C: i32,
  floor: v128,
  lanes: i32,
): void {
  const factor = f32x4.div(load4(at(gamma, c), lanes), load4(at(deviation, c), lanes));
  const middle = load4(at(mean, c), lanes);
  const shift = load4(at(beta, c), lanes);
  for (let i = c; i < c + W * C; i += C) {
    let value = f32x4.add(f32x4.mul(f32x4.sub(load4(at(x, i), lanes), middle), factor), shift);
    if (shortcut) value = f32x4.add(value, load4(at(shortcut, i), lanes));
    store4(at(y, i), v128.andnot(value, f32x4.le(value, floor)), lanes);
  }
}

/**
 * dgamma = Σ dy · x̂ and dbeta = Σ dy over the N·H·W pixels of the batch, where x̂ = (x − mean) / deviation. If there is a y (its
 * address is not 0), relu came last: dy counts as 0 where y ≤ 0, and is 0 there afterwards.
 */
export function normaliseParameterGradients(
  dy: usize,
  y: usize,
  x: usize,
  mean: usize,
  deviation: usize,
  dgamma: usize,
  dbeta: usize,
  sums: usize,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  dyRow: usize,
  dyImage: usize,
  yRow: usize,
  yImage: usize,
  from: i32,
  to: i32,
): void {
  clearSums(sums, C, from, to);
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      const ofDy = dy + (n as usize) * dyImage + (h as usize) * dyRow;
      const ofY = y == 0 ? 0 : y + (n as usize) * yImage + (h as usize) * yRow;
      const ofX = at(x, (n * H + h) * W * C);
      for (let c = from; c < to; c += 4)
        if (to - c >= 4) sumSlopes(ofDy, ofY, ofX, mean, sums, c, W, C, 4);
        else sumSlopes(ofDy, ofY, ofX, mean, sums, c, W, C, to - c);
    }
  for (let c = from; c < to; c++) {
    store<f32>(at(dbeta, c), load<f64>(firstSum(sums, c)) as f32);
    store<f32>(at(dgamma, c), (load<f64>(secondSum(sums, c, C)) / load<f32>(at(deviation, c))) as f32);
  }
}

/** Σ dy and Σ dy · (x − mean) over one row, of 1 to 4 channels from c on. */
// @ts-ignore: decorator
@inline
function sumSlopes(dy: usize, y: usize, x: usize, mean: usize, sums: usize, c: i32, W: i32, C: i32, lanes: i32): void {
  const zero = f32x4.splat(0);
  const middle = load4(at(mean, c), lanes);
  let leftSum = f64x2.splat(0);
  let rightSum = f64x2.splat(0);
  let leftAlong = f64x2.splat(0);
  let rightAlong = f64x2.splat(0);
  for (let i = c; i < c + W * C; i += C) {
    let slope = load4(at(dy, i), lanes);
    if (y) {
      slope = v128.andnot(slope, f32x4.le(load4(at(y, i), lanes), zero));
      store4(at(dy, i), slope, lanes);
    }
    const apart = f32x4.sub(load4(at(x, i), lanes), middle);
    const left = low(slope);
    const right = high(slope);
    leftSum = f64x2.add(leftSum, left);
    rightSum = f64x2.add(rightSum, right);
    leftAlong = f64x2.add(leftAlong, f64x2.mul(left, low(apart)));
    rightAlong = f64x2.add(rightAlong, f64x2.mul(right, high(apart)));
  }
  addSums(firstSum(sums, c), leftSum, rightSum, lanes);
  addSums(secondSum(sums, c, C), leftAlong, rightAlong, lanes);
}

/** dx = gamma/deviation · dy: mean and deviation given, as in inference. */
export function normaliseInputGradient(
  dy: usize,
  gamma: usize,
  deviation: usize,
  dx: usize,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  dyRow: usize,
  dyImage: usize,
): void {
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      const ofDy = dy + (n as usize) * dyImage + (h as usize) * dyRow;
      const ofDx = at(dx, (n * H + h) * W * C);
      for (let c = 0; c < C; c += 4)
        if (C - c >= 4) scaleRow(ofDy, gamma, deviation, ofDx, c, W, C, 4);
        else scaleRow(ofDy, gamma, deviation, ofDx, c, W, C, C - c);
    }
}

/** 1 to 4 channels of one row, from channel c on. */
// @ts-ignore: decorator
@inline
function scaleRow(dy: usize, gamma: usize, deviation: usize, dx: usize, c: i32, W: i32, C: i32, lanes: i32): void {
  const factor = f32x4.div(load4(at(gamma, c), lanes), load4(at(deviation, c), lanes));
  for (let i = c; i < c + W * C; i += C) store4(at(dx, i), f32x4.mul(factor, load4(at(dy, i), lanes)), lanes);
}

/**
 * dx = gamma/deviation · (dy − (dbeta + x̂·dgamma) / count), as dy − dbeta/count − (x − mean) · dgamma/deviation/count in the
 * brackets: mean and deviation are those of x, as in training, and count is how many pixels all images of the batch have.
 */
export function batchNormInputGradient(
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  deviation: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize,
  count: i32,
  N: i32,
  H: i32,
  W: i32,
  C: i32,
  dyRow: usize,
  dyImage: usize,
): void {
  for (let n = 0; n < N; n++)
    for (let h = 0; h < H; h++) {
      const ofDy = dy + (n as usize) * dyImage + (h as usize) * dyRow;
      const ofX = (n * H + h) * W * C;
      for (let c = 0; c < C; c += 4)
        if (C - c >= 4)
          gradientRow(ofDy, at(x, ofX), gamma, mean, deviation, dgamma, dbeta, at(dx, ofX), count, c, W, C, 4);
        else gradientRow(ofDy, at(x, ofX), gamma, mean, deviation, dgamma, dbeta, at(dx, ofX), count, c, W, C, C - c);
    }
}

/** 1 to 4 channels of one row, from channel c on. */
// @ts-ignore: decorator
@inline
function gradientRow(
  dy: usize,
  x: usize,
  gamma: usize,
  mean: usize,
  deviation: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize,
  count: i32,
  c: i32,
  W: i32,
  C: i32,
  lanes: i32,
): void {
  const pixels = f32x4.splat(count as f32);
  const ofDeviation = load4(at(deviation, c), lanes);
  const factor = f32x4.div(load4(at(gamma, c), lanes), ofDeviation);
  const middle = load4(at(mean, c), lanes);
  const level = f32x4.div(load4(at(dbeta, c), lanes), pixels);
  const tilt = f32x4.div(f32x4.div(load4(at(dgamma, c), lanes), ofDeviation), pixels);
  for (let i = c; i < c + W * C; i += C) {
    const apart = f32x4.sub(load4(at(x, i), lanes), middle);
    const along = f32x4.add(level, f32x4.mul(apart, tilt));
    store4(at(dx, i), f32x4.mul(factor, f32x4.sub(load4(at(dy, i), lanes), along)), lanes);
  }
}

/** running = decay · running + weight · batch: the statistics for inference, after one more batch */
export function updateRunning(running: usize, batch: usize, y: usize, C: i32, decay: f32, weight: f32): void {
  for (let c = 0; c < C; c++)
    store<f32>(at(y, c), decay * load<f32>(at(running, c)) + weight * load<f32>(at(batch, c)));
}
