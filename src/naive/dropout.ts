import { between, dims, get, knownOptions, set, size, zeros, type Tensor } from '../tensor.ts';

/**
 * Leaves out what the mask says, and makes up for it: with every number kept with probability 1 − p, the mean stays.
 *
 *     y[n,c,i] = x[n,c,i] / (1 − p)   where mask[n,c,i] is 1
 *     y[n,c,i] = 0                    where it is 0, and everywhere when p is 1: even ∞ and NaN are left out
 *
 *     x, y (N, C, …)    features, or images: i runs over the pixels of a channel, one in (N, C)
 *     mask (N, C, …)    0 or 1 for every number; or
 *          (N, C, 1, 1) 0 or 1 for every channel of an image. A constant: see dropoutMask.ts
 *
 * @throws RangeError if a shape, p or a number of the mask does not fit
 * @see Srivastava et al., Dropout, JMLR 15 (2014); Tompson et al., arXiv:1411.4280, for whole channels
 */
export function dropout(x: Tensor, mask: Tensor, options: DropoutOptions = {}): Tensor {
  const { N, C, P, p, kept, flat } = dropoutShape(x, mask, options);
  const y = zeros([N, C, P]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) if (kept(n, c, i)) set(y, get(flat(x), n, c, i) / (1 - p), n, c, i);
  return { shape: x.shape, data: y.data };
}

/** dx = dy / (1 − p) where the mask is 1, and 0 elsewhere. */
export function dropoutBackward(dy: Tensor, x: Tensor, mask: Tensor, options: DropoutOptions = {}): { dx: Tensor } {
  const { N, C, P, p, kept, flat } = dropoutShape(x, mask, options);
  dims('dropoutBackward: dy', dy, x.shape);
  const dx = zeros([N, C, P]);
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let i = 0; i < P; i++) if (kept(n, c, i)) set(dx, get(flat(dy), n, c, i) / (1 - p), n, c, i);
  return { dx: { shape: x.shape, data: dx.data } };
}

export interface DropoutOptions {
  /** The probability with which a number was left out, in [0, 1]. Default 0.5. */
  readonly p?: number;
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function dropoutShape(x: Tensor, mask: Tensor, options: DropoutOptions) {
  knownOptions('dropout', options, ['p']);
  const { p = 0.5 } = options;
  between('dropout: p', p, 0, 1);
  const [N, C, ...pixels] = dims('dropout: x', x, x?.shape?.length === 2 ? ['N', 'C'] : ['N', 'C', '…']);
  const [whole, perChannel] = [x.shape, [N, C, ...pixels.map(() => 1)]];
  if (![whole, perChannel].some((shape) => `${shape}` === `${mask?.shape}`))
    throw new RangeError(
      `dropout: mask has shape (${mask?.shape?.join(', ')}), expected (${whole.join(', ')})` +
        (pixels.length > 0 ? ` or (${perChannel.join(', ')})` : ''),
    );
  dims('dropout: mask', mask, mask.shape);
  const wrong = mask.data.findIndex((keep) => keep !== 0 && keep !== 1);
  if (wrong >= 0) throw new RangeError(`dropout: mask has ${mask.data[wrong]} at position ${wrong}, expected 0 or 1`);
  const P = size(pixels);
  const share = mask.data.length / (N * C); // numbers of the mask per channel: P or 1
  const kept = (n: number, c: number, i: number) => p < 1 && mask.data[(n * C + c) * share + (i % share)] === 1;
  /** Every channel as one row. */
  const flat = (t: Tensor): Tensor => ({ shape: [N, C, P], data: t.data });
  return { N, C, P, p, kept, flat };
}
