const WIDTH = 26; // of the longest bar: with the numbers, less than 80 columns

/**
 * Where a network's time goes, as a table: milliseconds by 'conv1 forward', 'conv1 backward', 'conv1 gradients', 'optimizer', …, of
 * so many steps altogether → milliseconds of a step, a line for each layer.
 */
export function profileTable(profile: ReadonlyMap<string, number>, steps: number): string {
  const rows = new Map<string, { forward: number; backward: number }>();
  for (const [label, milliseconds] of profile) {
    const [, name, way] = /^(.*?)(?: (forward|backward|gradients))?$/.exec(label)!;
    const row = rows.get(name) ?? { forward: 0, backward: 0 };
    row[way === 'backward' || way === 'gradients' ? 'backward' : 'forward'] += milliseconds / steps;
    rows.set(name, row);
  }
  const total = [...profile.values()].reduce((sum, milliseconds) => sum + milliseconds, 0) / steps;
  const longest = Math.max(...[...rows.values()].map(({ forward, backward }) => forward + backward));
  const cell = (milliseconds: number) => (milliseconds === 0 ? '' : milliseconds.toFixed(3)).padStart(10);
  const line = (name: string, { forward, backward }: { forward: number; backward: number }) => {
    const bar = '█'.repeat(Math.round((WIDTH * (forward + backward)) / longest));
    const share = ((100 * (forward + backward)) / total).toFixed(1).padStart(6);
    return `${name.padEnd(20)}${cell(forward)}${cell(backward)}${share} %  ${bar}`.trimEnd();
  };
  return [
    `${'ms of a step'.padEnd(20)}${'forward'.padStart(10)}${'backward'.padStart(10)}`,
    ...[...rows].map(([name, row]) => line(name, row)),
    `${'all'.padEnd(20)}${total.toFixed(3).padStart(20)}`,
  ].join('\n');
}
