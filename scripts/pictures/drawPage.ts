import type { Picture } from '../../src/data/image.ts';
import { optional } from '../optional.ts';
import { writeWhole } from '../script.ts';

/** The one font of all pictures: see fonts.conf. */
export const FONT = 'DejaVu Sans';

/** A picture in red, green and blue, and where its first pixel lies. */
export interface Placed {
  readonly picture: Picture;
  readonly top: number;
  readonly left: number;
}

/** A line of text, and where its first letter stands, or its middle or its end. */
export interface Text {
  readonly text: string;
  readonly x: number;
  /** Of the line that letters stand on. */
  readonly y: number;
  readonly size?: number;
  readonly bold?: boolean;
  readonly anchor?: 'start' | 'middle' | 'end';
}

export interface Page {
  readonly height: number;
  readonly width: number;
  readonly pictures: readonly Placed[];
  readonly texts: readonly Text[];
}

/** A white page with pictures, and text above them: as the bytes of a PNG file. */
export async function drawPage({ height, width, pictures, texts }: Page): Promise<Uint8Array> {
  const sharp = await optional('sharp');
  const input = Buffer.from(svgOf({ height, width, texts }));
  return sharp(paste(height, width, pictures).pixels, { raw: { height, width, channels: 3 } })
    .composite([{ input }])
    .removeAlpha()
    .png()
    .toBuffer();
}

/** Pictures in red, green and blue on a white one. */
export function paste(height: number, width: number, pictures: readonly Placed[]): Picture {
  const pixels = new Uint8Array(height * width * 3).fill(255);
  for (const { picture, top, left } of pictures)
    for (let row = 0; row < picture.height; row++)
      pixels.set(
        picture.pixels.subarray(row * picture.width * 3, (row + 1) * picture.width * 3),
        ((top + row) * width + left) * 3,
      );
  return { height, width, channels: 3, pixels };
}

function svgOf({ height, width, texts }: Omit<Page, 'pictures'>): string {
  const lines = texts.map(({ text, x, y, size = 14, bold = false, anchor = 'start' }) => {
    const escaped = text.replace(
      /[\0-\x1f\ufffe\uffff&<]/g,
      (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign] ?? '\ufffd',
    );
    return (
      `<text x="${x}" y="${y}" font-size="${size}" text-anchor="${anchor}"` +
      `${bold ? ' font-weight="bold"' : ''}>${escaped}</text>`
    );
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="${FONT}" fill="#222">` +
    `${lines.join('')}</svg>`
  );
}

/** About how many pixels a line of text takes: its letters are on average a little wider than half their height. */
export const widthOf = (text: string, size = 14, bold = false): number =>
  Math.ceil(text.length * size * (bold ? 0.7 : 0.62));

/** Writes a page as a PNG file, whole or not at all. */
export const writePage = async (path: string, page: Page): Promise<void> => writeWhole(path, await drawPage(page));

const MARGIN = 16;

/** A page with a title, lines of notes, and below them what is drawn. */
export function titled(title: string, notes: readonly string[], { height, width, pictures, texts }: Page): Page {
  const heading: Text[] = [
    { text: title, x: MARGIN, y: 34, size: 20, bold: true },
    ...notes.map((text, i) => ({ text, x: MARGIN, y: 60 + 20 * i, size: 14 })),
  ];
  const down = 52 + 20 * notes.length;
  const widest = Math.max(width, ...heading.map(({ text, size, bold }) => widthOf(text, size, bold)));
  return {
    height: down + height + MARGIN,
    width: widest + 2 * MARGIN,
    pictures: pictures.map((placed) => ({ ...placed, top: placed.top + down, left: placed.left + MARGIN })),
    texts: [...heading, ...texts.map((text) => ({ ...text, x: text.x + MARGIN, y: text.y + down }))],
  };
}

/** A part of a page beside another, or below it. */
export const shifted = ({ pictures, texts, ...size }: Page, down: number, right: number): Page => ({
  height: size.height + down,
  width: size.width + right,
  pictures: pictures.map((placed) => ({ ...placed, top: placed.top + down, left: placed.left + right })),
  texts: texts.map((text) => ({ ...text, x: text.x + right, y: text.y + down })),
});

/** Parts of a page, each already where it belongs, as one. */
export const together = (...parts: readonly Page[]): Page => ({
  height: Math.max(...parts.map(({ height }) => height)),
  width: Math.max(...parts.map(({ width }) => width)),
  pictures: parts.flatMap(({ pictures }) => pictures),
  texts: parts.flatMap(({ texts }) => texts),
});
