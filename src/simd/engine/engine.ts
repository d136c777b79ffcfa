import type { Images } from '../../data/images.ts';
import { dropoutMask } from '../../dropoutMask.ts';
import type { Model, Parameters } from '../../network.ts';
import { optimizerState, type OptimizerName, type OptimizerState } from '../../optimizer.ts';
import type { Random } from '../../random.ts';
import { atLeast, type Tensor } from '../../tensor.ts';
import type { Build } from '../compile.ts';
import { bestBuild } from '../instantiate.ts';
import { Workspace } from '../kernels.ts';
import { optimizerArguments, optimizerMoments, optimizerSettings } from '../optimizers.ts';
import { read, write } from './parameter.ts';
import { Plan } from './plan.ts';
import { part, wait, type Call, type Program, type Share } from './program.ts';
import { Threads } from './threads.ts';
import { imageOf } from './value.ts';

export interface EngineOptions {
  /** The most images of a step. Integer ≥ 1. */
  readonly batch: number;
  /** How many threads compute, this one included. Integer ≥ 1. Default 1. They change no bit of any result. */
  readonly threads?: number;
  /** 'plain' computes the same bits on every machine. Default: 'fma' where the machine has it. */
  readonly build?: Build;
  /** What moves the parameters, and its options beside the rate. Default sgd. */
  readonly optimizer?: OptimizerName;
  readonly optimizerOptions?: object;
  /** Parameters that do not learn. Default none. */
  readonly frozen?: readonly string[];
}

/** Loss and logits (N, K) of a batch: what network.ts says of it, in float32. */
export interface Answer {
  readonly loss: number;
  readonly logits: Tensor;
}

type Kind = 'step' | 'gradients' | 'evaluation';

/**
 * A model in float32, with the kernels of src/simd on whatever threads there are: what network.ts and optimizer.ts compute, with
 * everything in one memory and in its place before the first step.
 */
export class Engine {
  readonly threads: number;
  readonly build: Build;
  readonly #space: Workspace;
  readonly #plan: Plan;
  readonly #options: EngineOptions;
  readonly #optimizer: OptimizerName;
  readonly #workers: Threads;
  readonly #programs = new Map<string, { number: number; labels: readonly string[] }>();
  readonly #at: Readonly<Record<'bytes' | 'tables' | 'targets' | 'softmax' | 'losses' | 'settings', number>>;
  #steps = 0;
  /** Milliseconds by what they were spent on, if asked for: of this thread. */
  profile: Map<string, number> | undefined;

  private constructor(space: Workspace, model: Model, workers: Threads, options: EngineOptions, build: Build) {
    const { batch, threads = 1, optimizer = 'sgd', optimizerOptions = {} } = options;
    this.threads = threads;
    this.build = build;
    this.#space = space;
    this.#options = options;
    this.#workers = workers;
    this.#optimizer = optimizer;
    const remembered = optimizerMoments(optimizer, optimizerOptions);
    this.#plan = new Plan(space, model, batch, threads);
    const { input, logits, parameters } = this.#plan;
    for (const { moments, count } of parameters) moments.push(...remembered.map(() => space.room(count)));
    const [C] = model.input;
    const [targets, softmax] = [0, 0].map(() => space.room(batch * logits.numbers));
    this.#at = {
      bytes: space.room((batch * input.numbers) / 4),
      tables: space.put({ data: tablesOf(model, C) }),
      ...{ targets, softmax },
      losses: space.room(batch),
      settings: space.room(16),
    };
  }

  /**
   * @throws RangeError if an option is out of range, or the engine cannot run the model
   * @throws Error if a thread does not start
   */
  static async of(model: Model, parameters: Parameters, options: EngineOptions): Promise<Engine> {
    const { batch, threads = 1, build = bestBuild() } = options;
    atLeast('engine: batch', batch, 1);
    atLeast('engine: threads', threads, 1);
    const space = await Workspace.of(build);
    const workers = await Threads.start(space, build, threads);
    try {
      const engine = new Engine(space, model, workers, options, build);
      await engine.load(parameters);
      return engine;
    } catch (error) {
      await workers.close();
      throw error;
    }
  }

  /** Takes all parameters and running statistics, and goes on from this state of the optimizer, or begins. */
  async load(parameters: Parameters, state = optimizerState()): Promise<void> {
    this.#steps = state.steps;
    for (const { parameter, name, at } of this.#moments()) {
      this.#space.floats(at, parameter.count).fill(0);
      if (Object.hasOwn(state.moments, name)) write(this.#space, parameter, state.moments[name], at);
    }
    for (const parameter of this.#all()) write(this.#space, parameter, parameters[parameter.name]);
    const moved = (share: Share) =>
      labelled(
        'turn',
        this.#plan.stages.flatMap(({ moved }) => moved?.(share) ?? []),
      );
    await this.#run('moved', moved, { images: 1, training: false });
  }

  /** A copy of all parameters and running statistics, as they are now. */
  parameters(): Parameters {
    return Object.fromEntries(this.#all().map((parameter) => [parameter.name, read(this.#space, parameter)]));
  }

  /** How many steps it has taken. */
  get steps(): number {
    return this.#steps;
  }

  /** A copy of what the optimizer remembers. */
  state(): OptimizerState {
    const moments = this.#moments().map(({ parameter, name, at }) => [name, read(this.#space, parameter, at)]);
    return { steps: this.#steps, moments: Object.fromEntries(moments) };
  }

  /** The gradient of every parameter, as the last step or gradientsOf computed it. */
  gradients(): Parameters {
    return Object.fromEntries(
      this.#plan.parameters.map((parameter) => [parameter.name, read(this.#space, parameter, parameter.gradient)]),
    );
  }

  /** One step of training with the images at these positions; dropout draws its masks from `random`. */
  step(images: Images, positions: Uint32Array, random: Random, rate: number): Promise<Answer> {
    this.#steps++;
    const options = { ...this.#options.optimizerOptions, rate };
    this.#space.floats(this.#at.settings, 16).set(optimizerSettings(this.#optimizer, options, this.#steps));
    return this.#answer('step', images, positions, random);
  }

  /** Forward and backward as in a step, but nothing moves: see gradients. */
  gradientsOf(images: Images, positions: Uint32Array, random: Random): Promise<Answer> {
    return this.#answer('gradients', images, positions, random);
  }

  /** Forward as in evaluation. */
  evaluate(images: Images, positions: Uint32Array): Promise<Answer> {
    return this.#answer('evaluation', images, positions);
  }

  /** Ends the threads. */
  close(): Promise<void> {
    return this.#workers.close();
  }

  async #answer(kind: Kind, images: Images, positions: Uint32Array, random?: Random): Promise<Answer> {
    const { length } = positions;
    if (length < 1 || length > this.#plan.images)
      throw new RangeError(`engine: a batch has ${length} images, expected 1 to ${this.#plan.images}`);
    const { numbers } = this.#plan.input;
    const K = this.#plan.logits.numbers;
    const bytes = new Uint8Array(this.#space.memory.buffer, this.#at.bytes, length * numbers);
    const targets = this.#space.floats(this.#at.targets, length * K).fill(0);
    positions.forEach((position, n) => {
      bytes.set(images.pixels.subarray(position * numbers, (position + 1) * numbers), n * numbers);
      targets[n * K + images.labels[position]] = 1;
    });
    if (random) for (const mask of this.#plan.masks) this.#draw(mask, length, random);
    const program = (share: Share) => this.#program(kind, share);
    await this.#run(kind, program, { images: length, training: kind !== 'evaluation' });
    const losses = this.#space.floats(this.#at.losses, length);
    const logits = this.#space.take(this.#plan.logits.picture.first, [length, K]);
    return { loss: losses.reduce((sum, loss) => sum + loss, 0) / length, logits };
  }

  /** Runs a program on batches of so many images; it is made the first time. */
  async #run(
    kind: string,
    program: (share: Share) => Labelled,
    batch: Pick<Share, 'images' | 'training'>,
  ): Promise<void> {
    const key = `${kind} ${batch.images}`;
    if (!this.#programs.has(key)) {
      const all = Array.from({ length: this.threads }, (_, thread) => {
        const { first, end } = part(batch.images, 1, { thread, threads: this.threads });
        return program({ thread, threads: this.threads, from: first, to: end, ...batch });
      });
      const number = this.#workers.add(all.map((calls) => calls.map(({ call }) => call)));
      this.#programs.set(key, { number, labels: all[0].map(({ label }) => label) });
    }
    const { number, labels } = this.#programs.get(key)!;
    const { profile } = this;
    await this.#workers.run(
      number,
      profile && ((call, milliseconds) => profile.set(labels[call], (profile.get(labels[call]) ?? 0) + milliseconds)),
    );
  }

  #program(kind: Kind, share: Share): Labelled {
    const { stages } = this.#plan;
    const forward = [
      ...labelled('images', this.#input(share)),
      ...stages.flatMap((stage) => labelled(`${stage.name} forward`, stage.forward(share))),
      ...labelled('loss', this.#loss(kind, share)),
    ];
    if (kind === 'evaluation') return forward;
    const gradients = [
      ...stages.toReversed().flatMap((stage) => labelled(`${stage.name} backward`, stage.backward?.(share) ?? [])),
      ...labelled('wait', [wait]),
      ...stages.flatMap((stage) => labelled(`${stage.name} gradients`, stage.sums?.(share) ?? [])),
    ];
    if (kind === 'gradients') return [...forward, ...gradients];
    return [
      ...forward,
      ...gradients,
      ...labelled('optimizer', this.#update(share)),
      ...stages.flatMap((stage) => labelled(`${stage.name} gradients`, stage.moved?.(share) ?? [])),
    ];
  }

  #input({ from, to }: Share): Program {
    const { numbers, picture, C, H, W } = this.#plan.input;
    const { bytes, tables } = this.#at;
    return [
      ['load8', bytes + from * numbers, tables, imageOf(picture, from), to - from, C, H, W, picture.row, picture.image],
    ];
  }

  /** Image by image: −log softmax of the right class; and the gradient of the mean over the batch. */
  #loss(kind: Kind, { from, to, images }: Share): Program {
    const { picture, gradient, numbers } = this.#plan.logits;
    const { targets, softmax, losses } = this.#at;
    const K = numbers;
    const one = this.#space.put({ data: Float64Array.of(1 / images) });
    return Array.from({ length: to - from }, (_, i) => from + i).flatMap((n): Program => {
      const [x, target, y] = [imageOf(picture, n), targets + 4 * n * K, softmax + 4 * n * K];
      const loss: Call = ['softmaxCrossEntropy', x, target, losses + 4 * n, 1, K];
      if (kind === 'evaluation') return [loss];
      return [
        loss,
        ['softmax', x, y, 1, K],
        ['softmaxCrossEntropyBackward', one, y, target, imageOf(gradient, n), 1, K],
      ];
    });
  }

  /** Each thread moves what it has the gradients of. */
  #update(share: Share): Program {
    const { frozen = [] } = this.#options;
    return this.#plan.parameters
      .filter(({ name }) => !frozen.includes(name))
      .flatMap(({ theta, gradient, moments, part }): Program => {
        const { first, end } = part(share);
        if (end === first) return [];
        const [mine, slopes, ...remembered] = [theta, gradient, ...moments].map((address) => address + 4 * first);
        const { settings } = this.#at;
        return [
          [this.#optimizer, ...optimizerArguments(this.#optimizer, mine, slopes, remembered, end - first, settings)],
        ];
      });
  }

  /** Draws a mask as network.ts does, (N, C, H, W), and puts its numbers where those of x lie. */
  #draw({ at, x, p, wholeChannels }: Plan['masks'][number], N: number, random: Random): void {
    const [C, H, W] = x.flattened ?? [x.C, x.H, x.W];
    const shape = wholeChannels ? [N, C, 1, 1] : [N, C, H, W];
    const { data } = dropoutMask(shape, p, random);
    const mask = this.#space.floats(at, N * C * H * W);
    const pixels = wholeChannels ? 0 : 1;
    for (let n = 0, to = 0; n < N; n++)
      for (let i = 0; i < H * W; i++)
        for (let c = 0; c < C; c++, to++) mask[to] = data[wholeChannels ? n * C + c : (n * C + c) * H * W + i * pixels];
  }

  /** What the optimizer remembers of each parameter, under the names of optimizer.ts, and where. */
  #moments() {
    const { optimizerOptions = {}, frozen = [] } = this.#options;
    const names = optimizerMoments(this.#optimizer, optimizerOptions);
    return this.#plan.parameters
      .filter(({ name }) => !frozen.includes(name))
      .flatMap((parameter) =>
        names.map((moment, i) => ({ parameter, name: `${parameter.name}.${moment}`, at: parameter.moments[i] })),
      );
  }

  #all() {
    return [...this.#plan.parameters, ...this.#plan.statistics];
  }
}

type Labelled = readonly { readonly label: string; readonly call: Call }[];

const labelled = (label: string, program: Program): Labelled =>
  program.map((call) => ({ label: call === wait ? 'wait' : label, call }));

/** What each byte of a channel is for the first layer: (byte / 255 − mean) / std, for the 256 bytes of each channel. */
function tablesOf({ normalize }: Model, C: number): Float64Array {
  const { mean = Array<number>(C).fill(0), std = Array<number>(C).fill(1) } = normalize ?? {};
  return Float64Array.from({ length: 256 * C }, (_, i) => {
    const c = Math.floor(i / 256);
    return ((i % 256) / 255 - mean[c]) / std[c];
  });
}
