import type { LayerName } from '../src/layers.ts';
import { geometry, type PoolOptions } from '../src/window.ts';
import { answeredCases } from './golden.ts';
import type { Call } from './law.ts';

/** The options of a call as fixtures have them: defaults written out, pairs as pairs, padding as the border it comes to. */
export function explicitOptions(name: LayerName, { inputs, options }: Call): object {
  const defaults = answeredCases(name).find(({ id }) => id === `${name}/defaults`)?.resolved ?? {};
  const { kernel } = options as Partial<PoolOptions>;
  const all: Record<string, unknown> = { ...defaults, ...(kernel && { stride: kernel }), ...options };
  if ('padding' in all) {
    const [H, W] = inputs.x.shape.slice(-2);
    const [KH, KW] = kernel === undefined ? inputs.w.shape.slice(-2) : [kernel].flat().concat(kernel);
    const { top, bottom, left, right } = geometry(name, [H, W], [KH, KW], all);
    all.padding = { top, bottom, left, right };
  }
  for (const k of ['kernel', 'stride', 'dilation']) if (typeof all[k] === 'number') all[k] = [all[k], all[k]];
  return all;
}
