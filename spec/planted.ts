import { plant, type Edit } from './plant.ts';

/**
 * A module of src/ after some edits: planted now from the sources, or, in the package, where there are none, as the build has
 * planted it under this id.
 */
export function planted<Module>(id: string, edits: readonly Edit[], module: string): Promise<Module> {
  if (import.meta.url.endsWith('.ts')) return plant<Module>(edits, module);
  return import(new URL(`../bugs/${id}/${module.replace(/ts$/, 'js')}`, import.meta.url).href);
}
