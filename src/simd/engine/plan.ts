import { parameterShapes, type Model, type Node, type Nodes, type Residual } from '../../network.ts';
import type { Workspace } from '../kernels.ts';
import { activationStage, dropoutStage, type Mask } from './elementwiseStages.ts';
import { batchNormStage } from './batchNormStage.ts';
import { convolutionStage, poolsPairs } from './convolutionStage.ts';
import type { Parameter } from './parameter.ts';
import { globalPoolStage, poolStage } from './poolStages.ts';
import type { Part, Share, Stage } from './program.ts';
import { sumStage } from './sumStage.ts';
import { Value } from './value.ts';

/** How a model is computed for batches of up to `images`: its stages in order, and where everything lies. */
export class Plan {
  readonly space: Workspace;
  readonly images: number;
  readonly threads: number;
  readonly stages: Stage[] = [];
  readonly values: Value[] = [];
  readonly parameters: Parameter[] = [];
  /** The running statistics of batch norm. */
  readonly statistics: Parameter[] = [];
  readonly masks: Mask[] = [];
  readonly input: Value;
  readonly logits: Value;
  #work = 0;
  #scratchSize = 0;
  #scratch: readonly number[] = [];

  /** @throws RangeError if a layer does not fit the one before it, or the engine has no such layer */
  constructor(space: Workspace, model: Model, images: number, threads: number) {
    this.space = space;
    this.images = images;
    this.threads = threads;
    this.input = new Value(model.input, { learns: false, bordered: true });
    this.values.push(this.input);
    const last = this.#nodes(model.nodes, '', this.input);
    if (last.H * last.W !== 1) throw new RangeError(`engine: the last y of ${model.name} are images, expected logits`);
    last.readBy(this); // the loss does
    this.logits = last;
    for (const value of this.values) value.allocate(space, images);
    for (const { allocate } of this.stages) allocate?.();
    this.#scratch = Array.from({ length: threads }, () => space.room(this.#scratchSize));
    const order = Object.keys(parameterShapes(model));
    this.parameters.sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  }

  /** A parameter, with its gradient, of `count` numbers in memory. */
  parameter(given: Pick<Parameter, 'name' | 'shape' | 'count' | 'part' | 'position'>): Parameter {
    const room = () => this.space.room(given.count);
    const parameter = { ...given, theta: room(), gradient: room(), moments: [] };
    this.parameters.push(parameter);
    return parameter;
  }

  /**
   * Cuts what all layers have to sum up, one layer behind the other, into as many parts of about as much work as there are
   * threads: which of the things of one layer, each of so much work, are a thread's. A layer of few kernels is one thread's, and
   * the others have more of the next. To be asked once all layers are there.
   */
  cut(count: number, work: number): (share: Share) => Part {
    const before = this.#work;
    this.#work += count * work;
    return ({ thread, threads }) => {
      const end = (thread: number) => Math.round(((this.#work * thread) / threads - before) / work);
      const within = (i: number) => Math.min(count, Math.max(0, i));
      return { first: within(end(thread)), end: within(end(thread + 1)) };
    };
  }

  /** What follows the batches, and has no gradient. */
  statistic(name: string, shape: readonly number[], count: number, position: (i: number) => number): Parameter {
    const statistic = {
      name,
      shape,
      theta: this.space.room(count),
      gradient: 0,
      moments: [],
      count,
      part: () => ({ first: 0, end: count }),
      position,
    };
    this.statistics.push(statistic);
    return statistic;
  }

  /** Room for `count` numbers, of each thread its own, that holds nothing from one stage to the next. */
  scratch(count: number): (share: Share) => number {
    this.#scratchSize = Math.max(this.#scratchSize, count);
    return ({ thread }) => this.#scratch[thread];
  }

  /** Nodes in order, what can be done together together. */
  #nodes(nodes: Nodes, path: string, x: Value): Value {
    let y = x;
    for (let i = 0; i < nodes.length;) {
      const node = nodes[i];
      const full = { ...node, name: `${path}${node.name}` };
      const [relu, pool] = [isRelu(nodes[i + 1]), nodes[i + 2]];
      if (!('layer' in full)) {
        y = this.#residual(full, y, relu);
        i += relu ? 2 : 1;
      } else if (['conv2d', 'groupedConv2d', 'linear'].includes(full.layer)) {
        const pooled = relu && full.layer !== 'linear' && pool !== undefined && poolsPairs(full, y, pool);
        y = convolutionStage(this, full, y, { relu, pool: pooled });
        i += pooled ? 3 : relu ? 2 : 1;
      } else if (full.layer === 'batchNorm') {
        y = batchNormStage(this, full, y, { relu });
        i += relu ? 2 : 1;
      } else {
        y = this.#layer(full, y);
        i++;
      }
    }
    return y;
  }

  /** Two branches; if the body ends with a batch norm, that adds the shortcut in the same go. */
  #residual({ name, body, shortcut }: Residual, x: Value, relu: boolean): Value {
    const path = `${name}.`;
    const last = body.at(-1);
    const normed = last !== undefined && 'layer' in last && last.layer === 'batchNorm';
    const before = this.#nodes(normed ? body.slice(0, -1) : body, path, x);
    const beside = this.#nodes(shortcut, path, x);
    const [a, b] = [before, beside].map(({ C, H, W }) => `${[C, H, W]}`);
    if (a !== b)
      throw new RangeError(`network: the shortcut of ${name} has shape (${b}), expected that of its body, (${a})`);
    if (!normed) return sumStage(this, name, before, beside, relu);
    return batchNormStage(this, { ...last, name: `${path}${last.name}` }, before, { relu, shortcut: beside });
  }

  #layer(node: Node, x: Value): Value {
    switch (node.layer) {
      case 'relu':
      case 'leakyRelu':
      case 'tanh':
      case 'sigmoid':
        return activationStage(this, node, x);
      case 'maxPool2d':
      case 'avgPool2d':
        return poolStage(this, node, x);
      case 'globalAvgPool2d':
        return globalPoolStage(this, node, x);
      case 'dropout':
        return dropoutStage(this, node, x);
      case 'flatten':
        return x.flat();
      default:
        throw new RangeError(`engine: there is no ${node.layer} in it, expected layers that networks are made of`);
    }
  }
}

const isRelu = (node: Node | Residual | undefined): boolean =>
  node !== undefined && 'layer' in node && node.layer === 'relu';
