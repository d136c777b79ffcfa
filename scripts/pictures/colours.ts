import { optional } from '../optional.ts';
import { enlarge } from '../drawMaps.ts';
import type { Page } from './drawPage.ts';

/** 256 colours from one end of a scale to the other: red, green, blue. */
export type Colours = readonly (readonly [number, number, number])[];

const sampled = (interpolate: (share: number) => string): Colours =>
  Array.from({ length: 256 }, (_, i) => {
    const text = interpolate((i + 0.5) / 256); // '#440154' or 'rgb(68, 1, 84)'
    const hex = Number.parseInt(text.slice(1), 16);
    if (text.startsWith('#')) return [hex >> 16, (hex >> 8) & 255, hex & 255];
    return text.match(/\d+/g)!.map(Number) as [number, number, number];
  });

/** From dark blue to yellow: for what has a least and a most. */
export const viridis = async (): Promise<Colours> => sampled((await optional('d3-scale-chromatic')).interpolateViridis);

/** From blue over white to red: for what may be below 0 or above. */
export const diverging = async (): Promise<Colours> => {
  const { interpolateRdBu } = await optional('d3-scale-chromatic');
  return sampled((share) => interpolateRdBu(1 - share));
};

export const grays: Colours = Array.from({ length: 256 }, (_, i) => [i, i, i]);

/** The colour of a number between two others: colours[min(255, ⌊256·((v − least) / (most − least))⌋)], of equals the first. */
export function colourOf(colours: Colours, least: number, most: number): (value: number) => readonly number[] {
  return (value) =>
    colours[most > least ? Math.max(0, Math.min(255, Math.floor(256 * ((value - least) / (most - least))))) : 0];
}

/** All colours side by side, with what the first and the last of them stand for below, and, between, what others do. */
export function scaleBar(colours: Colours, labels: readonly string[], width = 200): Page {
  const picture = enlarge(
    Array.from({ length: width }, (_, i) => i),
    [1, width],
    1,
    colourOf(colours, 0, width),
  );
  const anchors = (i: number) => (i === 0 ? 'start' : i === labels.length - 1 ? 'end' : 'middle');
  return {
    height: 40,
    width,
    pictures: Array.from({ length: 14 }, (_, top) => ({ picture, top, left: 0 })),
    texts: labels.map((text, i) => ({
      text,
      x: (width * i) / (labels.length - 1),
      y: 32,
      size: 13,
      anchor: anchors(i),
    })),
  };
}
