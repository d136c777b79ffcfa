import { accumulate, dims, get, knownOptions, set, zeros, type NoOptions, type Tensor } from '../tensor.ts';

/**
 * The fully connected layer: every output is a weighted sum of all features, and a bias.
 *
 *     y[n,o] = b[o] + Σ_d x[n,d] · w[o,d]
 *
 *     x (N, D)    features
 *     w (O, D)    one row of weights per output
 *     b (O)       one bias per output
 *     y (N, O)
 *
 * @throws RangeError if a shape does not fit
 */
export function linear(x: Tensor, w: Tensor, b: Tensor, options: NoOptions = {}): Tensor {
  const { N, D, O } = linearShape(x, w, b, options);
  const y = zeros([N, O]);
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++) {
      let sum = get(b, o);
      for (let d = 0; d < D; d++) sum += get(x, n, d) * get(w, o, d);
      set(y, sum, n, o);
    }
  return y;
}

/** Every product x·w that went into y[n,o] sends w·dy back to its x and x·dy back to its w. */
export function linearBackward(
  dy: Tensor,
  x: Tensor,
  w: Tensor,
  b: Tensor,
  options: NoOptions = {},
): { dx: Tensor; dw: Tensor; db: Tensor } {
  const { N, D, O } = linearShape(x, w, b, options);
  dims('linearBackward: dy', dy, [N, O]);
  const [dx, dw, db] = [zeros(x.shape), zeros(w.shape), zeros(b.shape)];
  for (let n = 0; n < N; n++)
    for (let o = 0; o < O; o++) {
      const slope = get(dy, n, o);
      accumulate(db, slope, o);
      for (let d = 0; d < D; d++) {
        accumulate(dx, get(w, o, d) * slope, n, d);
        accumulate(dw, get(x, n, d) * slope, o, d);
      }
    }
  return { dx, dw, db };
}

/** The shape rule, and the errors when it is broken. Every implementation obeys it. */
export function linearShape(x: Tensor, w: Tensor, b: Tensor, options: NoOptions) {
  knownOptions('linear', options, []);
  const [N, D] = dims('linear: x', x, ['N', 'D']);
  const [O] = dims('linear: w', w, ['O', D]);
  dims('linear: b', b, [O]);
  return { N, D, O };
}
