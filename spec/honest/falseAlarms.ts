import fc from 'fast-check';
import { implementations, type LayerName } from '../../src/layers.ts';
import { random, type Random } from '../../src/random.ts';
import { zeros, type Tensor } from '../../src/tensor.ts';
import * as arbitraries from '../arbitraries.ts';
import { allowed } from '../close.ts';
import { layerOf, type Case } from '../law.ts';
import { arithmetic, manners } from './arithmetic.ts';
import { boundsOf } from './bounds.ts';
import { honest } from './layers.ts';

/** What honest float32 implementations made of one output of a layer, of all the cases with the same allowance. */
export interface Measured {
  /** 'exact', 'bound n ≤ 16' (n from 9 to 16, and so on by powers of 2) or 'ulp 8'. */
  readonly allowance: string;
  readonly elements: number;
  /** Elements further from the exact result than allowed. */
  readonly alarms: number;
  /** The largest |got − want| / allowed. For 'exact' there is none. */
  readonly worst: number;
}

export interface Alarms {
  readonly cases: number;
  readonly outputs: Readonly<Record<string, readonly Measured[]>>;
  /** The first case with a false alarm, and what was wrong. */
  readonly first?: string;
}

const U = 2 ** -24;

/**
 * Numbers of the shape of `like`, all of them float32 numbers: eighths or not, of one sign or of both, of any size within
 * 2^±reach; where a product of two still has a normal number, small enough now and then that it does not.
 */
function numbers({ uniform, normal }: Random, like: Tensor, reach: number, tiny: boolean): Tensor {
  const scale = tiny && uniform() < 1 / 16 ? 2 ** -100 : 2 ** Math.round((2 * uniform() - 1) * reach);
  const eighths = uniform() < 1 / 4;
  const positive = uniform() < 1 / 4;
  const value = () => (eighths ? Math.round(uniform() * 64 - 32) / 8 : normal()) * scale;
  return { shape: like.shape, data: like.data.map(() => Math.fround(positive ? Math.abs(value()) : value())) };
}

/** Within this 2^reach numbers stay useful: exp, tanh and their slopes above the least normal number; products finite. */
const reaches: Partial<Record<LayerName, number>> = {
  sigmoid: 4,
  tanh: 3,
  softmax: 6,
  logSoftmax: 6,
  softmaxCrossEntropy: 6,
};
const bilinear: readonly LayerName[] = ['conv2d', 'groupedConv2d', 'linear', 'avgPool2d', 'meanSquaredError'];

/** A case of the layer's own, with other numbers; of linear, a longer one. */
function renumbered(name: LayerName, call: Case, stream: Random): Case {
  const reach = reaches[name] ?? 8;
  const tiny = bilinear.includes(name);
  const others = ({ shape }: Tensor, key: string): Tensor => {
    if (key === 'variance') return { shape, data: numbers(stream, zeros(shape), reach, false).data.map(Math.abs) };
    return numbers(stream, zeros(shape), reach, tiny);
  };
  const all = (tensors: Readonly<Record<string, Tensor>> = {}) =>
    Object.fromEntries(Object.entries(tensors).map(([k, t]) => [k, k === 'labels' || k === 'mask' ? t : others(t, k)]));
  if (name === 'linear') {
    const [[N], [O]] = [call.dy.shape, call.inputs.b.shape];
    const D = 2 ** Math.floor(stream.uniform() * 9) + Math.floor(stream.uniform() * 3);
    const inputs = { x: zeros([N, D]), w: zeros([O, D]), b: zeros([O]) };
    return { inputs: all(inputs), options: {}, dy: others(call.dy, 'dy') };
  }
  const { options } = call;
  const odd = stream.uniform();
  const drawn = name === 'dropout' ? { p: odd * 0.99 } : name === 'leakyRelu' ? { negativeSlope: odd } : {};
  return {
    inputs: all(call.inputs),
    constants: all(call.constants),
    options: { ...options, ...(stream.uniform() < 1 / 2 ? drawn : {}) },
    dy: others(call.dy, 'dy'),
  };
}

/** What an allowance is called, so that like is counted with like. */
function allowanceOf(compare: ReturnType<typeof boundsOf>[string]): string {
  if (compare === 'exact') return 'exact';
  if (compare.mode === 'ulp') return `ulp ${compare.k}`;
  return compare.mode === 'bound' ? `bound n ≤ ${2 ** Math.ceil(Math.log2(compare.n))}` : 'relative';
}

/**
 * Random calls of a layer, each computed by one honest float32 implementation after the other and held to what `boundsOf`
 * allows.
 * @param progress called after every hundred cases, with how many are done
 */
export function falseAlarms(name: LayerName, cases: number, seed: number, progress?: (done: number) => void): Alarms {
  const reference = layerOf(implementations.vectorized, name); // held to the definition by the twin law, and faster
  const stream = random(seed);
  const outputs = new Map<string, Map<string, { elements: number; alarms: number; worst: number }>>();
  let first: string | undefined;
  let done = 0;
  while (done < cases) {
    // one drawn shape serves eight sets of numbers: drawing shrinkable ones takes longer than computing with them
    const drawn = fc.sample<Case>(arbitraries[`${name}Case`](), { seed: seed + done, numRuns: 13 });
    for (const shape of drawn)
      for (let again = 0; again < 8 && done < cases; again++, done++) {
        const call = renumbered(name, shape, stream);
        const manner = { ...manners[done % manners.length], seed: (seed + done) | 0 };
        const layer = honest(name, arithmetic(manner));
        const got: Readonly<Record<string, Tensor>> = { y: layer.forward(call), ...layer.backward(call) };
        const want: Readonly<Record<string, Tensor>> = { y: reference.forward(call), ...reference.backward(call) };
        for (const [k, compare] of Object.entries(boundsOf(name, call))) {
          if (!outputs.has(k)) outputs.set(k, new Map());
          const measured = outputs.get(k)!;
          const allowance = allowanceOf(compare);
          if (!measured.has(allowance)) measured.set(allowance, { elements: 0, alarms: 0, worst: 0 });
          const record = measured.get(allowance)!;
          const within = allowed(compare, U);
          want[k].data.forEach((expected, i) => {
            record.elements++;
            const distance = got[k].data[i] === expected ? 0 : Math.abs(got[k].data[i] - expected);
            const most = within(expected, i);
            if (distance > 0 && most > 0) record.worst = Math.max(record.worst, distance / most);
            if (distance <= most) return;
            record.alarms++;
            first ??= `${k}[${i}] is ${got[k].data[i]}, expected ${expected} ± ${most} (${allowance}; ${JSON.stringify(manner)})`;
          });
        }
      }
    progress?.(done);
  }
  const sorted = [...outputs].map(([k, measured]) => [
    k,
    [...measured].map(([allowance, record]) => ({ allowance, ...record })).toSorted((a, b) => sizeOf(a) - sizeOf(b)),
  ]);
  return { cases: done, outputs: Object.fromEntries(sorted), ...(first !== undefined && { first }) };
}

const sizeOf = ({ allowance }: { allowance: string }) => Number(/\d+$/.exec(allowance)?.[0] ?? 0);
