const WIDTH = 60; // of probability 1, where there is room for it beside the numbers
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * Probabilities as horizontal bars, a line each, to an eighth of a column; that of the winner is pointed at: '▸ 3  0.743  ████…'.
 * A line has fewer columns than the terminal.
 */
export function bars(probabilities: readonly number[], winner: number, columns: number): string {
  const width = Math.max(1, Math.min(WIDTH, columns - 13));
  return probabilities
    .map((probability, k) => {
      const eighths = Math.round(probability * width * 8);
      const bar = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
      return `${k === winner ? '▸' : ' '} ${k}  ${probability.toFixed(3)}  ${bar}`.trimEnd();
    })
    .join('\n');
}
