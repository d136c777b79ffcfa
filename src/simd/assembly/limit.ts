import { madd } from './tile';

/**
 * What the processor can do at most: `count` rounds of 13 multiply-adds of four numbers each, 104 operations a round, on registers
 * alone and none waiting for another of its round. Their sum, which nobody needs, keeps the compiler from leaving them out.
 * A product of two numbers that never change it would compute only once: so each is of what the last one gave. In the plain build,
 * where the next product must wait for the sum, other kernels get up to 6 % beyond this (measured): it is near the limit there, not it.
 */
export function limit(count: i32): f32 {
  const x = f32x4.splat(0.5);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  let g = f32x4.splat(0);
  let h = f32x4.splat(0);
  let i = f32x4.splat(0);
  let j = f32x4.splat(0);
  let k = f32x4.splat(0);
  let l = f32x4.splat(0);
  let m = f32x4.splat(0);
  for (; count > 0; count--) {
    a = madd(a, x, x);
    b = madd(b, x, x);
    c = madd(c, x, x);
    d = madd(d, x, x);
    e = madd(e, x, x);
    f = madd(f, x, x);
    g = madd(g, x, x);
    h = madd(h, x, x);
    i = madd(i, x, x);
    j = madd(j, x, x);
    k = madd(k, x, x);
    l = madd(l, x, x);
    m = madd(m, x, x);
  }
  const four = f32x4.add(
    f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h))),
    f32x4.add(f32x4.add(f32x4.add(i, j), f32x4.add(k, l)), m),
  );
  return f32x4.extract_lane(four, 0);
}
