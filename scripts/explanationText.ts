import type { Cell, Explanation, Grid, Picture, Quotation, Section } from './explanation.ts';
import { numberText, recomputed } from './explanation.ts';

const WIDTH = 96;

/** Colours of a terminal, or none. */
type Paint = (style: keyof typeof styles, text: string) => string;

const styles = { title: '1', quiet: '2', read: '30;46', outside: '2;36', result: '1;30;43', formula: '36' };

/** How a number was computed, as text of at most 96 columns where formulas allow it; in colours if wanted. */
export function explanationText(explanation: Explanation, colours: boolean): string {
  const paint: Paint = (style, text) => (colours && text !== '' ? `\x1b[${styles[style]}m${text}\x1b[0m` : text);
  const { layer, target, value, formula, shapes, options, places, sections } = explanation;
  const outside = sections.some(({ pictures }) => pictures.flat().some(isOutside)) || places.some(isOutside);
  const marks = [
    ...(places.some((grid) => has(grid, 'read')) ? ['[read on the way]'] : []),
    ...(outside ? ['(outside the image)'] : []),
    '<the result>',
  ];
  return [
    paint('title', `${layer}: ${target} = ${numberText(value)}`),
    formula.flatMap((line) => wrapped(line)).map((line) => paint('formula', `    ${line}`)).join('\n'),
    [shapes, options].filter((list) => list.length > 0).flatMap((list) => wrapped(list.join('   '))).map((line) => `  ${line}`).join('\n'),
    ...(places.length > 0 ? [`${sideBySide(places, paint)}\n${paint('quiet', `  ${marks.join('  ')}`)}`] : []),
    ...sections.map((section) => sectionText(section, paint)),
    agreement(explanation),
  ].join('\n\n') + '\n'; // prettier-ignore
}

/** Whether the lines above and the definition give the same number, in a sentence. */
export function agreement(explanation: Explanation): string {
  const [again, defined] = [recomputed(explanation), explanation.defined];
  const name = explanation.target.startsWith('y') ? explanation.layer : `${explanation.layer}Backward`;
  return Object.is(again, defined)
    ? `Computed again from the lines above: ${numberText(again)}, as ${name} gives it.`
    : `These lines are wrong: they give ${again}, and ${name} gives ${defined}.`;
}

const has = ({ cells }: Grid, mark: Cell['mark']) => cells.some((row) => row.some((cell) => cell.mark === mark));
const isOutside = (part: Picture[number]) => typeof part !== 'string' && has(part, 'outside');

function sectionText({ heading, pictures, lines, quotation }: Section, paint: Paint): string {
  return [
    `${paint('title', heading)}${quotation ? paint('quiet', `   ${quotation.file}:${quotation.line}`) : ''}`,
    ...(quotation ? [quotationText(quotation, paint)] : []),
    ...pictures.map((picture) => `\n${sideBySide(picture, paint)}`),
    ...(pictures.length > 0 || quotation ? [''] : []),
    columnsText(lines),
  ].join('\n');
}

function quotationText({ line, lines }: Quotation, paint: Paint): string {
  const width = `${lines.at(-1)!.number}`.length;
  return lines
    .map(({ number, text }) => {
      const numbered = `${`${number}`.padStart(width)} │ ${text}`;
      return number === line ? `  ▸ ${numbered}` : paint('quiet', `    ${numbered}`);
    })
    .join('\n');
}

/** Columns one beside the other; where they are too wide, what follows the second stands below it. */
function columnsText(lines: readonly (readonly string[])[]): string {
  const count = Math.max(...lines.map(({ length }) => length));
  const widths = Array.from({ length: count }, (_, i) => Math.max(...lines.map((line) => (line[i] ?? '').length)));
  const fits = widths.slice(0, 4).reduce((sum, width) => sum + width + 2, 2) <= WIDTH;
  return lines
    .flatMap((line) => {
      const since = line[4] ?? '';
      const aligned = `  ${line.slice(0, 4).map((text, i) => text.padEnd(widths[i])).join('  ')}`.trimEnd(); // prettier-ignore
      if (fits && aligned.length + since.length + 2 <= WIDTH) return [`${aligned}  ${since}`.trimEnd()];
      if (fits) return [aligned, `${' '.repeat(widths[0] + 8)}${since}`];
      const [first = '', second = '', numbers = '', total = ''] = line;
      const start = `  ${first.padEnd(widths[0])}  `;
      const below = [[numbers, total].filter((text) => text !== '').join('  '), since];
      return [`${start}${second}`, ...below.filter((text) => text !== '').map((text) => `${' '.repeat(start.length + 4)}${text}`)]; // prettier-ignore
    })
    .join('\n');
}

const brackets = { plain: '  ', read: '[]', outside: '()', result: '<>' } as const;

/** The lines of a grid, each as wide as the others but for colours, and that width. */
function gridText(
  grid: Grid,
  paint: Paint,
  bare: boolean,
): { readonly width: number; readonly lines: readonly string[] } {
  const { title, rows, columns, cells } = grid;
  const head = Math.max(...rows.map(({ length }) => length));
  const widest = Math.max(...columns.map(({ length }) => length), ...cells.flat().map(({ text }) => text.length)) + 3;
  const width = Math.max(title.length, head + widest * columns.length);
  const text = (cell: Cell) => {
    const [before, after] = bare && cell.mark === 'read' ? '  ' : brackets[cell.mark];
    const body = before + cell.text + after;
    return cell.mark === 'plain' ? body.padStart(widest) : ' '.repeat(widest - body.length) + paint(cell.mark, body);
  };
  const pad = ' '.repeat(width - head - widest * columns.length);
  return {
    width,
    lines: [
      paint('title', title.padEnd(width)),
      ...(columns.some((label) => label !== '') || rows.some((label) => label !== '')
        ? [paint('quiet', ' '.repeat(head) + columns.map((label) => `${label} `.padStart(widest)).join('') + pad)]
        : [' '.repeat(width)]),
      ...cells.map((row, i) => paint('quiet', rows[i].padStart(head)) + row.map(text).join('') + pad),
    ],
  };
}

/** Grids in a row, as far as they fit, and the signs between them. */
function sideBySide(picture: Picture, paint: Paint): string {
  const bare = picture.includes('=') || picture.length === 1;
  const blocks: { width: number; lines: readonly string[] }[][] = [[]];
  let used = 0;
  for (const part of picture) {
    const block = typeof part === 'string' ? { width: 1, lines: [] } : gridText(part, paint, bare);
    if (used + block.width + 3 > WIDTH && blocks.at(-1)!.length > 0) {
      blocks.push([]);
      used = 0;
    }
    if (typeof part === 'string')
      Object.assign(block, { lines: [' ', ' ', ...Array(middle(picture)).fill(' '), part] });
    blocks.at(-1)!.push(block);
    used += block.width + 3;
  }
  return blocks
    .map((row) => {
      const height = Math.max(...row.map(({ lines }) => lines.length));
      const line = (i: number) => row.map(({ width, lines }) => lines[i] ?? ' '.repeat(width)).join('   ');
      return Array.from({ length: height }, (_, i) => `  ${line(i)}`.trimEnd()).join('\n');
    })
    .join('\n\n');
}

/** Rows above the one in the middle of its grids. */
const middle = (picture: Picture) =>
  Math.floor((Math.max(...picture.map((part) => (typeof part === 'string' ? 0 : part.rows.length))) - 1) / 2);

/** At spaces, into lines that fit. */
function wrapped(text: string): readonly string[] {
  const lines = [''];
  for (const part of text.split(/(?<= )(?=\S)/))
    if ((lines.at(-1)! + part).trimEnd().length > WIDTH - 4) lines.push(part);
    else lines[lines.length - 1] += part;
  return lines.map((line) => line.trimEnd());
}
