import type { Geometry } from '../window.ts';
import { putIntegers, type Workspace } from './kernels.ts';

/** The address of the Geometry of assembly/pools.ts. */
export function putPool(
  g: Geometry & { N: number; C: number; countIncludePad?: boolean },
  space: Pick<Workspace, 'putIntegers'> = { putIntegers },
): number {
  const { N, C, H, W, OH, OW, KH, KW, top, bottom, left, right, row, column, countIncludePad } = g;
  const [strideH, strideW, dilationH, dilationW] = [row(1, 0), column(1, 0), row(0, 1), column(0, 1)];
  return space.putIntegers([
    ...[N, C, H, W, OH, OW, KH, KW],
    ...[strideH + top, strideW + left, dilationH + top, dilationW + left],
    ...[top, bottom, left, right, countIncludePad ? 1 : 0],
  ]);
}
