import type { Picture } from '../src/data/image.ts';

const PLAIN = ' ░▒▓█';

/**
 * A picture in gray for a terminal, two rows of pixels to a line of text: in the grays of a terminal with 256 colours, an upper and
 * a lower half to a letter; or without colours, where a letter is the mean of both, from ' ' for black to '█' for white.
 */
export function shades({ height, width, pixels }: Picture, colours: boolean): string {
  const lines = Array.from({ length: Math.ceil(height / 2) }, (_, i) => {
    const letters = Array.from({ length: width }, (_, column) => {
      const upper = pixels[2 * i * width + column];
      const lower = 2 * i + 1 < height ? pixels[(2 * i + 1) * width + column] : 0;
      if (colours) return `\x1b[38;5;${gray(upper)};48;5;${gray(lower)}m▀`;
      return PLAIN[Math.round(((upper + lower) / 510) * (PLAIN.length - 1))];
    });
    return letters.join('') + (colours ? '\x1b[0m' : '');
  });
  return lines.join('\n');
}

/** Of the 256 colours 16 is black, 232 to 255 go from 8 to 238 in steps of 10, and 231 is white. */
function gray(value: number): number {
  if (value < 4) return 16;
  return value > 246 ? 231 : 232 + Math.min(23, Math.max(0, Math.round((value - 8) / 10)));
}
