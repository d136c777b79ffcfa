import { size, zeros, type Tensor } from '../src/tensor.ts';
import type { Call, Case, Layer } from './law.ts';

/**
 * A smaller call that still fails: fewer rows, channels and images, plainer options, more zeros. One step at a time, as long
 * as a step leads to a call that `definition` accepts and that fails; at most `most` calls are tried.
 */
export function smallest<C extends Call | Case>(
  call: C,
  definition: Layer,
  fails: (call: C) => boolean,
  most = 3000,
): C {
  let tries = 0;
  const works = (candidate: C): C | undefined => {
    if (tries++ >= most) return undefined;
    try {
      const fitted = fit(candidate, definition.forward(candidate));
      return fails(fitted) ? fitted : undefined;
    } catch {
      return undefined; // no call of this layer
    }
  };
  for (let found: C | undefined = call; found;) {
    call = found;
    found = undefined;
    for (const candidate of simpler(call)) if ((found = works(candidate))) break;
  }
  return call;
}

/** The call with a dy of y's shape: what is left of its own. */
function fit<C extends Call | Case>(call: C, y: Tensor): C {
  if (!('dy' in call) || `${call.dy.shape}` === `${y.shape}`) return call;
  const { dy } = call;
  const whole = zeros(y.shape);
  const inner = y.shape.map((_, axis) => size(dy.shape.slice(axis + 1)));
  const data = whole.data.map((_, i) => {
    let [rest, at] = [i, 0];
    for (let axis = y.shape.length - 1; axis >= 0; axis--) {
      at += Math.min(rest % y.shape[axis], (dy.shape[axis] ?? 1) - 1) * inner[axis];
      rest = Math.floor(rest / y.shape[axis]);
    }
    return dy.data[at] ?? 1;
  });
  return { ...call, dy: { shape: y.shape, data } };
}

function* simpler<C extends Call | Case>(call: C): Generator<C> {
  const tensors = { ...call.inputs, ...call.constants };
  const replace = (changed: Readonly<Record<string, Tensor>>): C => {
    const pick = (group: object) => Object.fromEntries(Object.keys(group).map((k) => [k, changed[k] ?? tensors[k]]));
    return { ...call, inputs: pick(call.inputs), ...(call.constants && { constants: pick(call.constants) }) };
  };
  // Sizes: half of an axis, or one place of it, in one tensor alone or in all that have an axis of this size.
  const axes = Object.entries(tensors).flatMap(([k, { shape }]) => shape.map((count, axis) => ({ k, axis, count })));
  for (const { k, axis, count } of axes.filter(({ count }) => count > 1)) {
    const others = axes.filter((other) => other.count === count && other.k !== k);
    const together = [[], ...others.map((other) => [other]), others];
    const halves =
      count > 3
        ? [
            [0, count >> 1],
            [count >> 1, count],
          ]
        : [];
    const places = Array.from({ length: count }, (_, i) => [i, i + 1]);
    for (const [from, to] of [...halves, ...places])
      for (const set of together) {
        const changed: Record<string, Tensor> = { [k]: without(tensors[k], axis, from, to) };
        for (const other of set) changed[other.k] = without(changed[other.k] ?? tensors[other.k], other.axis, from, to);
        yield replace(changed);
      }
  }
  for (const options of plainer(call.options)) yield { ...call, options };
  // Values: 0, or else 1.
  for (const [k, { shape, data }] of Object.entries(tensors))
    for (let i = 0; i < data.length; i++)
      for (const value of [0, 1]) {
        if (data[i] === value || (data[i] === 1 && value === 0 && k in (call.constants ?? {}))) continue;
        if (data[i] === 0) continue;
        yield replace({ [k]: { shape, data: data.with(i, value) } });
      }
  if ('dy' in call)
    for (let i = 0; i < call.dy.data.length; i++)
      for (const value of [0, 1]) {
        if (call.dy.data[i] === value || call.dy.data[i] === 0) continue;
        yield { ...call, dy: { shape: call.dy.shape, data: call.dy.data.with(i, value) } };
      }
}

/** A tensor without the places from … to − 1 of an axis. */
function without({ shape, data }: Tensor, axis: number, from: number, to: number): Tensor {
  const inner = size(shape.slice(axis + 1));
  const place = (i: number) => Math.floor(i / inner) % shape[axis];
  return {
    shape: shape.with(axis, shape[axis] - (to - from)),
    data: data.filter((_, i) => place(i) < from || place(i) >= to),
  };
}

/** Options with one number nearer to what does nothing: no padding, stride 1, a smaller kernel. */
function* plainer(options: object): Generator<object> {
  for (const [k, value] of Object.entries(options)) {
    const least = k === 'padding' ? 0 : 1;
    const put = (other: unknown) => ({ ...options, [k]: other });
    if (typeof value === 'number' && Number.isInteger(value) && value > least) yield put(least);
    if (value === true) yield put(false);
    if (typeof value === 'object' && value !== null)
      for (const [part, number] of Object.entries(value as object))
        for (const smaller of new Set([least, number - 1]))
          if (smaller >= least && smaller < number)
            yield put(
              Array.isArray(value) ? value.with(Number(part), smaller) : { ...(value as object), [part]: smaller },
            );
  }
}
