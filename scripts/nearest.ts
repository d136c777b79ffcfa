/**
 * The name that was meant by one that is mistyped: at most a third of its letters are wrong, missing, too many or exchanged
 * with their neighbour, capitals aside; else the first that begins with it. None if nothing is near.
 */
export function nearest(typed: string, names: readonly string[]): string | undefined {
  const distances = names.map((name) => ({ name, distance: editDistance(typed.toLowerCase(), name.toLowerCase()) }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance); // the first of those that are as near
  if (best && best.distance <= Math.max(typed.length, best.name.length) / 3) return best.name;
  return names.find((name) => typed !== '' && name.startsWith(typed));
}

/**
 * How many letters have to be put in, left out, replaced or exchanged with their neighbour to make one text of the other,
 * none of them twice.
 * @see Damerau (1964), A technique for computer detection and correction of spelling errors
 */
export function editDistance(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) => Array.from({ length: b.length + 1 }, (_, j) => i + j));
  for (let i = 1; i <= a.length; i++)
    for (let j = 1; j <= b.length; j++) {
      const replaced = d[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? d[i - 2][j - 2] + 1 : Infinity;
      d[i][j] = Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1, replaced, exchanged);
    }
  return d[a.length][b.length];
}
