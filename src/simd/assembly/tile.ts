// The one inner loop of convolutions and linear layers, forward and backward: a tile of a matrix product, 6 rows × 8 columns,
//
//     c[row i][j] = start[j] + Σ_k a[row i, k] · b[k, j]
//
// Its 12 vectors of sums, the 2 of b and the 1 of a fill the 15 registers that V8 has for vectors. They stay there only if the
// loop over k is a single one, and if no branch comes after it: either costs a third of the speed (51 to 34 GFLOP/s, measured).

// Where each row begins in a, and where its sums go. (Every thread has its own globals.)
let a0: usize = 0;
let c0: usize = 0;
let a1: usize = 0;
let c1: usize = 0;
let a2: usize = 0;
let c2: usize = 0;
let a3: usize = 0;
let c3: usize = 0;
let a4: usize = 0;
let c4: usize = 0;
let a5: usize = 0;
let c5: usize = 0;

export const ROWS: i32 = 6;
export const COLUMNS: i32 = 8;

/** Row i of the next tile. All six must be set: where there are fewer, the others repeat the last. */
// @ts-ignore: decorator
@inline
export function setRow(i: i32, a: usize, c: usize): void {
  switch (i) {
    case 0:
      a0 = a;
      c0 = c;
      break;
    case 1:
      a1 = a;
      c1 = c;
      break;
    case 2:
      a2 = a;
      c2 = c;
      break;
    case 3:
      a3 = a;
      c3 = c;
      break;
    case 4:
      a4 = a;
      c4 = c;
      break;
    case 5:
      a5 = a;
      c5 = c;
      break;
  }
}

/**
 * The sum runs over k < count. From k to k + 1 all rows of a move on by steps[k] bytes, and b by bStep. It starts from the
 * 8 numbers at `start`. If that is 0, it starts from 0 and is added to what c holds: of a long sum, done in parts, each part is
 * rounded by its own size, not by that of all before it. Of the 8 columns `columns` are stored.
 */
export function tile(steps: usize, count: i32, b: usize, bStep: usize, start: usize, columns: i32): void {
  if (start == 0) {
    if (columns == COLUMNS) sums(steps, count, b, bStep, ZEROS, COLUMNS, true);
    else sums(steps, count, b, bStep, ZEROS, columns, true);
  } else if (columns == COLUMNS) sums(steps, count, b, bStep, start, COLUMNS, false);
  else sums(steps, count, b, bStep, start, columns, false);
}

/** Eight times 0. */
export const ZEROS: usize = memory.data(32, 16);

// @ts-ignore: decorator
@inline
function sums(steps: usize, count: i32, b: usize, bStep: usize, start: usize, columns: i32, onto: bool): void {
  let p0 = a0;
  let p1 = a1;
  let p2 = a2;
  let p3 = a3;
  let p4 = a4;
  let p5 = a5;
  let s0 = v128.load(start);
  let t0 = v128.load(start, 16);
  let s1 = v128.load(start);
  let t1 = v128.load(start, 16);
  let s2 = v128.load(start);
  let t2 = v128.load(start, 16);
  let s3 = v128.load(start);
  let t3 = v128.load(start, 16);
  let s4 = v128.load(start);
  let t4 = v128.load(start, 16);
  let s5 = v128.load(start);
  let t5 = v128.load(start, 16);
  const end = steps + ((count as usize) << 2);
  for (; steps < end; steps += 4) {
    const aStep = load<i32>(steps) as usize;
    const left = v128.load(b);
    const right = v128.load(b, 16);
    b += bStep;
    let x = v128.load32_splat(p0);
    s0 = madd(x, left, s0);
    t0 = madd(x, right, t0);
    p0 += aStep;
    x = v128.load32_splat(p1);
    s1 = madd(x, left, s1);
    t1 = madd(x, right, t1);
    p1 += aStep;
    x = v128.load32_splat(p2);
    s2 = madd(x, left, s2);
    t2 = madd(x, right, t2);
    p2 += aStep;
    x = v128.load32_splat(p3);
    s3 = madd(x, left, s3);
    t3 = madd(x, right, t3);
    p3 += aStep;
    x = v128.load32_splat(p4);
    s4 = madd(x, left, s4);
    t4 = madd(x, right, t4);
    p4 += aStep;
    x = v128.load32_splat(p5);
    s5 = madd(x, left, s5);
    t5 = madd(x, right, t5);
    p5 += aStep;
  }
  if (onto) {
    // all before the first is stored: where there are fewer rows, the last is there again
    s0 = f32x4.add(s0, v128.load(c0));
    t0 = f32x4.add(t0, v128.load(c0, 16));
    s1 = f32x4.add(s1, v128.load(c1));
    t1 = f32x4.add(t1, v128.load(c1, 16));
    s2 = f32x4.add(s2, v128.load(c2));
    t2 = f32x4.add(t2, v128.load(c2, 16));
    s3 = f32x4.add(s3, v128.load(c3));
    t3 = f32x4.add(t3, v128.load(c3, 16));
    s4 = f32x4.add(s4, v128.load(c4));
    t4 = f32x4.add(t4, v128.load(c4, 16));
    s5 = f32x4.add(s5, v128.load(c5));
    t5 = f32x4.add(t5, v128.load(c5, 16));
  }
  store(c0, s0, t0, columns);
  store(c1, s1, t1, columns);
  store(c2, s2, t2, columns);
  store(c3, s3, t3, columns);
  store(c4, s4, t4, columns);
  store(c5, s5, t5, columns);
}

/** a·b + c, rounded once in the build where FMA is 1, else twice. */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (FMA) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** The first `columns` of the numbers in left and right. */
// @ts-ignore: decorator
@inline
function store(c: usize, left: v128, right: v128, columns: i32): void {
  if (columns == COLUMNS) {
    v128.store(c, left);
    v128.store(c, right, 16);
  } else storeSome(c, left, right, columns);
}

export function storeSome(c: usize, left: v128, right: v128, columns: i32): void {
  if (columns >= 4) v128.store(c, left);
  const at = columns >= 4 ? c + 16 : c;
  const rest = columns >= 4 ? right : left;
  const count = columns & 3;
  if (count > 0) v128.store32_lane(at, rest, 0);
  if (count > 1) v128.store32_lane(at, rest, 1, 4);
  if (count > 2) v128.store32_lane(at, rest, 2, 8);
}
