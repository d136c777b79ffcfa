import type { LayerName } from '../../src/layers.ts';

/** The parts of src/ that are no layers: the module with the bug, and the laws it is asked; see specifyModule. */
export const parts = {
  adam: ['optimizer.ts', 'optimizer'],
  adamW: ['optimizer.ts', 'optimizer'],
  batchStatistics: ['naive/batchStatistics.ts', 'batchStatistics > naive'],
  cifar10: ['data/cifar10.ts', 'cifar10'],
  csv: ['data/csv.ts', 'csv'],
  dropoutMask: ['dropoutMask.ts', 'dropoutMask'],
  frameAsMnist: ['data/frameAsMnist.ts', 'frameAsMnist'],
  image: ['data/image.ts', 'image'],
  images: ['data/images.ts', 'images'],
  initialize: ['initialize.ts', 'initialize'],
  layout: ['layout.ts', 'layout'],
  mnist: ['data/mnist.ts', 'mnist'],
  models: ['models/index.ts', 'models'],
  network: ['network.ts', 'network'],
  predict: ['predict.ts', 'predict'],
  random: ['random.ts', 'random'],
  rmsProp: ['optimizer.ts', 'optimizer'],
  sgd: ['optimizer.ts', 'optimizer'],
  train: ['train.ts', 'train'],
  window: ['window.ts', 'window'],
} as const;

export type Part = keyof typeof parts;

/** What is judged: a layer, or another part. */
export type Subject = LayerName | Part;

/** A known bug, as a small change of one function of the definition: runnable, and wrong. */
export interface Bug {
  /** 'conv2d.kernel-flip' */
  readonly id: string;
  readonly subject: Subject;
  /** Under src/. */
  readonly file: string;
  /** The function where `find` stands, exactly once. */
  readonly within: string;
  readonly find: string;
  readonly put: string;
  /** One sentence: what is computed instead. */
  readonly means: string;
  /** Where it was reported or measured: 1 to 72 of classes.ts, 'E2.4' of a document. */
  readonly seen: readonly string[];
  /** Why nothing can tell it from the definition. */
  readonly equivalent?: string;
}

/** Bugs of one subject in one file, by name: [within, find, put, means, seen, equivalent?]. */
export const bugsOf = (
  subject: Subject,
  file: string,
  bugs: Readonly<
    Record<
      string,
      readonly [within: string, find: string, put: string, means: string, seen: readonly string[], equivalent?: string]
    >
  >,
): readonly Bug[] =>
  Object.entries(bugs).map(([name, [within, find, put, means, seen, equivalent]]) => ({
    ...{ id: `${subject}.${name}`, subject, file, within, find, put, means, seen },
    ...(equivalent !== undefined && { equivalent }),
  }));
