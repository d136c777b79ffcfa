import { addImages, copyImages } from './elementwiseStages.ts';
import type { Plan } from './plan.ts';
import { imageOf, Value } from './value.ts';

/** y = a + b, where two branches meet, and relu if it follows. */
export function sumStage(plan: Plan, name: string, a: Value, b: Value, relu: boolean): Value {
  const y = new Value([a.C, a.H, a.W], { learns: a.learns || b.learns });
  plan.values.push(y);
  const readers = [a, b].map((x) => {
    const reader = {};
    x.readBy(reader, { top: 0, bottom: 0, left: 0, right: 0 });
    return { x, reader };
  });
  plan.stages.push({
    name,
    forward(share) {
      const at = imageOf(y.picture, share.from);
      const sum = [copyImages(share, y, a.picture, y.picture), addImages(share, y, b.picture, y.picture)];
      return relu ? [...sum, ['relu', at, at, (share.to - share.from) * y.numbers]] : sum;
    },
    backward(share) {
      const [dy, at] = [imageOf(y.gradient, share.from), imageOf(y.picture, share.from)];
      const through = readers
        .filter(({ x }) => x.learns)
        .toReversed()
        .map(({ x, reader }) => (x.firstBack(reader) ? copyImages : addImages)(share, y, y.gradient, x.gradient));
      return relu ? [['reluBackward', dy, at, dy, (share.to - share.from) * y.numbers], ...through] : through;
    },
  });
  return y;
}
