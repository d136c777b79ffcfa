import { accumulate, atLeast, dims, get, getOr, knownOptions, set, zeros, type Tensor } from '../tensor.ts';
import { geometry, type WindowOptions } from '../window.ts';

/**
 * Convolution in groups: the channels are cut into `groups` slices, and each slice of y sees one slice of x alone.
 *
 *     y[n,o,oh,ow] = b[o] + Σ_{c,kh,kw} x[n, first + c, ih, iw] · w[o,c,kh,kw]
 *     first = C/groups · ⌊o / (O/groups)⌋        the first channel of the slice that o sees
 *     ih, iw: see conv2d.ts, and window.ts
 *
 * where x is 0 outside the image. One group is conv2d; groups = C is depthwise convolution: every channel by itself.
 *
 *     x (N, C, H, W)             images: batch, channel, row, column
 *     w (O, C/groups, KH, KW)    one kernel per output channel
 *     b (O)                      one bias per output channel
 *     y (N, O, OH, OW)           OH, OW: see window.ts
 *
 * @throws RangeError if a shape or an option does not fit, or groups does not divide C and O
 * @see Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural networks, 2012, section 3.5
 */
export function groupedConv2d(x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions = {}): Tensor {
  const { N, slice, O, first, KH, KW, OH, OW, row, column } = groupedConv2dShape(x, w, b, options);
  const y = zeros([N, O, OH, OW]);
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          let sum = get(b, o);
          for (let c = 0; c < slice; c++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++)
                sum += getOr(0, x, n, first(o) + c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw);
          set(y, sum, n, o, oh, ow);
        }
  return y;
}

/** Every product x·w that went into y[n,o,oh,ow] sends w·dy back to its x and x·dy back to its w. */
export function groupedConv2dBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  b: Tensor,
  options: GroupedConv2dOptions = {},
): { dx: Tensor; dw: Tensor; db: Tensor } {
  const { N, slice, O, first, KH, KW, OH, OW, row, column, inside } = groupedConv2dShape(x, w, b, options);
  dims('groupedConv2dBackward: dy', dy, [N, O, OH, OW]);
  const [dx, dw, db] = [zeros(x.shape), zeros(w.shape), zeros(b.shape)];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++)
      for (let oh = 0; oh < OH; oh++)
        for (let ow = 0; ow < OW; ow++) {
          const slope = get(dy, n, o, oh, ow);
          accumulate(db, slope, o);
          for (let c = 0; c < slice; c++)
            for (let kh = 0; kh < KH; kh++)
              for (let kw = 0; kw < KW; kw++) {
                const [ih, iw] = [row(oh, kh), column(ow, kw)];
                accumulate(dw, getOr(0, x, n, first(o) + c, ih, iw) * slope, o, c, kh, kw);
                if (inside(ih, iw)) accumulate(dx, get(w, o, c, kh, kw) * slope, n, first(o) + c, ih, iw);
              }
        }
  return { dx, dw, db };
}

export interface GroupedConv2dOptions extends WindowOptions {
  /** Into how many slices the channels are cut. An integer ≥ 1 that divides C and O. Default 1. */
  readonly groups?: number;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function groupedConv2dShape(x: Tensor, w: Tensor, b: Tensor, options: GroupedConv2dOptions) {
  knownOptions('groupedConv2d', options, ['groups', 'stride', 'padding', 'dilation']);
  const { groups = 1, ...window } = options;
  atLeast('groupedConv2d: groups', groups, 1);
  const [N, C, H, W] = dims('groupedConv2d: x', x, ['N', 'C', 'H', 'W']);
  if (C % groups !== 0)
    throw new RangeError(`groupedConv2d: x has ${C} channels, expected a multiple of the ${groups} groups`);
  const slice = C / groups;
  const [O, , KH, KW] = dims('groupedConv2d: w', w, ['O', slice, 'KH', 'KW']);
  if (O % groups !== 0)
    throw new RangeError(`groupedConv2d: w has ${O} kernels, expected a multiple of the ${groups} groups`);
  dims('groupedConv2d: b', b, [O]);
  const first = (o: number) => slice * Math.floor(o / (O / groups));
  return { N, groups, slice, O, first, ...geometry('groupedConv2d', [H, W], [KH, KW], window) };
}
