import { avgPool2dShape, type AvgPool2dOptions } from '../../naive/avgPool2d.ts';
import { maxPool2dShape } from '../../naive/maxPool2d.ts';
import type { Node } from '../../network.ts';
import { zeros } from '../../tensor.ts';
import type { PoolOptions } from '../../window.ts';
import { putPool } from '../pool.ts';
import { readAndWrite } from './elementwiseStages.ts';
import type { Plan } from './plan.ts';
import type { Call, Share } from './program.ts';
import { imageOf, Value } from './value.ts';

/** maxPool2d and avgPool2d, whatever their windows. */
export function poolStage(plan: Plan, { name, layer, options }: Node, x: Value): Value {
  const { space } = plan;
  const one = zeros([1, x.C, x.H, x.W]);
  const maximum = layer === 'maxPool2d';
  const g = maximum ? maxPool2dShape(one, options as PoolOptions) : avgPool2dShape(one, options as AvgPool2dOptions);
  const y = new Value([x.C, g.OH, g.OW], { learns: x.learns });
  plan.values.push(y);
  const into = readAndWrite(plan, x);
  const indexSize = g.KH * g.KW > 255 ? 4 : 1; // bytes, as assembly/pools.ts has it
  const index = maximum ? space.room(Math.ceil((plan.images * y.numbers * indexSize) / 4)) : 0;
  const geometries = new Map<number, number>();
  function geometryFor({ from, to }: Share): number {
    const N = to - from;
    if (!geometries.has(N)) geometries.set(N, putPool({ ...g, N }, space));
    return geometries.get(N)!;
  }
  /** Where the index of a thread's first image begins: of maximum pools alone. */
  const indexed = ({ from }: Share) => (maximum ? [index + from * y.numbers * indexSize] : []);
  plan.stages.push({
    name,
    forward: (share) => {
      const [from, to] = [x.picture, y.picture].map((picture) => imageOf(picture, share.from));
      return [[maximum ? 'maxPool' : 'avgPool', from, to, ...indexed(share), geometryFor(share)]];
    },
    backward: (share) =>
      into(share, (dx): readonly Call[] => {
        const [dy, to] = [y.gradient, dx].map((picture) => imageOf(picture, share.from));
        const kernel = maximum ? 'maxPoolBackward' : 'avgPoolBackward';
        return [
          ['clear', to, (share.to - share.from) * dx.image],
          [kernel, dy, ...indexed(share), to, geometryFor(share)],
        ];
      }),
  });
  return y;
}

/** globalAvgPool2d */
export function globalPoolStage(plan: Plan, { name }: Node, x: Value): Value {
  const y = new Value([x.C, 1, 1], { learns: x.learns });
  plan.values.push(y);
  const into = readAndWrite(plan, x);
  const sizes = ({ from, to }: Share) => [to - from, x.C, x.H * x.W];
  plan.stages.push({
    name,
    forward: (share) => [
      ['globalAvgPool', imageOf(x.picture, share.from), imageOf(y.picture, share.from), ...sizes(share)],
    ],
    backward: (share) =>
      into(share, (dx) => [
        ['globalAvgPoolBackward', imageOf(y.gradient, share.from), imageOf(dx, share.from), ...sizes(share)],
      ]),
  });
  return y;
}
