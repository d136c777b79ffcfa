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
