// Number by number; four at a time, so `count` is rounded up to a multiple of 4: buffers end with room for that.

/** y = max(0, x); NaN stays, −0 becomes 0. */
export function relu(x: usize, y: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    v128.store(y, f32x4.max(zero, v128.load(x)));
    x += 16;
    y += 16;
  }
}

/** dx = dy, but 0 where x ≤ 0. */
export function reluBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i += 4) {
    v128.store(dx, v128.andnot(v128.load(dy), f32x4.le(v128.load(x), zero)));
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
    v128.store(y, v128.bitselect(value, f32x4.mul(slopes, value), f32x4.gt(value, zero)));
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
    v128.store(dx, v128.bitselect(f32x4.mul(slopes, value), value, f32x4.le(v128.load(x), zero)));
    dy += 16;
    x += 16;
    dx += 16;
  }
}

// exp, log and tanh are those of AssemblyScript's library, compiled with the rest: the same bits in every engine.

/** y = tanh x */
export function tanh(x: usize, y: usize, count: i32): void {
  for (let i: usize = 0; i < (count as usize) << 2; i += 4) store<f32>(y + i, Mathf.tanh(load<f32>(x + i)));
}

/** dx = dy · sech² x, where sech x = 2e / (1 + e²), e = exp −|x|: nothing overflows or cancels. */
export function tanhBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  for (let i: usize = 0; i < (count as usize) << 2; i += 4) {
    const e = Mathf.exp(-abs(load<f32>(x + i)));
    const sech: f32 = (2 * e) / (1 + e * e);
    store<f32>(dx + i, load<f32>(dy + i) * sech * sech);
  }
}

/** y = 1 / (1 + exp −x) = 1 / (1 + e) for x ≥ 0, e / (1 + e) for x < 0, e = exp −|x| */
export function sigmoid(x: usize, y: usize, count: i32): void {
  for (let i: usize = 0; i < (count as usize) << 2; i += 4) {
    const value = load<f32>(x + i);
    const e = Mathf.exp(-abs(value));
    store<f32>(y + i, (value >= 0 ? 1 : e) / (1 + e));
  }
}

/** dx = dy · e / (1 + e)² */
export function sigmoidBackward(dy: usize, x: usize, dx: usize, count: i32): void {
  for (let i: usize = 0; i < (count as usize) << 2; i += 4) {
    const e = Mathf.exp(-abs(load<f32>(x + i)));
    store<f32>(dx + i, load<f32>(dy + i) * (e / ((1 + e) * (1 + e))));
  }
}

/** y = x / keep where the mask is 1, and 0 where it is 0, even of ∞ and NaN. */
export function dropout(x: usize, mask: usize, y: usize, count: i32, keep: f32): void {
  for (let i: usize = 0; i < (count as usize) << 2; i += 4)
    store<f32>(y + i, load<f32>(mask + i) == 1 ? load<f32>(x + i) / keep : 0);
}
