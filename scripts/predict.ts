import { existsSync, statSync } from 'node:fs';
import { basename, extname, join, resolve } from 'node:path';
import { implementations } from '../src/layers.ts';
import { format, predict, type Prediction } from '../src/predict.ts';
import { bars } from './bars.ts';
import { writePage } from './pictures/drawPage.ts';
import { readingPage } from './pictures/reading.ts';
import { readDigit } from './readDigit.ts';
import { readModel, trained } from './readModel.ts';
import { commandLine, script, writable } from './script.ts';
import { shades } from './shades.ts';

/**
 * Below this confidence a reading is called unsure. Of MNIST's 10,000 test digits the network that comes with the project is
 * unsure of 137, and wrong on a third of them; of those that it is sure of, it is wrong on 3 in 1,000.
 */
const SURE = 0.9;

const help = `Reads the handwritten digit on each picture.

  npx tsx scripts/predict.ts golden/images/3.png
  npx tsx scripts/predict.ts golden/images/*.jpg --json
  npx tsx scripts/predict.ts golden/images/1-with-a-flag-in-pencil.jpg --explain
  npx tsx scripts/predict.ts digit.png --model runs/mnistNet-0/checkpoint.safetensors

A picture is a PNG, JPEG or WebP file with one digit, of up to 50 million pixels: dark on light or light on dark, in gray or
colours, in a shadow or not. What is transparent counts as white paper. The digit is cut out, and scaled and placed as those of
MNIST are.

  --model FILE        the network, as train-mnist.ts keeps it or saves it, or a state dict of PyTorch as .safetensors (default
                      golden/trained/lenet5.safetensors)
  --explain           also what the network saw; and as a picture, beside the one that was given and the ten probabilities:
                      digit-explained.png for digit.jpg
  --out DIR           where the pictures of --explain are written (default: where you are)
  --json              one JSON object per picture on stdout and nothing else: file, digit, confidence, probabilities; with
                      --explain also explained, the file with the picture
  --help              this text
`;

async function main(): Promise<void> {
  const { values, positionals: files } = commandLine({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: trained },
      explain: { type: 'boolean', default: false },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (files.length === 0) throw new RangeError('there is no picture to read, expected IMAGE…: see --help');
  const pages = values.explain ? explained(files, values.out ?? '.') : [];
  if (!values.explain && values.out !== undefined)
    throw new RangeError(`--out is ${JSON.stringify(values.out)} without --explain, expected both or none`);
  const { model, parameters } = readModel(values.model);
  const digits = [];
  for (const file of files) digits.push(await readDigit(file)); // all of them, before anything is printed

  for (const [i, { picture, x }] of digits.entries()) {
    const [reading] = predict(implementations.vectorized, model, parameters, x);
    if (values.explain) {
      const title = `${basename(files[i])} is read as ${reading.digit}`;
      await writePage(pages[i], await readingPage(title, `by ${model.name}${unsure(reading)}`, picture, x, reading));
    }
    if (values.json) {
      const line = { file: files[i], ...reading, ...(values.explain && { explained: pages[i] }) };
      process.stdout.write(`${JSON.stringify(line)}\n`);
      continue;
    }
    if (files.length > 1) process.stdout.write(`${i > 0 ? '\n' : ''}${files[i]}\n`);
    process.stdout.write(
      `${format(reading)}${unsure(reading)}\n\n${bars(reading.probabilities, reading.digit, process.stdout.columns || 80)}\n`,
    );
    if (!values.explain) continue;
    const [, , height, width] = x.shape;
    const pixels = Uint8Array.from(x.data, (value) => Math.round(255 * value));
    const seen = shades({ height, width, channels: 1, pixels }, process.stdout.isTTY && !process.env.NO_COLOR);
    process.stdout.write(`\nWhat the network saw, ${height}×${width} pixels:\n\n${seen}\n\n${pages[i]}\n`);
  }
}

/** ', unsure: perhaps 7 (0.31)'; nothing if it is sure. */
function unsure({ digit, confidence, probabilities }: Prediction): string {
  if (confidence >= SURE) return '';
  const others = probabilities.map((probability, k) => (k === digit ? -1 : probability));
  const second = Math.max(...others);
  return `, unsure: perhaps ${others.indexOf(second)} (${second.toFixed(2)})`;
}

/** The files that --explain writes. */
function explained(files: readonly string[], directory: string): readonly string[] {
  if (!existsSync(directory) || !statSync(directory).isDirectory())
    throw new RangeError(`--out is ${JSON.stringify(directory)}, expected a directory that exists`);
  const pages = files.map((file) => join(directory, `${basename(file, extname(file))}-explained.png`));
  const twice = pages.findIndex((page, i) => pages.indexOf(page) < i);
  if (twice >= 0)
    throw new RangeError(
      `${files[pages.indexOf(pages[twice])]} and ${files[twice]} would both be explained in ${pages[twice]}, expected one of them`,
    );
  const given = new Set(files.map((file) => resolve(file)));
  for (const [i, page] of pages.entries()) {
    writable('the picture of --explain', page);
    if (given.has(resolve(page)))
      throw new RangeError(`${files[i]} would be explained in ${page}, a picture to be read, expected --out elsewhere`);
  }
  return pages;
}

await script('predict', main);
