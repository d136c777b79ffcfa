import { implementations } from '../src/layers.ts';
import { forward, stepsOf } from '../src/network.ts';
import { inputOf } from '../src/train.ts';
import { drawMaps, gridOf } from './drawMaps.ts';
import { writePicture } from './picture.ts';
import { readDigit } from './readDigit.ts';
import { readModel, trained } from './readModel.ts';
import { commandLine, script, writable } from './script.ts';

const help = `Draws what one layer of a network makes of a handwritten digit: its feature maps, each from its minimum (dark blue) to
its maximum (yellow).

  npx tsx scripts/train-mnist.ts --model mnistNet --optimizer adam --batch 64 --images 1000 --save mnistNet.safetensors
  npx tsx scripts/feature-maps.ts digit.png --model mnistNet.safetensors
  npx tsx scripts/feature-maps.ts digit.png --model mnistNet.safetensors --layer pool2 --out pool2.png

The digit is prepared as predict.ts does it: see there.

  --model FILE        the network, a .safetensors file that says which model it is (default golden/trained/lenet5.safetensors)
  --layer NAME        the layer, by its name in the model; where a relu follows it, its maps after that (default the first)
  --out FILE          the PNG file that is written (default feature_maps.png)
  --help              this text
`;

async function main(): Promise<void> {
  const { values, positionals: files } = commandLine({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: trained },
      layer: { type: 'string' },
      out: { type: 'string', default: 'feature_maps.png' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (files.length !== 1)
    throw new RangeError(`there are ${files.length} pictures to read, expected IMAGE: see --help`);
  writable('--out', values.out);
  const { model, parameters } = readModel(values.model);
  const x = inputOf(model, await readDigit(files[0]));

  const { tape } = forward(implementations.vectorized, model, parameters, x, 'evaluation');
  const steps = stepsOf(tape);
  const withMaps = steps.map(({ node, y }) => (y.shape.length === 4 ? node.name : '')).filter((name) => name !== '');
  if (withMaps.length === 0)
    throw new RangeError(`${values.model} is a ${model.name}, which has no maps, expected a model with convolutions`);
  const { layer = withMaps[0] } = values;
  if (!withMaps.includes(layer))
    throw new RangeError(
      `--layer is ${JSON.stringify(layer)}, expected one of ${withMaps.join(', ')}, which have maps in ${model.name}`,
    );
  const at = steps.findIndex(({ node }) => node.name === layer);
  const shown = steps.slice(at, at + (steps[at + 1]?.layer === 'relu' ? 2 : 1));
  const maps = shown.at(-1)!.y;
  const picture = drawMaps(maps);
  await writePicture(values.out, picture);

  const [, C, H, W] = maps.shape;
  const [rows, columns] = gridOf(C);
  process.stdout.write(
    `${C} maps of ${H}×${W} after ${shown.map(({ node }) => node.name).join(' and ')} of ${model.name}, ` +
      `in ${rows} rows of ${columns}\n${values.out}  ${picture.width}×${picture.height} pixels\n`,
  );
}

await script('feature-maps', main);
