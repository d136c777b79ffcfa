import { exp, expm1 } from './exponential';
import { store4 } from './lanes';

// Number by number, four at a time. Beyond the last number some may be read, of which nothing is written.

/** y = max(0, x); NaN stays, −0 becomes 0. */
export function relu(x: usize, y: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    store4(y, f32x4.max(zero, v128.load(x)), min(4, count - i));
    x += 16;
    y += 16;
  }
}

/** dx = dy, but 0 where x ≤ 0. */
export function reluBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    store4(dx, v128.andnot(v128.load(dy), f32x4.le(v128.load(x), zero)), min(4, count - i));
    dy += 16;
    x += 16;
    dx += 16;
  }
}

/** y = x where x > 0, else slope · x */
export function leakyRelu(x: usize, y: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const slopes = f32x4.splat(slope);
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(x);
    store4(y, v128.bitselect(value, f32x4.mul(slopes, value), f32x4.gt(value, zero)), min(4, count - i));
    x += 16;
    y += 16;
  }
}

/** dx = slope · dy where x ≤ 0, else dy */
export function leakyReluBackward(dy: usize, x: usize, dx: usize, count: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const slopes = f32x4.splat(slope);
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(dy);
    store4(dx, v128.bitselect(f32x4.mul(slopes, value), value, f32x4.le(v128.load(x), zero)), min(4, count - i));
    dy += 16;
    x += 16;
    dx += 16;
  }
}

// The errors below are the largest of all float32, against the same formula in float64.

/**
 * y = tanh x = (1 − e) / (1 + e), e = exp −2|x|, with the sign of x. As e − 1 is an expm1, nothing is lost where x is near 0.
 * At most 2.5 ulp off.
 */
export function tanh(x: usize, y: usize, count: i32): void {
  const sign = f32x4.splat(-0);
  const two = f32x4.splat(2);
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(x);
    const m = expm1(f32x4.mul(f32x4.splat(-2), f32x4.abs(value)));
    store4(y, v128.bitselect(value, f32x4.div(m, f32x4.add(two, m)), sign), min(4, count - i));
    x += 16;
    y += 16;
  }
}

/** dx = dy · sech² x, where sech x = 2e / (1 + e²), e = exp −|x|: nothing overflows or cancels. At most 5.7 ulp off. */
export function tanhBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  const one = f32x4.splat(1);
  for (let i = 0; i < count; i += 4) {
    const e = exp(f32x4.neg(f32x4.abs(v128.load(x))));
    const sech = f32x4.div(f32x4.add(e, e), f32x4.add(one, f32x4.mul(e, e)));
    store4(dx, f32x4.mul(f32x4.mul(v128.load(dy), sech), sech), min(4, count - i));
    dy += 16;
    x += 16;
    dx += 16;
  }
}

/** y = 1 / (1 + exp −x) = 1 / (1 + e) for x ≥ 0, e / (1 + e) for x < 0, e = exp −|x|. At most 2.5 ulp off. */
export function sigmoid(x: usize, y: usize, count: i32): void {
  const zero = f32x4.splat(0);
  const one = f32x4.splat(1);
  for (let i = 0; i < count; i += 4) {
    const value = v128.load(x);
    const e = exp(f32x4.neg(f32x4.abs(value)));
    store4(y, f32x4.div(v128.bitselect(one, e, f32x4.ge(value, zero)), f32x4.add(one, e)), min(4, count - i));
    x += 16;
    y += 16;
  }
}

/** dx = dy · e / (1 + e)², e = exp −|x|. At most 4.3 ulp off. */
export function sigmoidBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  for (let i = 0; i < count; i += 4) {
    const e = exp(f32x4.neg(f32x4.abs(v128.load(x))));
    const sum = f32x4.add(f32x4.splat(1), e);
    store4(dx, f32x4.mul(v128.load(dy), f32x4.div(e, f32x4.mul(sum, sum))), min(4, count - i));
    dy += 16;
    x += 16;
    dx += 16;
  }
}

/** y = x / keep where the mask is 1, and 0 where it is 0, even of ∞ and NaN. */
export function dropout(x: usize, mask: usize, y: usize, count: i32, keep: f32): void {
  const one = f32x4.splat(1);
  const keeps = f32x4.splat(keep);
  for (let i = 0; i < count; i += 4) {
    store4(y, v128.and(f32x4.div(v128.load(x), keeps), f32x4.eq(v128.load(mask), one)), min(4, count - i));
    x += 16;
    mask += 16;
    y += 16;
  }
}
