import { updateRunningShape } from '../../naive/batchStatistics.ts';
import type { BatchNormOptions } from '../../naive/batchNorm.ts';
import { named, running, type Node } from '../../network.ts';
import { zeros } from '../../tensor.ts';
import { addImages, copyImages } from './elementwiseStages.ts';
import { lastPosition } from './parameter.ts';
import type { Plan } from './plan.ts';
import { part, wait, type Call, type Share } from './program.ts';
import { imageOf, Value, type Picture } from './value.ts';

/** Threads share channels in units of four: what is read as a vector. */
const UNIT = 4;

/**
 * Batch norm; then + shortcut, where two branches meet, and relu, if they follow. What is summed over the batch, each thread
 * sums up for its channels, over all images.
 */
export function batchNormStage(
  plan: Plan,
  node: Node,
  x: Value,
  { relu, shortcut }: { relu: boolean; shortcut?: Value },
): Value {
  const { space } = plan;
  const { C, H, W } = x;
  const { eps = 1e-5 } = (node.options ?? {}) as BatchNormOptions;
  const y = new Value([C, H, W], {
    learns: true,
    bordered: !x.flattened,
    ...(x.flattened && { flattened: x.flattened }),
  });
  plan.values.push(y);
  const [reader, beside] = [{}, {}];
  x.readBy(reader);
  shortcut?.readBy(beside, { top: 0, bottom: 0, left: 0, right: 0 });

  const position = x.flattened ? lastPosition(x.flattened) : (i: number) => i;
  const [gamma, beta] = named(node).map(([, name]) =>
    plan.parameter({ name, shape: [C], count: C, part: (share) => part(C, UNIT, share), position }),
  );
  const names = running(node);
  const [runningMean, runningVariance] = [names.mean, names.variance].map((name) =>
    plan.statistic(name, [C], C, position),
  );
  const [mean, variance, deviation, sums] = [C, C, C, 4 * C].map((count) => space.room(count));
  /** All pixels of the batch. */
  const rows = ({ images }: Share) => images * H * W;
  const batch = (count: number) => ({ mean: zeros([C]), variance: zeros([C]), count });
  const sizes = (share: Share) => [share.to - share.from, H, W, C] as const;
  const at = (picture: Picture, share: Share) => imageOf(picture, share.from);
  const steps = ({ row, image }: Picture) => [row, image] as const;

  function normalise(share: Share, of: number): Call {
    const beyond = shortcut ? shortcut.picture : { first: 0, row: 0, image: 0 };
    return [
      ...(['normalise', at(x.picture, share), gamma.theta, beta.theta, of, deviation] as const),
      ...[shortcut ? at(beyond, share) : 0, at(y.picture, share), ...sizes(share)],
      ...[...steps(beyond), ...steps(y.picture), relu ? 1 : 0],
    ];
  }

  plan.stages.push({
    name: node.name,
    forward(share) {
      const { first, end } = part(C, UNIT, share);
      const mine = (address: number) => address + 4 * first;
      const deviations = (of: number): Call => ['deviations', mine(of), mine(deviation), end - first, eps];
      if (!share.training) return [deviations(runningVariance.theta), wait, normalise(share, runningMean.theta)];
      const count = rows(share);
      const { decay, correction } = updateRunningShape(batch(count), batch(count), node.running ?? {});
      const update = (to: number, from: number, weight: number): Call =>
        ['updateRunning', mine(to), mine(from), mine(to), end - first, decay, weight]; // prettier-ignore
      return [
        wait,
        ['batchStatistics', x.picture.first, mean, variance, sums, count, C, first, end],
        update(runningMean.theta, mean, 1 - decay),
        update(runningVariance.theta, variance, (1 - decay) * correction),
        deviations(variance),
        wait,
        normalise(share, mean),
      ];
    },
    backward(share) {
      const { first, end } = part(C, UNIT, share);
      const masked = relu ? y.picture : { first: 0, row: 0, image: 0 };
      const calls: Call[] = [
        wait,
        [
          ...([
            'normaliseParameterGradients',
            y.gradient.first,
            masked.first,
            x.picture.first,
            mean,
            deviation,
          ] as const),
          ...[gamma.gradient, beta.gradient, sums, share.images, H, W, C],
          ...[...steps(y.gradient), ...steps(masked), first, end],
        ],
        wait,
      ];
      if (shortcut?.learns) calls.push((shortcut.firstBack(beside) ? copyImages : addImages)(share, y, y.gradient, shortcut.gradient)); // prettier-ignore
      if (!x.learns) return calls;
      if (!x.firstBack(reader)) throw new RangeError(`engine: ${node.name} is not the only reader of its x`);
      calls.push([
        ...([
          'batchNormInputGradient',
          at(y.gradient, share),
          at(x.picture, share),
          gamma.theta,
          mean,
          deviation,
        ] as const),
        ...[gamma.gradient, beta.gradient, at(x.gradient, share), rows(share), ...sizes(share), ...steps(y.gradient)],
      ]);
      return calls;
    },
  });
  return y;
}
