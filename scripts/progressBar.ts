const WIDTH = 10; // leaves room for the facts on 80 columns
const [REDRAW, PLAIN] = [0.1, 10]; // seconds between two bars on a terminal, and between two lines elsewhere

/** A bar that is drawn over and over on one line of a terminal; elsewhere a plain line every ten seconds. */
export function progressBar(out: NodeJS.WriteStream) {
  let shown = out.isTTY ? -Infinity : performance.now();
  let drawn = false;
  return {
    /** A share in [0, 1] of what is called `name`, and what else there is to say: the last facts give way to a narrow terminal. */
    show(share: number, name: string, facts: readonly string[]): void {
      if (performance.now() - shown < (out.isTTY ? REDRAW : PLAIN) * 1000) return;
      shown = performance.now();
      if (!out.isTTY) return void out.write(`${name}  ${facts.join('  ')}\n`);
      const full = Math.floor(share * WIDTH);
      let line = `${name} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`;
      for (const fact of facts) if (line.length + 2 + fact.length < (out.columns || 80)) line += `  ${fact}`;
      out.write(`\r\x1b[K${line}`);
      drawn = true;
    },
    /** Takes the bar away. */
    clear(): void {
      if (drawn) out.write('\r\x1b[K');
      drawn = false;
    },
  };
}
