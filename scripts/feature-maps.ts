import { implementations } from '../src/layers.ts';
import { forward, layersOf, stepsOf } from '../src/network.ts';
import { inputOf } from '../src/train.ts';
import { gridOf } from './drawMaps.ts';
import { writePage } from './pictures/drawPage.ts';
import { drawable, filtersPage } from './pictures/filters.ts';
import { layerPage, shownFrom } from './pictures/layer.ts';
import { readDigit } from './readDigit.ts';
import { readModel, trained } from './readModel.ts';
import { choose, commandLine, script, writable } from './script.ts';

const help = `Draws what one layer of a network makes of a handwritten digit: its feature maps, each from its least number (dark
blue) to its largest (yellow); of a layer without maps its numbers, in the same colours.

  npx tsx scripts/feature-maps.ts golden/images/3.png
  npx tsx scripts/feature-maps.ts golden/images/3.png --layer conv2 --out conv2.png
  npx tsx scripts/feature-maps.ts golden/images/3.png --layer fc3       the numbers that softmax makes probabilities of
  npx tsx scripts/feature-maps.ts --filters --layer conv2               no digit: what the layer has learned to look for

The digit is prepared as predict.ts does it: see there.

  --model FILE        the network, a .safetensors file that says which model it is (default
                      golden/trained/lenet5.safetensors)
  --layer NAME        the layer, by its name in the model; where an activation follows it, at once or after a batch norm,
                      what comes after that (default the first with maps, else the first; of --filters the first with some)
  --filters           draws the filters of the layer instead: red above 0, blue below
  --out FILE          the PNG file that is written (default feature_maps.png; of --filters filters.png)
  --help              this text
`;

async function main(): Promise<void> {
  const { values, positionals: files } = commandLine({
    allowPositionals: true,
    options: {
      model: { type: 'string', default: trained },
      layer: { type: 'string' },
      filters: { type: 'boolean', default: false },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const { layer, out = values.filters ? 'filters.png' : 'feature_maps.png' } = values;
  if (files.length > 1 || (files.length === 0 && !values.filters))
    throw new RangeError(`there are ${files.length} pictures to read, expected IMAGE: see --help`);
  if (files.length > 0 && values.filters)
    throw new RangeError(`--filters is given for ${files[0]}, expected one of them: filters are those of all pictures`);
  if (!out.toLowerCase().endsWith('.png'))
    throw new RangeError(`--out is ${JSON.stringify(out)}, expected a .png file`);
  writable('--out', out);
  const { model, parameters } = readModel(values.model);
  const say = (line: string) => process.stdout.write(`${line}\n${out}\n`);

  if (values.filters) {
    const weights = Object.fromEntries(layersOf(model).map((node) => [node.name, drawable(model, node)]));
    const having = Object.fromEntries(Object.entries(weights).filter(([, name]) => name !== undefined));
    const [first] = Object.keys(having);
    if (first === undefined) throw new RangeError(`${model.name} has no filters, expected a model with some`);
    const name = choose('--layer', having, layer ?? first)!;
    const w = parameters[name];
    await writePage(out, await filtersPage(`Filters of ${layer ?? first}: ${model.name}`, model, layer ?? first, w));
    return void say(`filters of ${layer ?? first} of ${model.name}: ${w.shape.join('×')}`);
  }

  const { x } = await readDigit(files[0]);
  const { tape } = forward(implementations.vectorized, model, parameters, inputOf(model, x), 'evaluation');
  const steps = stepsOf(tape);
  const places = Object.fromEntries(steps.map(({ node }, i) => [node.name, i]));
  const first = steps.find(({ y }) => y.shape.length === 4) ?? steps[0];
  const { names, y } = shownFrom(steps, choose('--layer', places, layer ?? first.node.name));
  await writePage(out, await layerPage(`After ${names}: ${model.name}`, x, 'what the network saw', y));
  const [, C, H, W] = y.shape;
  const [rows, columns] = gridOf(C);
  const what = H === undefined ? `${C} numbers` : `${C} maps of ${H}×${W}`;
  say(`${what} after ${names} of ${model.name}${H === undefined ? '' : `, in ${rows} rows of ${columns}`}`);
}

await script('feature-maps', main);
