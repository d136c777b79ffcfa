import type { LayerName } from '../src/layers.ts';
import { geometry, type PoolOptions } from '../src/window.ts';
import { answeredCases } from './golden.ts';
import type { Call } from './law.ts';

/** The options of a call as fixtures have them: defaults written out, pairs as pairs, padding as the border it comes to. */
export function explicitOptions(name: LayerName, call: Call): object {
  const all = withDefaults(name, call);
  const { kernel } = call.options as Partial<PoolOptions>;
  if ('padding' in all) {
    const { inputs } = call;
    const [H, W] = inputs.x.shape.slice(-2);
    const [KH, KW] = kernel === undefined ? inputs.w.shape.slice(-2) : [kernel].flat().concat(kernel);
    const { top, bottom, left, right } = geometry(name, [H, W], [KH, KW], all);
    all.padding = { top, bottom, left, right };
  }
  return all;
}

/** The same of a call that is an error, for whoever reads no short forms: what has no meaning stays as it is. */
export function nearlyExplicit(name: LayerName, call: Call): object {
  const all = withDefaults(name, call);
  const [rows, columns] = [all.padding].flat().concat(all.padding);
  if (typeof rows === 'number') all.padding = { top: rows, bottom: rows, left: columns, right: columns };
  if (all.padding === 'valid') all.padding = { top: 0, bottom: 0, left: 0, right: 0 };
  return all;
}

function withDefaults(name: LayerName, { options }: Call): Record<string, unknown> {
  const { kernel } = options as Partial<PoolOptions>;
  const all: Record<string, unknown> = {
    ...defaultsOf(name),
    ...(kernel !== undefined && { stride: kernel }),
    ...options,
  };
  for (const k of ['kernel', 'stride', 'dilation']) if (typeof all[k] === 'number') all[k] = [all[k], all[k]];
  return all;
}

const defaults = new Map<LayerName, object>();

function defaultsOf(name: LayerName): object {
  if (!defaults.has(name)) {
    const golden = answeredCases(name).find(({ id }) => id === `${name}/defaults`);
    const left = Object.entries(golden?.resolved ?? {}).filter(([k]) => !(k in golden!.options));
    defaults.set(name, Object.fromEntries(left));
  }
  return defaults.get(name)!;
}
