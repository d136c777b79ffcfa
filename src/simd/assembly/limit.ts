import { madd } from './tile';

/**
 * What the processor can do at most: `count` rounds of 12 multiply-adds of four numbers each, 96 operations a round, on registers
 * alone and none waiting for another of its round. Their sum, which nobody needs, keeps the compiler from leaving them out.
 * A product of two numbers that never change it would compute only once: so each is of what the last one gave.
 */
export function limit(count: i32): f32 {
  const x = f32x4.splat(0.5);
  const y = f32x4.splat(1);
  let a = y;
  let b = y;
  let c = y;
  let d = y;
  let e = y;
  let f = y;
  let g = y;
  let h = y;
  let i = y;
  let j = y;
  let k = y;
  let l = y;
  for (; count > 0; count--) {
    a = madd(a, x, y);
    b = madd(b, x, y);
    c = madd(c, x, y);
    d = madd(d, x, y);
    e = madd(e, x, y);
    f = madd(f, x, y);
    g = madd(g, x, y);
    h = madd(h, x, y);
    i = madd(i, x, y);
    j = madd(j, x, y);
    k = madd(k, x, y);
    l = madd(l, x, y);
  }
  const four = f32x4.add(
    f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h))),
    f32x4.add(f32x4.add(i, j), f32x4.add(k, l)),
  );
  return f32x4.extract_lane(four, 0);
}
