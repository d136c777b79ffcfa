// Images lie in memory as (N, H, W, C), without padding: a tap outside the image is left out.

/** The sizes and strides of a pool, 32-bit integers one after the other: see src/simd/pool.ts. */
@unmanaged
class Geometry {
  N: i32;
  C: i32;
  H: i32;
  W: i32;
  OH: i32;
  OW: i32;
  KH: i32;
  KW: i32;
  strideH: i32;
  strideW: i32;
  dilationH: i32;
  dilationW: i32;
  top: i32;
  bottom: i32;
  left: i32;
  right: i32;
  /** Whether padding counts as pixels of value 0: 0 or 1. */
  countIncludePad: i32;
}

/** The address of x[n,h,w,c], where h and w run to H and W. */
// @ts-ignore: decorator
@inline
function at(x: usize, g: Geometry, n: i32, h: i32, w: i32, c: i32, H: i32, W: i32): usize {
  return x + ((((n * H + h) * W + w) * g.C + c) as usize) * 4;
}

// @ts-ignore: decorator
@inline
function inside(g: Geometry, h: i32, w: i32): bool {
  return h >= 0 && h < g.H && w >= 0 && w < g.W;
}

/** The largest number under the window of y[n,oh,ow,c]; NaN if one is NaN. */
function largest(x: usize, g: Geometry, n: i32, oh: i32, ow: i32, c: i32): f32 {
  let most: f32 = -Infinity;
  for (let kh = 0; kh < g.KH; kh++)
    for (let kw = 0; kw < g.KW; kw++) {
      const h = oh * g.strideH + kh * g.dilationH - g.top;
      const w = ow * g.strideW + kw * g.dilationW - g.left;
      if (inside(g, h, w)) most = max(most, load<f32>(at(x, g, n, h, w, c, g.H, g.W)));
    }
  return most;
}

/** y[n,oh,ow,c] = the largest number under its window, −∞ if there is none. */
export function maxPool(x: usize, y: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++)
        for (let c = 0; c < g.C; c++) store<f32>(at(y, g, n, oh, ow, c, g.OH, g.OW), largest(x, g, n, oh, ow, c));
}

/** dx += dy at the first number, in reading order, that is the largest of its window or NaN; −∞ gets nothing. */
export function maxPoolBackward(dy: usize, x: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++)
        for (let c = 0; c < g.C; c++) {
          const most = largest(x, g, n, oh, ow, c);
          if (most == -Infinity) continue;
          const slope = load<f32>(at(dy, g, n, oh, ow, c, g.OH, g.OW));
          for (let tap = 0; tap < g.KH * g.KW; tap++) {
            const h = oh * g.strideH + (tap / g.KW) * g.dilationH - g.top;
            const w = ow * g.strideW + (tap % g.KW) * g.dilationW - g.left;
            if (!inside(g, h, w)) continue;
            const value = load<f32>(at(x, g, n, h, w, c, g.H, g.W));
            if (value != most && !isNaN(value)) continue;
            add(at(dx, g, n, h, w, c, g.H, g.W), slope);
            break;
          }
        }
}

// @ts-ignore: decorator
@inline
function add(to: usize, value: f32): void {
  store<f32>(to, load<f32>(to) + value);
}

/** How many taps of the window at (oh, ow) count. Those that do are a rectangle. */
function count(g: Geometry, oh: i32, ow: i32): f32 {
  const rows = counting(
    oh * g.strideH - g.top,
    g.KH,
    g.H,
    g.countIncludePad ? g.top : 0,
    g.countIncludePad ? g.bottom : 0,
  );
  const columns = counting(
    ow * g.strideW - g.left,
    g.KW,
    g.W,
    g.countIncludePad ? g.left : 0,
    g.countIncludePad ? g.right : 0,
  );
  return (rows * columns) as f32;
}

/** How many of `taps` places from `first` on lie in [−before, size + after). */
function counting(first: i32, taps: i32, size: i32, before: i32, after: i32): i32 {
  return max(0, min(first + taps, size + after) - max(first, -before));
}

/** y[n,oh,ow,c] = the sum under its window / how many taps count */
export function avgPool(x: usize, y: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++) {
        const counted = count(g, oh, ow);
        for (let c = 0; c < g.C; c++) {
          let sum: f32 = 0;
          for (let kh = 0; kh < g.KH; kh++)
            for (let kw = 0; kw < g.KW; kw++) {
              const h = oh * g.strideH + kh - g.top;
              const w = ow * g.strideW + kw - g.left;
              if (inside(g, h, w)) sum += load<f32>(at(x, g, n, h, w, c, g.H, g.W));
            }
          store<f32>(at(y, g, n, oh, ow, c, g.OH, g.OW), sum / counted);
        }
      }
}

/** dx += dy / how many taps count, at every number under the window */
export function avgPoolBackward(dy: usize, dx: usize, geometry: usize): void {
  const g = changetype<Geometry>(geometry);
  for (let n = 0; n < g.N; n++)
    for (let oh = 0; oh < g.OH; oh++)
      for (let ow = 0; ow < g.OW; ow++) {
        const counted = count(g, oh, ow);
        for (let kh = 0; kh < g.KH; kh++)
          for (let kw = 0; kw < g.KW; kw++) {
            const h = oh * g.strideH + kh - g.top;
            const w = ow * g.strideW + kw - g.left;
            if (!inside(g, h, w)) continue;
            for (let c = 0; c < g.C; c++)
              add(at(dx, g, n, h, w, c, g.H, g.W), load<f32>(at(dy, g, n, oh, ow, c, g.OH, g.OW)) / counted);
          }
      }
}

/** y[n,c] = Σ x[n,i,c] / P over the P pixels i */
export function globalAvgPool(x: usize, y: usize, N: i32, C: i32, P: i32): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      let sum: f32 = 0;
      for (let i = 0; i < P; i++) sum += load<f32>(x + (((n * P + i) * C + c) as usize) * 4);
      store<f32>(y + ((n * C + c) as usize) * 4, sum / (P as f32));
    }
}

/** dx[n,i,c] = dy[n,c] / P */
export function globalAvgPoolBackward(dy: usize, dx: usize, N: i32, C: i32, P: i32): void {
  for (let n = 0; n < N; n++)
    for (let i = 0; i < P; i++)
      for (let c = 0; c < C; c++) {
        store<f32>(dx, load<f32>(dy + ((n * C + c) as usize) * 4) / (P as f32));
        dx += 4;
      }
}
