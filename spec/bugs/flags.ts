import prettier from 'prettier';
import { goldenFile, goldenNames, type GoldenFlag } from '../golden.ts';
import type { Bug } from './bug.ts';
import { classes } from './classes.ts';

/** What a fixture file says of a bug: what it is, and public reports of its class. */
export const flagOf = ({ means, seen }: Bug): GoldenFlag => ({
  bug: means,
  seen: [...new Set(seen.flatMap((reference) => classes[Number(reference)]?.seen ?? [reference]))],
});

/** The text of a fixture file in which every case says which of the bugs it fails under, by their ids. */
export async function flaggedText(text: string, bugs: readonly (readonly [Bug, failing: readonly string[]])[]) {
  const { format, layer, network, source, flags: _, ...rest } = JSON.parse(text);
  const cases = rest.cases.map(({ id, title, tier, flags: _, ...others }: { id: string; [key: string]: unknown }) => {
    const flags = bugs.filter(([, failing]) => failing.includes(id)).map(([bug]) => bug.id);
    return { id, title, tier, ...(flags.length > 0 && { flags }), ...others };
  });
  const caught = bugs.filter(([bug]) => cases.some(({ flags = [] }: { flags?: string[] }) => flags.includes(bug.id)));
  const flags = caught.length > 0 && { flags: Object.fromEntries(caught.map(([bug]) => [bug.id, flagOf(bug)])) };
  const config = await prettier.resolveConfig(import.meta.filename);
  const file = { format, layer, network, source, ...flags, ...rest, cases };
  return prettier.format(JSON.stringify(file), { ...config, parser: 'json' });
}

/** The cases that say they fail under a bug, in all fixture files, by the id of the bug. */
export function flaggedCases(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { id, flags = [] } of goldenNames.flatMap((name) => goldenFile(name).cases))
    for (const flag of flags) found.set(flag, [...(found.get(flag) ?? []), id]);
  return found;
}
