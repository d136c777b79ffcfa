import { groupedConv2dShape, type GroupedConv2dOptions } from '../naive/groupedConv2d.ts';
import { add, fold, matmul, reshape, sum, transpose, unfold } from '../ndarray.ts';
import { dims, type Tensor } from '../tensor.ts';

/** y = kernels · windows + b: one matrix product per image and group. */
export function groupedConv2d(x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions = {}): Tensor {
  const { N, groups, slice, O, ...g } = groupedConv2dShape(x, w, b, options);
  const [rows, places] = [slice * g.KH * g.KW, g.OH * g.OW];
  const kernels = reshape(w, [groups, O / groups, rows]);
  const windows = reshape(unfold(x, g), [N, groups, rows, places]);
  const y = reshape(matmul(kernels, windows), [N, O, places]);
  return reshape(add(y, reshape(b, [O, 1])), [N, O, g.OH, g.OW]);
}

/** dx = fold(kernelsᵀ · dy),  dw = Σₙ dyₙ · windowsₙᵀ,  db = Σ dy, group by group. */
export function groupedConv2dBackward(dy: Tensor, x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions = {}) {
  const { N, groups, slice, O, ...g } = groupedConv2dShape(x, w, b, options);
  dims('groupedConv2dBackward: dy', dy, [N, O, g.OH, g.OW]);
  const [rows, places] = [slice * g.KH * g.KW, g.OH * g.OW];
  const kernels = reshape(w, [groups, O / groups, rows]);
  const windows = reshape(unfold(x, g), [N, groups, rows, places]);
  const dyRows = reshape(dy, [N, groups, O / groups, places]);
  const dWindows = matmul(transpose(kernels), dyRows); //        (N, groups, rows, places)
  const dKernels = matmul(dyRows, transpose(windows)); //        (N, groups, O/groups, rows)
  return {
    dx: fold(reshape(dWindows, [N, groups * rows, places]), g),
    dw: reshape(sum(dKernels, [0]), w.shape),
    db: reshape(sum(reshape(dy, [N, O, places]), [0, 2]), b.shape),
  };
}
