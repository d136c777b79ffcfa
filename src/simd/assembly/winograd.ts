import { COLUMNS, ROWS, setRow, tile } from './tile';

// A 3×3 convolution of stride 1 with 16 multiplications for 2×2 numbers of y, where the sum over taps has 36. In one dimension,
// for two neighbours y0 = d0·g0 + d1·g1 + d2·g2 and y1 = d1·g0 + d2·g1 + d3·g2:
//
//     m0 = (d0 − d2)·g0        m1 = (d1 + d2)·(g0 + g1 + g2)/2        m2 = (d2 − d1)·(g0 − g1 + g2)/2        m3 = (d1 − d3)·g2
//     y0 = m0 + m1 + m2        y1 = m1 − m2 − m3
//
// and in two, of rows and then of columns. All patches of 4×4 pixels are changed first, then the products are 16 matrix products
// over the channels, and what they give is changed to y. (Winograd; Lavin & Gray, arXiv:1509.09308, F(2×2, 3×3).)
//
//     patches[16][patch][c]     kernels[16][panel][c][o], o < 8     products[16][patch][o]
//
// Backward, dx is such a convolution of dy with the kernels turned. dw goes back through the same three steps: the gradient of m
// from that of y, 16 matrix products over the patches, and from the gradient of the changed kernels that of the kernels.
//
//     slopes[16][panel][patch][o], o < 8     sums[16][panel][c][o]
//
// C and O are multiples of 8. The patches of images are counted through: (n, row, column). From one patch to the next are `pitch`
// numbers, more than C.

/** Where images lie, and the patches on them: 32-bit integers one after the other, see src/simd/engine/winogradWay.ts. */
@unmanaged
class Patches {
  /** Rows and columns of the image. */
  H: i32;
  W: i32;
  C: i32;
  /** Bytes from one row to the next, from one image to the next. */
  row: i32;
  image: i32;
  /** Rows and columns of zeros before the image. */
  top: i32;
  left: i32;
  /** How many patches there are in an image. */
  down: i32;
  across: i32;
}

/** Of so many channels all sums over patches are done before the next: what they read stays in the nearest cache. */
const CHANNELS: i32 = 8 * ROWS;

// @ts-ignore: decorator
@inline
function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** The patches first ≤ i < first + count of x, changed. `edge` is room for one patch of four channels: 64 numbers. */
export function changePatches(
  x: usize,
  patches: usize,
  first: i32,
  count: i32,
  pitch: i32,
  edge: usize,
  geometry: usize,
): void {
  const g = changetype<Patches>(geometry);
  const step = ((count * pitch) as usize) << 2;
  for (let i = 0; i < count; i++) {
    const n = (first + i) / (g.down * g.across);
    const patch = (first + i) % (g.down * g.across);
    const h = 2 * (patch / g.across) - g.top;
    const w = 2 * (patch % g.across) - g.left;
    const image = x + (n as usize) * (g.image as usize);
    const to = at(patches, i * pitch);
    if (h >= 0 && w >= 0 && h + 4 <= g.H && w + 4 <= g.W) {
      const from = at(image + (h as usize) * (g.row as usize), w * g.C);
      for (let c = 0; c < g.C; c += 4) changePatch(at(from, c), g.row as usize, (g.C as usize) << 2, at(to, c), step);
    } else
      for (let c = 0; c < g.C; c += 4) {
        copyPatch(at(image, c), h, w, edge, g);
        changePatch(edge, 64, 16, at(to, c), step);
      }
  }
}

/** Four channels of a patch at the edge, with zeros beyond the image. */
function copyPatch(image: usize, h: i32, w: i32, to: usize, g: Patches): void {
  for (let i = h; i < h + 4; i++)
    for (let j = w; j < w + 4; j++) {
      const inside = i >= 0 && i < g.H && j >= 0 && j < g.W;
      const from = at(image + (i as usize) * (g.row as usize), j * g.C);
      v128.store(to, inside ? v128.load(from) : f32x4.splat(0));
      to += 16;
    }
}

/** Four channels of a patch: d0 − d2, d1 + d2, d2 − d1, d1 − d3 of its columns, and of what that gives the same of the rows. */
// @ts-ignore: decorator
@inline
function changePatch(from: usize, row: usize, pixel: usize, to: usize, step: usize): void {
  for (let j = 0; j < 4; j++) {
    // Column j of the changed patch needs two columns of the patch.
    const p = from + pixel * ((j == 0 ? 0 : j == 2 ? 2 : 1) as usize);
    const q = from + pixel * ((j == 2 ? 1 : j == 3 ? 3 : 2) as usize);
    const a = both(p, q, j);
    const b = both(p + row, q + row, j);
    const c = both(p + 2 * row, q + 2 * row, j);
    const d = both(p + 3 * row, q + 3 * row, j);
    const out = to + step * (j as usize);
    v128.store(out, f32x4.sub(a, c));
    v128.store(out + 4 * step, f32x4.add(b, c));
    v128.store(out + 8 * step, f32x4.sub(c, b));
    v128.store(out + 12 * step, f32x4.sub(b, d));
  }
}

/** p + q for j = 1, else p − q */
// @ts-ignore: decorator
@inline
function both(p: usize, q: usize, j: i32): v128 {
  return j == 1 ? f32x4.add(v128.load(p), v128.load(q)) : f32x4.sub(v128.load(p), v128.load(q));
}

/**
 * Kernels in panels of 8, changed: g0, (g0 + g1 + g2)/2, (g0 − g1 + g2)/2, g2 of the columns, and then of the rows. w has tap t of
 * number k in a panel at panel·panelStep + t·tapStep + k·8; what is changed are the numbers first ≤ k < end of K, of the panels
 * firstPanel ≤ panel < endPanel of `panels`. `turned` takes the taps from the last to the first: what dx needs.
 */
export function changeKernels(
  w: usize,
  kernels: usize,
  panels: i32,
  K: i32,
  panelStep: i32,
  tapStep: i32,
  turned: i32,
  firstPanel: i32,
  endPanel: i32,
  first: i32,
  end: i32,
): void {
  const from0 = turned ? 8 * tapStep : 0;
  const tap = turned ? -tapStep : tapStep;
  const step = ((panels * K * COLUMNS) as usize) << 2;
  for (let panel = firstPanel; panel < endPanel; panel++)
    for (let k = first; k < end; k++)
      for (let half = 0; half < COLUMNS; half += 4) {
        const from = at(w, panel * panelStep + from0 + k * COLUMNS + half);
        const to = at(kernels, (panel * K + k) * COLUMNS + half);
        for (let j = 0; j < 4; j++) {
          const a = ofColumns(from, tap, j);
          const b = ofColumns(at(from, 3 * tap), tap, j);
          const c = ofColumns(at(from, 6 * tap), tap, j);
          const out = to + step * (j as usize);
          const ends = f32x4.add(a, c);
          v128.store(out, a);
          v128.store(out + 4 * step, halved(f32x4.add(ends, b)));
          v128.store(out + 8 * step, halved(f32x4.sub(ends, b)));
          v128.store(out + 12 * step, c);
        }
      }
}

/** Column j of the changed row of a kernel whose three numbers are `tap` apart. */
// @ts-ignore: decorator
@inline
function ofColumns(from: usize, tap: i32, j: i32): v128 {
  const a = v128.load(from);
  const c = v128.load(at(from, 2 * tap));
  if (j == 0) return a;
  if (j == 3) return c;
  const b = v128.load(at(from, tap));
  const ends = f32x4.add(a, c);
  return halved(j == 1 ? f32x4.add(ends, b) : f32x4.sub(ends, b));
}

// @ts-ignore: decorator
@inline
function halved(x: v128): v128 {
  return f32x4.mul(x, f32x4.splat(0.5));
}

/** The 16 products: products[i][patch][o] = Σ_c patches[i][patch][c] · kernels[i][panel][c][o]; `steps` are C integers 4. */
export function multiplyPatches(
  patches: usize,
  pitch: i32,
  kernels: usize,
  products: usize,
  zeros: usize,
  steps: usize,
  count: i32,
  C: i32,
  O: i32,
): void {
  for (let i = 0; i < 16; i++)
    for (let o = 0; o < O; o += COLUMNS) {
      const w = at(kernels, (i * O + o) * C);
      for (let first = 0; first < count; first += ROWS) {
        const last = min(ROWS, count - first) - 1;
        for (let row = 0; row < ROWS; row++) {
          const patch = i * count + first + min(row, last);
          setRow(row, at(patches, patch * pitch), at(products, patch * O + o));
        }
        tile(steps, C, w, COLUMNS * 4, zeros, COLUMNS);
      }
    }
}

/**
 * The numbers 2·2 of y of each patch: m0 + m1 + m2 and m1 − m2 − m3 of the columns of its products, and then of the rows; plus b, or
 * plus what is there already, if b is 0. y has the places of `geometry` without its zeros before.
 */
export function changeProducts(products: usize, b: usize, y: usize, first: i32, count: i32, geometry: usize): void {
  const g = changetype<Patches>(geometry);
  const step = ((count * g.C) as usize) << 2;
  for (let i = 0; i < count; i++) {
    const n = (first + i) / (g.down * g.across);
    const patch = (first + i) % (g.down * g.across);
    const h = 2 * (patch / g.across);
    const w = 2 * (patch % g.across);
    const to = at(y + (n as usize) * (g.image as usize) + (h as usize) * (g.row as usize), w * g.C);
    const below = h + 1 < g.H;
    const beside = w + 1 < g.W;
    for (let c = 0; c < g.C; c += 4) {
      const from = at(products, i * g.C + c);
      const start = b == 0 ? f32x4.splat(0) : v128.load(at(b, c));
      writeColumns(from, step, at(to, c), g.row as usize, start, b == 0, below, 0);
      if (beside) writeColumns(from, step, at(to, g.C + c), g.row as usize, start, b == 0, below, 1);
    }
  }
}

/** One of the two columns of y that a patch gives. */
// @ts-ignore: decorator
@inline
function writeColumns(from: usize, step: usize, to: usize, row: usize, b: v128, add: bool, below: bool, j: i32): void {
  const m0 = ofProducts(from, step, j);
  const m1 = ofProducts(from + 4 * step, step, j);
  const m2 = ofProducts(from + 8 * step, step, j);
  const m3 = ofProducts(from + 12 * step, step, j);
  const upper = f32x4.add(f32x4.add(m0, m1), m2);
  v128.store(to, f32x4.add(add ? v128.load(to) : b, upper));
  if (!below) return;
  const lower = f32x4.sub(f32x4.sub(m1, m2), m3);
  v128.store(to + row, f32x4.add(add ? v128.load(to + row) : b, lower));
}

// @ts-ignore: decorator
@inline
function ofProducts(from: usize, step: usize, j: i32): v128 {
  const b = v128.load(from + step);
  const c = v128.load(from + 2 * step);
  if (j == 0) return f32x4.add(f32x4.add(v128.load(from), b), c);
  return f32x4.sub(f32x4.sub(b, c), v128.load(from + 3 * step));
}

/**
 * Backward from y to the products, of the kernels firstO ≤ o < endO: dy0, dy0 + dy1, dy0 − dy1, −dy1 of the columns of the 2×2
 * numbers of dy of each patch, and of what that gives the same of the rows. Beyond dy is 0.
 */
export function changeSlopes(
  dy: usize,
  slopes: usize,
  first: i32,
  count: i32,
  firstO: i32,
  endO: i32,
  geometry: usize,
): void {
  const g = changetype<Patches>(geometry);
  const step = ((count * (endO - firstO)) as usize) << 2;
  const zero = f32x4.splat(0);
  for (let i = 0; i < count; i++) {
    const n = (first + i) / (g.down * g.across);
    const patch = (first + i) % (g.down * g.across);
    const h = 2 * (patch / g.across);
    const w = 2 * (patch % g.across);
    const corner = at(dy + (n as usize) * (g.image as usize) + (h as usize) * (g.row as usize), w * g.C);
    const below = h + 1 < g.H;
    const beside = w + 1 < g.W;
    for (let o = firstO; o < endO; o += 4) {
      const from = at(corner, o);
      const a = v128.load(from);
      const b = beside ? v128.load(at(from, g.C)) : zero;
      const c = below ? v128.load(from + (g.row as usize)) : zero;
      const d = below && beside ? v128.load(at(from + (g.row as usize), g.C)) : zero;
      const panel = (o - firstO) / COLUMNS;
      const to = at(slopes, (panel * count + i) * COLUMNS + (o & 4));
      storeSlopes(a, b, to, step);
      storeSlopes(f32x4.add(a, c), f32x4.add(b, d), to + 4 * step, step);
      storeSlopes(f32x4.sub(a, c), f32x4.sub(b, d), to + 8 * step, step);
      storeSlopes(f32x4.neg(c), f32x4.neg(d), to + 12 * step, step);
    }
  }
}

// @ts-ignore: decorator
@inline
function storeSlopes(a: v128, b: v128, to: usize, step: usize): void {
  v128.store(to, a);
  v128.store(to + step, f32x4.add(a, b));
  v128.store(to + 2 * step, f32x4.sub(a, b));
  v128.store(to + 3 * step, f32x4.neg(b));
}

/**
 * sums[i][panel][c][o] = Σ_patch patches[i][patch][c] · slopes[i][panel][patch][o] for the kernels firstO ≤ o < endO, begun with
 * the 8 numbers at `start`, or with what is there if that is 0; `steps` are `count` times the bytes from patch to patch.
 */
export function multiplySlopes(
  patches: usize,
  steps: usize,
  slopes: usize,
  sums: usize,
  start: usize,
  count: i32,
  C: i32,
  O: i32,
  firstO: i32,
  endO: i32,
): void {
  const step = load<i32>(steps) as usize;
  for (let i = 0; i < 16; i++) {
    const plane = patches + ((i * count) as usize) * step;
    for (let group = 0; group < C; group += CHANNELS)
      for (let o = firstO; o < endO; o += COLUMNS) {
        const from = at(slopes, (i * (endO - firstO) + o - firstO) * count);
        const to = at(sums, (i * O + o) * C);
        const end = min(group + CHANNELS, C);
        for (let c = group; c < end; c += ROWS) {
          const last = min(ROWS, end - c) - 1;
          for (let row = 0; row < ROWS; row++) {
            const channel = c + min(row, last);
            setRow(row, at(plane, channel), at(to, channel * COLUMNS));
          }
          tile(steps, count, from, COLUMNS * 4, start, COLUMNS);
        }
      }
  }
}

/**
 * From the gradient of the changed kernels firstO ≤ o < endO to that of the kernels, in panels: g0 + (g1 + g2)/2, (g1 − g2)/2,
 * (g1 + g2)/2 + g3 of the columns, and then of the rows.
 */
export function changeSums(sums: usize, dw: usize, C: i32, O: i32, firstO: i32, endO: i32): void {
  const step = ((O * C) as usize) << 2;
  const tap = ((COLUMNS * C) as usize) << 2;
  for (let o = firstO; o < endO; o += COLUMNS)
    for (let k = 0; k < C * COLUMNS; k += 4) {
      const from = at(sums, o * C + k);
      const to = at(dw, o * 9 * C + k);
      for (let j = 0; j < 3; j++) {
        const a = ofSums(from, step, j);
        const b = ofSums(from + 4 * step, step, j);
        const c = ofSums(from + 8 * step, step, j);
        const d = ofSums(from + 12 * step, step, j);
        const middle = halved(f32x4.add(b, c));
        const out = to + tap * (j as usize);
        v128.store(out, f32x4.add(a, middle));
        v128.store(out + 3 * tap, halved(f32x4.sub(b, c)));
        v128.store(out + 6 * tap, f32x4.add(middle, d));
      }
    }
}

/** Column j of a row of the gradient of a kernel. */
// @ts-ignore: decorator
@inline
function ofSums(from: usize, step: usize, j: i32): v128 {
  const b = v128.load(from + step);
  const c = v128.load(from + 2 * step);
  if (j == 1) return halved(f32x4.sub(b, c));
  const middle = halved(f32x4.add(b, c));
  return j == 0 ? f32x4.add(v128.load(from), middle) : f32x4.add(middle, v128.load(from + 3 * step));
}
