import { implementations } from '../src/layers.ts';
import { format, predict } from '../src/predict.ts';
import { bars } from './bars.ts';
import { readDigit } from './readDigit.ts';
import { readModel, trained } from './readModel.ts';
import { commandLine, script } from './script.ts';

const help = `Reads the handwritten digit on each picture, with a network that train-mnist.ts has stored.

  npx tsx scripts/train-mnist.ts --model lenet5 --optimizer adam --batch 32 --save lenet5.safetensors
  npx tsx scripts/predict.ts digit.png --model lenet5.safetensors
  npx tsx scripts/predict.ts photos/*.jpg --model lenet5.safetensors --json

A picture is a PNG, JPEG or WebP file with one digit, of any size: dark on light or light on dark, in gray or colours. What is
transparent counts as white paper. The digit is cut out, and scaled and placed as those of MNIST are.

  --model FILE        the network, a .safetensors file that says which model it is (default golden/trained/lenet5.safetensors)
  --json              one JSON object per picture on stdout and nothing else: file, digit, confidence, probabilities
  --help              this text
`;

async function main(): Promise<void> {
  const { values, positionals: files } = commandLine({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: trained },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (files.length === 0) throw new RangeError('there is no picture to read, expected IMAGE…: see --help');
  const { model, parameters } = readModel(values.model);
  const digits = [];
  for (const file of files) digits.push(await readDigit(file)); // all of them, before anything is printed

  digits.forEach((x, i) => {
    const [reading] = predict(implementations.vectorized, model, parameters, x);
    if (values.json) return void process.stdout.write(`${JSON.stringify({ file: files[i], ...reading })}\n`);
    if (files.length > 1) process.stdout.write(`${i > 0 ? '\n' : ''}${files[i]}\n`);
    process.stdout.write(`${format(reading)}\n\n${bars(reading.probabilities)}\n`);
  });
}

await script('predict', main);
