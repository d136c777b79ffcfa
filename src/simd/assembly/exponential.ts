// exp of four numbers at once. Every operation is one that IEEE 754 rounds, so that the bits are the same in every engine: a
// fused multiply-add would be faster where there is one, and different.
//
//     x = n·ln 2 + r,  n whole, |r| ≤ ln 2 / 2        exp x = 2ⁿ · exp r        exp r − 1 = r + r²·q(r)
//
// q(r) = 1/2! + r/3! + r²/4! + …, cut off after r⁴. Its first coefficient is ½; the other four make the largest relative error
// of exp r on |r| ≤ ln 2 / 2 as small as can be (Remez's algorithm, in 40 digits), and were rounded to float32 one after the
// other, those after it fitted again. What is left is 0.073 · 2⁻²⁴, the thirteenth of a rounding.
const Q0: f32 = 0.5;
const Q1: f32 = 0.16666488349437714;
const Q2: f32 = 0.04166555032134056;
const Q3: f32 = 0.008372284471988678;
const Q4: f32 = 0.0014036042848601937;

const LOG2_E: f32 = 1.4426950216293335;
/** ln 2 in two parts. The first has 16 bits: its product with n is exact. */
const LN2_HIGH: f32 = 0.693145751953125;
const LN2_LOW: f32 = 1.428606765330187e-6;

/** Added to |z| < 2²², it leaves z rounded to an integer n, in the last bits: those of ROUND + n are its own plus n. */
const ROUND: f32 = 12582912; // 1.5 · 2²³

/** The larger of two; x if it is NaN. (f32x4.max does the same, but V8 makes eight instructions of it on x86, not one.) */
// @ts-ignore: decorator
@inline
function atLeast(x: v128, least: f32): v128 {
  return f32x4.pmax(x, f32x4.splat(least));
}

/** ROUND + n, n the integer nearest to x / ln 2 */
// @ts-ignore: decorator
@inline
function rounded(x: v128): v128 {
  return f32x4.add(f32x4.mul(x, f32x4.splat(LOG2_E)), f32x4.splat(ROUND));
}

/** n as an integer. */
// @ts-ignore: decorator
@inline
function exponent(rounded: v128): v128 {
  return i32x4.sub(rounded, f32x4.splat(ROUND));
}

/** 2ⁿ for −127 < n < 128 */
// @ts-ignore: decorator
@inline
function powerOf2(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** exp r − 1, r = x − n·ln 2. The largest part is added last, and exact. */
// @ts-ignore: decorator
@inline
function ofRest(x: v128, rounded: v128): v128 {
  const n = f32x4.sub(rounded, f32x4.splat(ROUND));
  const high = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2_HIGH)));
  const low = f32x4.mul(n, f32x4.splat(LN2_LOW));
  const r = f32x4.sub(high, low);
  let q = f32x4.add(f32x4.mul(r, f32x4.splat(Q4)), f32x4.splat(Q3));
  q = f32x4.add(f32x4.mul(r, q), f32x4.splat(Q2));
  q = f32x4.add(f32x4.mul(r, q), f32x4.splat(Q1));
  q = f32x4.add(f32x4.mul(r, q), f32x4.splat(Q0));
  return f32x4.add(high, f32x4.sub(f32x4.mul(f32x4.mul(r, r), q), low));
}

/**
 * exp x, at most 0.91 ulp off (measured on every float32 against Math.exp). 2ⁿ is multiplied in two halves, so that results
 * below the least normal number are rounded once more and not twice, and those beyond the largest become ∞. NaN stays.
 */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  x = f32x4.pmin(atLeast(x, -104), f32x4.splat(89)); // exp −104 is 0 in float32, exp 89 is ∞
  const near = rounded(x);
  const n = exponent(near);
  const half = i32x4.shr_s(n, 1);
  const y = f32x4.add(f32x4.splat(1), ofRest(x, near));
  return f32x4.mul(f32x4.mul(y, powerOf2(half)), powerOf2(i32x4.sub(n, half)));
}

/** exp x − 1 = 2ⁿ·(exp r − 1) + (2ⁿ − 1) for x ≤ 0, at most 0.98 ulp off (measured as exp was). NaN stays. */
// @ts-ignore: decorator
@inline
export function expm1(x: v128): v128 {
  x = atLeast(x, -40); // exp −40 − 1 is −1 in float32
  const near = rounded(x);
  const scale = powerOf2(exponent(near));
  return f32x4.add(f32x4.mul(scale, ofRest(x, near)), f32x4.sub(scale, f32x4.splat(1)));
}
