import { COLUMNS, madd } from './tile';

// After relu and maximum pools of 2×2, at least three of four gradients are 0. Backward through such a convolution goes only
// through those that are not: a list for each image and output channel, of the places that have a gradient. Of x and w come
// 32 channels at a time, in 8 vectors that stay in registers along a list, and the rest 4 at a time; so C is a multiple of 4.
//
//     lists[n][o]    up to `room` entries of two numbers: the bytes from the image's first number to the pixel of x under the
//                    window's first tap (an integer), and the gradient
//     counts[n][o]   how many there are

/** What is the same for a whole layer: 32-bit integers one after the other, see src/simd/engine/sparseWay.ts. */
@unmanaged
class Sparse {
  /** Channels of x, of y, and taps of a kernel. */
  C: i32;
  O: i32;
  taps: i32;
  /** The most entries of a list. */
  room: i32;
  /** Bytes from the pixel under the first tap to that under each tap: one integer each. */
  tapOffsets: usize;
  /** Bytes from one image of x to the next. */
  image: i32;
}

const ENTRY: usize = 8;

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/**
 * Makes the lists of one image. dy (OH, OW, O), with `row` bytes from row to row, is the gradient of the pooled y; index
 * (OH, OW, O) says for each which of its four places it came from, 4 if from none. offsets[place] are the bytes to the pixel
 * of x under the first tap at each place (2·OH, 2·OW), of which there are `width` in a row.
 */
export function listGradients(
  dy: usize,
  row: i32,
  index: usize,
  offsets: usize,
  width: i32,
  OH: i32,
  OW: i32,
  O: i32,
  lists: usize,
  counts: usize,
  room: i32,
): void {
  memory.fill(counts, 0, (O as usize) * 4);
  for (let oh = 0; oh < OH; oh++) {
    let slope = dy + (oh as usize) * (row as usize);
    for (let ow = 0; ow < OW; ow++) {
      const place = at(offsets, 2 * oh * width + 2 * ow);
      for (let o = 0; o < O; o++, slope += 4) {
        const tap = load<u8>(index++) as i32;
        if (tap == 4) continue;
        const count = load<i32>(at(counts, o));
        const entry = lists + ((o * room + count) as usize) * ENTRY;
        store<i32>(entry, load<i32>(at(place, (tap >> 1) * width + (tap & 1))));
        store<f32>(entry, load<f32>(slope), 4);
        store<i32>(at(counts, o), count + 1);
      }
    }
  }
}

/** dw[o][tap][c] += Σ gradient · x, db[o] = Σ gradient, over the lists of N images, for the kernels first ≤ o < end. */
export function sparseWeightGradient(
  lists: usize,
  counts: usize,
  x: usize,
  dw: usize,
  db: usize,
  N: i32,
  first: i32,
  end: i32,
  sparse: usize,
): void {
  const g = changetype<Sparse>(sparse);
  for (let o = first; o < end; o++) store<f32>(at(db, o), sumOfLists(lists, counts, N, o, g));
  for (let n = 0; n < N; n++) {
    const image = x + (n as usize) * (g.image as usize);
    for (let o = first; o < end; o++) {
      const list = lists + (((n * g.O + o) * g.room) as usize) * ENTRY;
      const until = list + (load<i32>(at(counts, n * g.O + o)) as usize) * ENTRY;
      for (let tap = 0; tap < g.taps; tap++) {
        const from = image + (load<i32>(at(g.tapOffsets, tap)) as usize);
        const to = at(dw, (o * g.taps + tap) * g.C);
        let c = 0;
        for (; c + 32 <= g.C; c += 32) gather32(list, until, at(from, c), at(to, c));
        for (; c < g.C; c += 4) gather4(list, until, at(from, c), at(to, c));
      }
    }
  }
}

function sumOfLists(lists: usize, counts: usize, N: i32, o: i32, g: Sparse): f32 {
  let sum: f64 = 0;
  for (let n = 0; n < N; n++) {
    const list = lists + (((n * g.O + o) * g.room) as usize) * ENTRY;
    const until = list + (load<i32>(at(counts, n * g.O + o)) as usize) * ENTRY;
    for (let entry = list; entry < until; entry += ENTRY) sum += load<f32>(entry, 4);
  }
  return sum as f32;
}

/** to[c] += Σ gradient · from[offset + c] over a list, c < 32: from 0 on, for what `tile` says of long sums */
function gather32(list: usize, until: usize, from: usize, to: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  let g = f32x4.splat(0);
  let h = f32x4.splat(0);
  for (; list < until; list += ENTRY) {
    const x = from + (load<i32>(list) as usize);
    const slope = v128.load32_splat(list, 4);
    a = madd(slope, v128.load(x), a);
    b = madd(slope, v128.load(x, 16), b);
    c = madd(slope, v128.load(x, 32), c);
    d = madd(slope, v128.load(x, 48), d);
    e = madd(slope, v128.load(x, 64), e);
    f = madd(slope, v128.load(x, 80), f);
    g = madd(slope, v128.load(x, 96), g);
    h = madd(slope, v128.load(x, 112), h);
  }
  v128.store(to, f32x4.add(a, v128.load(to)));
  v128.store(to, f32x4.add(b, v128.load(to, 16)), 16);
  v128.store(to, f32x4.add(c, v128.load(to, 32)), 32);
  v128.store(to, f32x4.add(d, v128.load(to, 48)), 48);
  v128.store(to, f32x4.add(e, v128.load(to, 64)), 64);
  v128.store(to, f32x4.add(f, v128.load(to, 80)), 80);
  v128.store(to, f32x4.add(g, v128.load(to, 96)), 96);
  v128.store(to, f32x4.add(h, v128.load(to, 112)), 112);
}

/** The same, c < 4. */
function gather4(list: usize, until: usize, from: usize, to: usize): void {
  let a = f32x4.splat(0);
  for (; list < until; list += ENTRY)
    a = madd(v128.load32_splat(list, 4), v128.load(from + (load<i32>(list) as usize)), a);
  v128.store(to, f32x4.add(a, v128.load(to)));
}

/** dx[offset + tap][c] += gradient · w[o][tap][c] over the lists of one image, w turned: see convolution.ts. */
export function sparseInputGradient(lists: usize, counts: usize, turned: usize, dx: usize, sparse: usize): void {
  const g = changetype<Sparse>(sparse);
  const panels = (g.C + COLUMNS - 1) / COLUMNS;
  const panel = (g.O * COLUMNS * 4) as usize;
  for (let o = 0; o < g.O; o++) {
    const list = lists + ((o * g.room) as usize) * ENTRY;
    const until = list + (load<i32>(at(counts, o)) as usize) * ENTRY;
    for (let tap = 0; tap < g.taps; tap++) {
      const to = dx + (load<i32>(at(g.tapOffsets, tap)) as usize);
      const w = at(turned, (tap * panels * g.O + o) * COLUMNS);
      let c = 0;
      for (; c + 32 <= g.C; c += 32) scatter32(list, until, w + ((c >> 3) as usize) * panel, panel, at(to, c));
      for (; c < g.C; c += 4)
        scatter4(list, until, at(w + ((c >> 3) as usize) * panel, c & 4), at(to, c));
    }
  }
}

/** to[offset + c] += gradient · w[c] over a list, c < 32; w comes in 4 panels of 8. */
function scatter32(list: usize, until: usize, w: usize, panel: usize, to: usize): void {
  const a = v128.load(w);
  const b = v128.load(w, 16);
  w += panel;
  const c = v128.load(w);
  const d = v128.load(w, 16);
  w += panel;
  const e = v128.load(w);
  const f = v128.load(w, 16);
  w += panel;
  const g = v128.load(w);
  const h = v128.load(w, 16);
  for (; list < until; list += ENTRY) {
    const x = to + (load<i32>(list) as usize);
    const slope = v128.load32_splat(list, 4);
    v128.store(x, madd(slope, a, v128.load(x)));
    v128.store(x, madd(slope, b, v128.load(x, 16)), 16);
    v128.store(x, madd(slope, c, v128.load(x, 32)), 32);
    v128.store(x, madd(slope, d, v128.load(x, 48)), 48);
    v128.store(x, madd(slope, e, v128.load(x, 64)), 64);
    v128.store(x, madd(slope, f, v128.load(x, 80)), 80);
    v128.store(x, madd(slope, g, v128.load(x, 96)), 96);
    v128.store(x, madd(slope, h, v128.load(x, 112)), 112);
  }
}

/** The same, c < 4. */
function scatter4(list: usize, until: usize, w: usize, to: usize): void {
  const a = v128.load(w);
  for (; list < until; list += ENTRY) {
    const x = to + (load<i32>(list) as usize);
    v128.store(x, madd(v128.load32_splat(list, 4), a, v128.load(x)));
  }
}

/**
 * The gradients of one image where lists do not fit: dy (H, W, C) of a convolution before relu and a 2×2 maximum pool, from
 * that of the pooled y, as in listGradients.
 */
export function reluMaxPoolBackward(dp: usize, row: i32, index: usize, dy: usize, H: i32, W: i32, C: i32): void {
  memory.fill(dy, 0, ((H * W * C) as usize) * 4);
  for (let oh = 0; oh < H >> 1; oh++) {
    let slope = dp + (oh as usize) * (row as usize);
    for (let ow = 0; ow < W >> 1; ow++) {
      const corner = at(dy, (2 * oh * W + 2 * ow) * C);
      for (let c = 0; c < C; c++, slope += 4) {
        const tap = load<u8>(index++) as i32;
        if (tap != 4) store<f32>(at(corner, ((tap >> 1) * W + (tap & 1)) * C + c), load<f32>(slope));
      }
    }
  }
}
