import { layerNames } from '../spec/port/protocol.ts';
import { explanation, recomputed } from './explanation.ts';
import { explanationHtml } from './explanationHtml.ts';
import { explanationText } from './explanationText.ts';
import { layerIn, list, numberToExplain } from './numberToExplain.ts';
import { commandLine, script, writable, writeWhole } from './script.ts';

/** How it is called: in the package it is a part of cnn-spec. */
const self = import.meta.url.endsWith('.ts') ? 'npx tsx scripts/explain.ts' : 'npx cnn-spec explain';

const help = `Explains how the definition of a layer computes one number: what goes in, each step, and the line that does it.

  ${self} conv2d
  ${self} conv2d --of dw --at 0,0,1,2
  ${self} conv2d --list
  ${self} maxPool2d --case hostile --html hostile.html
  ${self} softmax --input '{ "inputs": { "x": [[1, 2, 3]] } }'

  --list          the fixtures of the layer, with their shapes; without a layer, the layers
  --case ID       a fixture (default a small one)
  --input JSON    a call of your own instead: a file, or the JSON itself, with inputs and constants by name, options,
                  and, to explain a gradient, dy. A tensor is nested arrays, or { "shape", "data" } as in the fixtures
  --of NAME       y, or the gradient of an input: dx, dw, … (default y)
  --at I,J,…      which number of it (default one that shows much)
  --html FILE     a page instead of text
  --color         in colours, also where stdout is no terminal; --no-color: without
  --help          this text

Exit code 0; 1 if the steps do not give the number, which is a defect of ours; 2 if an argument is wrong.
`;

async function main(): Promise<void> {
  const { values, positionals } = commandLine({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      case: { type: 'string' },
      input: { type: 'string' },
      of: { type: 'string', default: 'y' },
      at: { type: 'string' },
      html: { type: 'string' },
      color: { type: 'boolean', default: false },
      'no-color': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.list && positionals.length === 0) return void process.stdout.write(`${layerNames.join('\n')}\n`);
  const layer = layerIn(positionals);
  if (values.list) return void process.stdout.write(list(layer));
  if (values.color && values['no-color'])
    throw new RangeError('--color and --no-color are both there, expected one of them');
  if (values.html !== undefined) writable('--html', values.html);

  const { call, output, index } = await numberToExplain(layer, values);
  const explained = await explanation(layer, call, output, index);
  if (!Object.is(recomputed(explained), explained.defined)) process.exitCode = 1;
  if (values.html !== undefined) {
    writeWhole(values.html, new TextEncoder().encode(explanationHtml(explained)));
    return void process.stdout.write(`${values.html} explains ${layer}: ${explained.target}\n`);
  }
  const terminal = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(explanationText(explained, values.color || (terminal && !values['no-color'])));
}

await script(self.replace(/^npx |tsx scripts\/|\.ts$/g, ''), main);
