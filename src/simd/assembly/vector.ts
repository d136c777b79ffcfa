/** The address of number i after x. */
// @ts-ignore: decorator
@inline
export function at(x: usize, i: i32): usize {
  return x + (i as usize) * 4;
}

/** Stores the first of the four numbers, all if `count` is 4 or more. What lies beyond is left alone. */
// @ts-ignore: decorator
@inline
export function storeFirst(to: usize, value: v128, count: i32): void {
  if (count >= 4) v128.store(to, value);
  else storeSome(to, value, count);
}

function storeSome(to: usize, value: v128, count: i32): void {
  v128.store32_lane(to, value, 0);
  if (count > 1) v128.store32_lane(to, value, 1, 4);
  if (count > 2) v128.store32_lane(to, value, 2, 8);
}
