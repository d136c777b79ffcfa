import { exp } from './exponential';
import { load4, store4 } from './lanes';

// Rows of K logits. log is that of AssemblyScript's library, compiled with the rest: the same bits in every engine.

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** The largest of a row; NaN if one is NaN. */
function largest(row: usize, K: i32): f32 {
  let most: f32 = -Infinity;
  for (let k = 0; k < K; k++) most = max(most, load<f32>(at(row, k)));
  return most;
}

/** exp(x − m) of `lanes` logits, 1 to 4, and 0 where there are none. */
// @ts-ignore: decorator
@inline
function powers(x: usize, m: v128, lanes: i32): v128 {
  const some = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(lanes));
  return v128.and(exp(f32x4.sub(load4(x, lanes), m)), some);
}

/** Σ exp(x − m) of a row, one after the other, in float64: of 1 and something small its logarithm keeps all digits. */
function sumOfExp(row: usize, m: f32, K: i32): f64 {
  let sum: f64 = 0;
  for (let k = 0; k < K; k += 4) {
    const four = powers(at(row, k), f32x4.splat(m), min(4, K - k));
    sum += f32x4.extract_lane(four, 0);
    sum += f32x4.extract_lane(four, 1);
    sum += f32x4.extract_lane(four, 2);
    sum += f32x4.extract_lane(four, 3);
  }
  return sum;
}

/** y = exp(x − m) / Σ exp(x − m), row by row, m the row's maximum */
export function softmax(x: usize, y: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    const row = at(x, n * K);
    const m = largest(row, K);
    const sum = f32x4.splat(sumOfExp(row, m, K) as f32);
    for (let k = 0; k < K; k += 4) {
      const lanes = min(4, K - k);
      store4(at(y, n * K + k), f32x4.div(powers(at(row, k), f32x4.splat(m), lanes), sum), lanes);
    }
  }
}

/** dx = y · (dy − Σⱼ dy·y), y = softmax(x) */
export function softmaxBackward(dy: usize, y: usize, dx: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    let mean: f32 = 0;
    for (let i = n * K; i < n * K + K; i++) mean += load<f32>(at(dy, i)) * load<f32>(at(y, i));
    for (let i = n * K; i < n * K + K; i++) store<f32>(at(dx, i), load<f32>(at(y, i)) * (load<f32>(at(dy, i)) - mean));
  }
}

/** y = x − m − log Σ exp(x − m) */
export function logSoftmax(x: usize, y: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    const row = at(x, n * K);
    const m = largest(row, K);
    const logSum = Math.log(sumOfExp(row, m, K));
    for (let k = 0; k < K; k++) store<f32>(at(y, n * K + k), ((load<f32>(at(row, k)) as f64) - m - logSum) as f32);
  }
}

/** dx = dy − y · Σⱼ dy, y = softmax(x) */
export function logSoftmaxBackward(dy: usize, y: usize, dx: usize, N: i32, K: i32): void {
  for (let n = 0; n < N; n++) {
    let total: f32 = 0;
    for (let i = n * K; i < n * K + K; i++) total += load<f32>(at(dy, i));
    for (let i = n * K; i < n * K + K; i++) store<f32>(at(dx, i), load<f32>(at(dy, i)) - load<f32>(at(y, i)) * total);
  }
}

/** y = 1/N · Σ target · (log Σ exp(x − m) + (m − x)); what has target 0 costs nothing */
export function softmaxCrossEntropy(x: usize, target: usize, y: usize, N: i32, K: i32): void {
  let total: f64 = 0;
  for (let n = 0; n < N; n++) {
    const row = at(x, n * K);
    const m = largest(row, K);
    const logSum = Math.log(sumOfExp(row, m, K));
    for (let k = 0; k < K; k++) {
      const share = load<f32>(at(target, n * K + k));
      if (share > 0) total += share * (logSum + ((m as f64) - load<f32>(at(row, k))));
    }
  }
  store<f32>(y, (total / N) as f32);
}

/**
 * dx = (y − target) · dy / N, y = softmax(x). Where y is more than ½, y is taken as 1 − Σ of the others: of a network that is
 * sure and right, y − 1 would be what rounding left of it.
 */
export function softmaxCrossEntropyBackward(dy: usize, y: usize, target: usize, dx: usize, N: i32, K: i32): void {
  const slope = load<f32>(dy);
  for (let n = 0; n < N; n++) {
    const row = at(y, n * K);
    for (let k = 0; k < K; k++) {
      const share: f64 = load<f32>(at(target, n * K + k));
      const own: f64 = load<f32>(at(row, k));
      const error = own > 0.5 ? 1 - share - others(row, k, K) : own - share;
      store<f32>(at(dx, n * K + k), ((error * slope) / N) as f32);
    }
  }
}

/** Σ y of a row but for number k */
function others(row: usize, k: i32, K: i32): f64 {
  let sum: f64 = 0;
  for (let j = 0; j < K; j++) if (j != k) sum += load<f32>(at(row, j));
  return sum;
}

/** y = Σ (x − target)² / count */
export function meanSquaredError(x: usize, target: usize, y: usize, count: i32): void {
  let total: f32 = 0;
  for (let i = 0; i < count; i++) {
    const error = load<f32>(at(x, i)) - load<f32>(at(target, i));
    total += error * error;
  }
  store<f32>(y, total / (count as f32));
}

/** dx = 2 · (x − target) · dy / count */
export function meanSquaredErrorBackward(dy: usize, x: usize, target: usize, dx: usize, count: i32): void {
  const slope = load<f32>(dy);
  for (let i = 0; i < count; i++)
    store<f32>(at(dx, i), (2 * (load<f32>(at(x, i)) - load<f32>(at(target, i))) * slope) / (count as f32));
}
