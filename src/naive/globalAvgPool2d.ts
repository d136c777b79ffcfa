import { dims, get, knownOptions, set, zeros, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The mean of every channel of every image: one number where there was a picture.
 *
 *     y[n,c] = Σ_{h,w} x[n,c,h,w] / (H·W)
 *
 *     x (N, C, H, W)    y (N, C)
 *
 * @throws RangeError if x is not (N, C, H, W)
 * @see Lin, Chen & Yan, Network in network, arXiv:1312.4400, section 3.2
 */
export function globalAvgPool2d(x: Tensor, options: NoOptions = {}): Tensor {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  const y = zeros([N, C]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++) {
      let sum = 0;
      for (let h = 0; h < H; h++) for (let w = 0; w < W; w++) sum += get(x, n, c, h, w);
      set(y, sum / (H * W), n, c);
    }
  return y;
}

/** Every pixel of a channel gets an equal share of its dy: dy / (H·W). */
export function globalAvgPool2dBackward(dy: Tensor, x: Tensor, options: NoOptions = {}): { dx: Tensor } {
  const [N, C, H, W] = globalAvgPool2dShape(x, options);
  dims('globalAvgPool2dBackward: dy', dy, [N, C]);
  const dx = zeros(x.shape);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let h = 0; h < H; h++) for (let w = 0; w < W; w++) set(dx, get(dy, n, c) / (H * W), n, c, h, w);
  return { dx };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function globalAvgPool2dShape(x: Tensor, options: NoOptions) {
  knownOptions('globalAvgPool2d', options, []);
  return dims('globalAvgPool2d: x', x, ['N', 'C', 'H', 'W']);
}
