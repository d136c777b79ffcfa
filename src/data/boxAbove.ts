export interface Box {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The smallest box that holds all values above a threshold, of values in rows of `width`; none if none is above it. */
export function boxAbove(values: ArrayLike<number>, width: number, threshold: number): Box | undefined {
  let [top, bottom, left, right] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    if (values[i] <= threshold) continue;
    const [row, column] = [Math.floor(i / width), i % width];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  }
  return top > bottom ? undefined : { top, left, height: bottom - top + 1, width: right - left + 1 };
}
