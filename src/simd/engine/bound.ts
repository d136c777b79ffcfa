import type { Kernels } from '../instantiate.ts';
import type { Program } from './program.ts';

/** Stands for 'wait' among the calls of a program. */
export const all = () => {};

/** The calls of a program, ready to be made. */
export function bound(kernels: Kernels, program: Program): readonly (() => void)[] {
  return program.map(([name, ...args]) => {
    if (name === 'wait') return all;
    const kernel = kernels[name];
    if (!kernel) throw new Error(`engine: there is no kernel ${name}`);
    return () => void kernel(...args);
  });
}
