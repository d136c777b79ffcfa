// Kernels that go over the channels of a pixel take four at a time, and what is left over after the last four: `lanes` numbers,
// 1 to 4, and nothing beyond them is read or written. Where `lanes` is written as 4 or 2, the compiler leaves the
// other cases out.

/** The first `lanes` float32 at x. */
// @ts-ignore: decorator
@inline
export function load4(x: usize, lanes: i32): v128 {
  if (lanes == 4) return v128.load(x);
  if (lanes == 2) return v128.load64_zero(x);
  return loadSome(x, lanes);
}

function loadSome(x: usize, lanes: i32): v128 {
  if (lanes == 1) return v128.load32_zero(x);
  return v128.load32_lane(x, v128.load64_zero(x), 2, 8);
}

/** The first `lanes` float32 of a vector go to y. */
// @ts-ignore: decorator
@inline
export function store4(y: usize, value: v128, lanes: i32): void {
  if (lanes == 4) v128.store(y, value);
  else if (lanes == 2) v128.store64_lane(y, value, 0);
  else storeSome(y, value, lanes);
}

function storeSome(y: usize, value: v128, lanes: i32): void {
  v128.store32_lane(y, value, 0);
  if (lanes == 1) return;
  v128.store32_lane(y, value, 1, 4);
  v128.store32_lane(y, value, 2, 8);
}

/** The first two of four float32, as float64. */
// @ts-ignore: decorator
@inline
export function low(value: v128): v128 {
  return f64x2.promote_low_f32x4(value);
}

/** The last two of four float32, as float64. */
// @ts-ignore: decorator
@inline
export function high(value: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(value, value, 2, 3, 0, 1));
}

/** The first `lanes` of the four float64 in left and right are added to those at `sums`. */
// @ts-ignore: decorator
@inline
export function addSums(sums: usize, left: v128, right: v128, lanes: i32): void {
  if (lanes == 4) {
    v128.store(sums, f64x2.add(v128.load(sums), left));
    v128.store(sums, f64x2.add(v128.load(sums, 16), right), 16);
  } else addSomeSums(sums, left, right, lanes);
}

function addSomeSums(sums: usize, left: v128, right: v128, lanes: i32): void {
  store<f64>(sums, load<f64>(sums) + f64x2.extract_lane(left, 0));
  if (lanes > 1) store<f64>(sums, load<f64>(sums, 8) + f64x2.extract_lane(left, 1), 8);
  if (lanes > 2) store<f64>(sums, load<f64>(sums, 16) + f64x2.extract_lane(right, 0), 16);
}
