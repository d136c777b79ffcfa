import type { LayerName } from '../../src/layers.ts';
import type { OptimizerName } from '../../src/optimizer.ts';

/** What is judged: a layer, an optimizer, the running statistics of batch norm, or the chain rule of networks. */
export type Subject = LayerName | OptimizerName | 'batchStatistics' | 'network';

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
  /** Where it was reported or measured: 1 to 71 of classes.ts, 'E2.4' of a document. */
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
