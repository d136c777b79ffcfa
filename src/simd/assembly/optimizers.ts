// The equations of src/optimizer.ts, number by number; four at a time, so `count` is rounded up to a multiple of 4: buffers end
// with room for that. What is remembered must be 0 before the first step.

/** What all steps of the batch have in common, float32 numbers one after the other: see src/simd/optimizers.ts. */
@unmanaged
class Settings {
  rate: f32;
  weightDecay: f32;
  momentum: f32;
  /** 0 or 1. */
  nesterov: f32;
  /** The shares of the last mean and of the last mean square that are kept. The latter is rmsProp's alpha. */
  beta1: f32;
  beta2: f32;
  /** 1 − β₁ᵗ and 1 − β₂ᵗ. */
  bias1: f32;
  bias2: f32;
  eps: f32;
}

/** g + weightDecay·θ */
// @ts-ignore: decorator
@inline
function decayed(gradient: usize, theta: usize, weightDecay: v128): v128 {
  return f32x4.add(v128.load(gradient), f32x4.mul(weightDecay, v128.load(theta)));
}

/** kept·m + (1 − kept)·value, which is remembered. */
// @ts-ignore: decorator
@inline
function blend(m: usize, kept: f32, value: v128): v128 {
  const old = f32x4.mul(f32x4.splat(kept), v128.load(m));
  const blended = f32x4.add(old, f32x4.mul(f32x4.splat(1 - kept), value));
  v128.store(m, blended);
  return blended;
}

/** momentum·v + value, i bytes after the first v, which is remembered; without a velocity (its address is 0) the value itself. */
// @ts-ignore: decorator
@inline
function roll(velocity: usize, i: usize, momentum: f32, value: v128): v128 {
  if (velocity == 0) return value;
  const rolled = f32x4.add(f32x4.mul(f32x4.splat(momentum), v128.load(velocity + i)), value);
  v128.store(velocity + i, rolled);
  return rolled;
}

/** θ ← θ − rate·step */
// @ts-ignore: decorator
@inline
function move(theta: usize, rate: f32, step: v128): void {
  v128.store(theta, f32x4.sub(v128.load(theta), f32x4.mul(f32x4.splat(rate), step)));
}

/** g ← g + weightDecay·θ,  v ← momentum·v + g,  θ ← θ − rate·v, with nesterov θ ← θ − rate·(g + momentum·v) */
export function sgd(theta: usize, gradient: usize, velocity: usize, count: i32, settings: usize): void {
  const s = changetype<Settings>(settings);
  const weightDecay = f32x4.splat(s.weightDecay);
  const ahead = f32x4.splat(s.momentum);
  for (let i: usize = 0; i < (count as usize) << 2; i += 16) {
    const g = decayed(gradient + i, theta + i, weightDecay);
    const v = roll(velocity, i, s.momentum, g);
    move(theta + i, s.rate, s.nesterov != 0 ? f32x4.add(g, f32x4.mul(ahead, v)) : v);
  }
}

/** m̂ / (√ŝ + eps), after g has gone into m and s. */
// @ts-ignore: decorator
@inline
function direction(mean: usize, square: usize, g: v128, s: Settings): v128 {
  const corrected = f32x4.div(blend(mean, s.beta1, g), f32x4.splat(s.bias1));
  const root = f32x4.sqrt(f32x4.div(blend(square, s.beta2, f32x4.mul(g, g)), f32x4.splat(s.bias2)));
  return f32x4.div(corrected, f32x4.add(root, f32x4.splat(s.eps)));
}

/** g ← g + weightDecay·θ,  θ ← θ − rate·m̂ / (√ŝ + eps) */
export function adam(theta: usize, gradient: usize, mean: usize, square: usize, count: i32, settings: usize): void {
  const s = changetype<Settings>(settings);
  const weightDecay = f32x4.splat(s.weightDecay);
  for (let i: usize = 0; i < (count as usize) << 2; i += 16)
    move(theta + i, s.rate, direction(mean + i, square + i, decayed(gradient + i, theta + i, weightDecay), s));
}

/** θ ← θ − rate·weightDecay·θ,  θ ← θ − rate·m̂ / (√ŝ + eps) */
export function adamW(theta: usize, gradient: usize, mean: usize, square: usize, count: i32, settings: usize): void {
  const s = changetype<Settings>(settings);
  const decay: f32 = s.rate * s.weightDecay;
  for (let i: usize = 0; i < (count as usize) << 2; i += 16) {
    move(theta + i, decay, v128.load(theta + i));
    move(theta + i, s.rate, direction(mean + i, square + i, v128.load(gradient + i), s));
  }
}

/** g ← g + weightDecay·θ,  s ← alpha·s + (1 − alpha)·g²,  v ← momentum·v + g / (√s + eps),  θ ← θ − rate·v */
export function rmsProp(
  theta: usize,
  gradient: usize,
  square: usize,
  velocity: usize,
  count: i32,
  settings: usize,
): void {
  const s = changetype<Settings>(settings);
  const weightDecay = f32x4.splat(s.weightDecay);
  for (let i: usize = 0; i < (count as usize) << 2; i += 16) {
    const g = decayed(gradient + i, theta + i, weightDecay);
    const root = f32x4.sqrt(blend(square + i, s.beta2, f32x4.mul(g, g)));
    const step = f32x4.div(g, f32x4.add(root, f32x4.splat(s.eps)));
    move(theta + i, s.rate, roll(velocity, i, s.momentum, step));
  }
}
