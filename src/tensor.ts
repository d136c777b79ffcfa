/**
 * The one data structure: numbers in row-major order, and the shape they fill; a scalar has shape ().
 * Always float64, always contiguous. No layer writes to a tensor it was given.
 */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** The options of a layer that has none. */
export type NoOptions = Readonly<Record<string, never>>;

/** How many numbers fill `shape`. */
export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** A tensor of zeros. */
export function zeros(shape: readonly number[]): Tensor {
  return { shape, data: new Float64Array(size(shape)) };
}

type Nested = number | readonly Nested[];

/**
 * The tensor that nested arrays spell out.
 *
 *     tensor([[1, 2, 3], [4, 5, 6]]) has shape (2, 3)
 *
 * @throws RangeError if the arrays are ragged
 */
export function tensor(nested: Nested): Tensor {
  const shape: number[] = [];
  for (let level = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  const data: number[] = [];
  const visit = (part: Nested, axis: number): void => {
    const other = typeof part === 'number' ? 'a number' : `${JSON.stringify(part)}`;
    const found = Array.isArray(part) ? `an array of ${part.length}` : other;
    const expected = axis === shape.length ? 'a number' : `an array of ${shape[axis]}`;
    if (found !== expected) throw new RangeError(`tensor: found ${found} at depth ${axis}, expected ${expected}`);
    if (typeof part === 'number') data.push(part);
    else part.forEach((inner: Nested) => visit(inner, axis + 1));
  };
  visit(nested, 0);
  return { shape, data: Float64Array.from(data) };
}

/** x[i₀, i₁, …] */
export function get(x: Tensor, ...index: readonly number[]): number {
  return x.data[position(x, index)];
}

/** x[…, row, column], or `outside` where the row or the column lies outside the image. */
export function getOr(outside: number, x: Tensor, ...index: readonly number[]): number {
  const leaves = index.some(
    (i, axis) => axis >= x.shape.length - 2 && Number.isInteger(i) && (i < 0 || i >= x.shape[axis]),
  );
  return leaves ? outside : get(x, ...index);
}

/** x[i₀, i₁, …] = value. For a tensor the caller has just made. */
export function set(x: Tensor, value: number, ...index: readonly number[]): void {
  x.data[position(x, index)] = value;
}

/** x[i₀, i₁, …] += value. For a tensor the caller has just made. */
export function accumulate(x: Tensor, value: number, ...index: readonly number[]): void {
  x.data[position(x, index)] += value;
}

/** Row-major order: the last index moves fastest. */
function position({ shape }: Tensor, index: readonly number[]): number {
  let at = 0;
  let valid = index.length === shape.length;
  for (let axis = 0; axis < shape.length; axis++) {
    const i = index[axis];
    valid &&= Number.isInteger(i) && i >= 0 && i < shape[axis];
    at = at * shape[axis] + i;
  }
  if (!valid) throw new RangeError(`index (${index.join(', ')}) is outside shape (${shape.join(', ')})`);
  return at;
}

/**
 * The sizes of x, once they fit `pattern`: a number must match, a name matches any size ≥ 1, and a last '…' any further sizes.
 * @throws RangeError 'conv2d: w has shape (4, 1, 3, 3), expected (O, 3, KH, KW)'
 */
export function dims(what: string, x: Tensor, pattern: readonly (number | string)[]): readonly number[] {
  if (!Array.isArray(x?.shape) || !(x.data instanceof Float64Array))
    throw new RangeError(`${what} is no tensor, expected { shape: number[], data: Float64Array }`);
  if (!x.shape.every((count) => Number.isInteger(count) && count >= 0))
    throw new RangeError(`${what} has shape (${x.shape.join(', ')}), expected integers ≥ 0`);
  const open = pattern.at(-1) === '…';
  const fits =
    (open ? x.shape.length >= pattern.length : x.shape.length === pattern.length) &&
    x.shape.every((count, axis) => (typeof pattern[axis] === 'number' ? count === pattern[axis] : count >= 1));
  if (!fits) throw new RangeError(`${what} has shape (${x.shape.join(', ')}), expected (${pattern.join(', ')})`);
  if (x.data.length !== size(x.shape))
    throw new RangeError(
      `${what} has shape (${x.shape.join(', ')}) and ${x.data.length} numbers, expected ${size(x.shape)}`,
    );
  return x.shape;
}

/** @throws RangeError 'conv2d: stride is 0, expected an integer ≥ 1' */
export function atLeast(what: string, value: number, minimum: number): void {
  if (!Number.isInteger(value) || value < minimum)
    throw new RangeError(
      `${what} is ${typeof value === 'string' ? `'${value}'` : value}, expected an integer ≥ ${minimum}`,
    );
}

/** @throws RangeError 'dropout: p is 1.5, expected a number from 0 to 1' */
export function between(what: string, value: number, least: number, most = Infinity): void {
  const range = most === Infinity ? `≥ ${least}` : `from ${least} to ${most}`;
  if (!Number.isFinite(value) || value < least || value > most)
    throw new RangeError(`${what} is ${typeof value === 'string' ? `'${value}'` : value}, expected a number ${range}`);
}

/** @throws RangeError 'maxPool2d: ceilMode is "no", expected true or false' */
export function trueOrFalse(what: string, value: boolean): void {
  if (typeof value !== 'boolean') throw new RangeError(`${what} is ${JSON.stringify(value)}, expected true or false`);
}

/** @throws RangeError 'conv2d: there is no option strides, expected stride, padding, dilation' */
export function knownOptions(layer: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw new RangeError(`${layer}: options is ${options}, expected an object`);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new RangeError(`${layer}: there is no option ${unknown}, expected ${names.join(', ') || 'none'}`);
}

/**
 * x as text that can be read at a glance: the last two axes as a grid, one grid below the other.
 *
 *     show(tensor([[1, 2.5], [-3, 4]])) is    1  2.5
 *                                            -3    4
 */
export function show(x: Tensor): string {
  const columns = x.shape.at(-1) ?? 1;
  const rows = x.shape.at(-2) ?? 1;
  const cells = Array.from(x.data, (value) => (Object.is(value, -0) ? '-0' : `${value}`));
  const widest = cells.reduce((most, cell) => Math.max(most, cell.length), 0);
  let text = '';
  for (let at = 0; at < cells.length; at += columns) {
    const row = cells.slice(at, at + columns).map((cell) => cell.padStart(widest));
    text += (at === 0 ? '' : at % (rows * columns) === 0 ? '\n\n' : '\n') + row.join('  ');
  }
  return text;
}
