import { agreement } from './explanationText.ts';
import { numberText, type Cell, type Explanation, type Grid, type Picture, type Section } from './explanation.ts';

/** How a number was computed, as a page that needs nothing else. */
export function explanationHtml(explanation: Explanation): string {
  const { layer, target, value, formula, shapes, options, places, sections } = explanation;
  const title = `${layer}: ${target} = ${numberText(value)}`;
  const outside = [...places, ...sections.flatMap(({ pictures }) => pictures.flat())].some(
    (part) => typeof part !== 'string' && part.cells.flat().some(({ mark }) => mark === 'outside'),
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text(title)}</title>
<style>${style}</style>
<h1>${text(title)}</h1>
<pre class="formula">${formula.map(text).join('\n')}</pre>
<p>${[shapes, options].filter((list) => list.length > 0).map((list) => list.map((each) => `<code>${text(each)}</code>`).join(' ')).join('<br>')}</p>
${places.length > 0 ? pictureHtml(places, legend(outside)) : ''}
${sections.map(sectionHtml).join('\n')}
<p class="agreement">${text(agreement(explanation))}</p>
</html>
`;
} // prettier-ignore

const style = `
body { font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1000px; margin: 2em auto; padding: 0 1.5em }
h1 { font-size: 1.6em } h2 { font-size: 1.2em; margin: 2em 0 .3em; border-top: 1px solid #ddd; padding-top: 1em }
h1, h2, pre, code, table { font-family: ui-monospace, Menlo, Consolas, monospace }
pre { white-space: pre-wrap } p code { margin-right: 1.5em }
.formula { background: #f3f6fa; border-left: 4px solid #3a78c3; padding: .7em 1em }
.picture { display: flex; flex-wrap: wrap; gap: 1.2em; align-items: flex-start; margin: 1em 0 }
.picture > b { font-size: 1.5em; align-self: center }
.grid { border-collapse: collapse } .grid caption { font-weight: bold; text-align: left; padding-bottom: .3em; white-space: nowrap }
.grid th { font-weight: normal; color: #888; font-size: .8em; padding: 0 .5em; text-align: right }
.grid td { border: 1px solid #ddd; padding: .2em .6em; text-align: right; min-width: 1.6em }
.read { background: #cfe8ff } .result { background: #ffe08a; font-weight: bold }
.grid td.outside { border: 1px dashed #9ab; color: #789; background: repeating-linear-gradient(45deg, #fff 0 4px, #eef2f5 4px 8px) }
.grid td.none { border: none }
.legend span { padding: .1em .6em; margin-right: .8em; border: 1px solid #ddd; font-size: .9em }
.legend .outside { border: 1px dashed #9ab; background: repeating-linear-gradient(45deg, #fff 0 4px, #eef2f5 4px 8px) }
.lines td { padding: .1em 1.2em .1em 0; white-space: pre-wrap; vertical-align: top } .lines td:nth-child(4) { white-space: pre }
.code { background: #f7f7f7; padding: .6em 1em; color: #777 } .code b { color: #222; background: #fff1b8; font-weight: normal }
.file { color: #777; font-size: .9em; font-weight: normal; margin-left: 1em }
.agreement { border-top: 1px solid #ddd; padding-top: 1em; color: #2a6b2a }
`;

const text = (plain: string) =>
  plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const legend = (outside: boolean) =>
  `<p class="legend"><span class="read">read on the way</span>${outside ? '<span class="outside">outside the image</span>' : ''}<span class="result">the result</span></p>`;

function sectionHtml({ heading, pictures, lines, quotation }: Section): string {
  const code = quotation?.lines.map(({ number, text: line }) => {
    const numbered = `${`${number}`.padStart(4)}  ${text(line)}`;
    return number === quotation.line ? `<b>${numbered}</b>` : numbered;
  });
  return [
    `<h2>${text(heading)}${quotation ? `<span class="file">${text(`${quotation.file}:${quotation.line}`)}</span>` : ''}</h2>`,
    ...(code ? [`<pre class="code">${code.join('\n')}</pre>`] : []),
    ...pictures.map((picture) => pictureHtml(picture)),
    `<table class="lines">${lines.map((line) => `<tr>${line.map((part) => `<td>${text(part)}</td>`).join('')}</tr>`).join('\n')}</table>`,
  ].join('\n');
}

const pictureHtml = (picture: Picture, below = '') =>
  `<div class="picture">${picture.map((part) => (typeof part === 'string' ? `<b>${part}</b>` : gridHtml(part))).join('\n')}</div>${below}`;

function gridHtml({ title, rows, columns, cells }: Grid): string {
  const row = (label: string, list: readonly Cell[]) => `<tr><th>${label}</th>${list.map(cellHtml).join('')}</tr>`;
  return [
    `<table class="grid"><caption>${text(title)}</caption>`,
    `<tr><th></th>${columns.map((label) => `<th>${label || '&nbsp;'}</th>`).join('')}</tr>`,
    ...cells.map((list, i) => row(rows[i], list)),
    '</table>',
  ].join('\n');
} // prettier-ignore

const cellHtml = ({ text: number, mark }: Cell) =>
  `<td class="${number === '' && mark === 'plain' ? 'none' : mark}">${text(number)}</td>`;
