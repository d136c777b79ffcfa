const WIDTH = 60; // of probability 1: with the numbers, less than 80 columns
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** Probabilities as horizontal bars, a line each, to an eighth of a column; that of the winner is pointed at: '▸ 3  0.743  ████…'. */
export function bars(probabilities: readonly number[], winner: number): string {
  return probabilities
    .map((probability, k) => {
      const eighths = Math.round(probability * WIDTH * 8);
      const bar = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8];
      return `${k === winner ? '▸' : ' '} ${k}  ${probability.toFixed(3)}  ${bar}`.trimEnd();
    })
    .join('\n');
}
