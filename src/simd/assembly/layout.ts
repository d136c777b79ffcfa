/** (N, C, H, W) → (N, rows, columns, C), `top` rows and `left` columns from the corner. What lies around is left alone. */
export function channelsLast(
  x: usize,
  y: usize,
  N: i32,
  C: i32,
  H: i32,
  W: i32,
  top: i32,
  left: i32,
  rows: i32,
  columns: i32,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let h = 0; h < H; h++)
        for (let w = 0; w < W; w++) {
          const last = ((n * rows + top + h) * columns + left + w) * C + c;
          store<f32>(y + ((last as usize) << 2), load<f32>(x));
          x += 4;
        }
}

/** The way back: (N, rows, columns, C), cut to size → (N, C, H, W). */
export function channelsFirst(
  x: usize,
  y: usize,
  N: i32,
  C: i32,
  H: i32,
  W: i32,
  top: i32,
  left: i32,
  rows: i32,
  columns: i32,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let h = 0; h < H; h++)
        for (let w = 0; w < W; w++) {
          const last = ((n * rows + top + h) * columns + left + w) * C + c;
          store<f32>(y, load<f32>(x + ((last as usize) << 2)));
          y += 4;
        }
}

/** Where the memory begins that no kernel keeps anything in. */
export function firstFreeByte(): usize {
  return __heap_base;
}

/**
 * Bytes (N, C, H, W) → numbers (N, H, W, C), by a table of 256 numbers for each channel; `row` bytes from one row to the next,
 * `image` from one image to the next.
 */
export function load8(
  bytes: usize,
  tables: usize,
  x: usize,
  N: i32,
  C: i32,
  H: i32,
  W: i32,
  row: usize,
  image: usize,
): void {
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      const table = tables + ((c as usize) << 10);
      for (let h = 0; h < H; h++) {
        let to = x + (n as usize) * image + (h as usize) * row + ((c as usize) << 2);
        for (let w = 0; w < W; w++) {
          store<f32>(to, load<f32>(table + ((load<u8>(bytes++) as usize) << 2)));
          to += (C as usize) << 2;
        }
      }
    }
}

/** Zeros. */
export function clear(at: usize, bytes: usize): void {
  memory.fill(at, 0, bytes);
}
