import { join } from 'node:path';
import { cifar10Classes } from '../src/data/cifar10.ts';
import { batchOf, type Images } from '../src/data/images.ts';
import { implementations } from '../src/layers.ts';
import { forward, layersOf, stepsOf, type Model, type Parameters } from '../src/network.ts';
import { dims, type Tensor } from '../src/tensor.ts';
import { inputOf } from '../src/train.ts';
import { confusion, confusionChart } from './pictures/confusion.ts';
import { curves } from './pictures/curves.ts';
import { drawPage } from './pictures/drawPage.ts';
import { drawable, filtersPage } from './pictures/filters.ts';
import { layerPage, shownFrom } from './pictures/layer.ts';
import { mistakesPage, worstMistakes } from './pictures/mistakes.ts';
import type { EpochMetrics } from './runFolder.ts';
import { writeWhole } from './script.ts';

export interface Run {
  readonly model: Model;
  readonly seed: number;
  readonly parameters: Parameters;
  readonly metrics: readonly EpochMetrics[];
  readonly testing: Images;
  /** Of every test image and class, after the last epoch: (N, K). */
  readonly probabilities: Tensor;
}

/** What the classes of a model are called. */
const namesOf = (model: Model, K: number): readonly string[] =>
  model.name === 'cifar10Net' ? cifar10Classes : Array.from({ length: K }, (_, k) => `${k}`);

/**
 * Draws a run into its folder, each picture whole or not at all: curves.png, confusion.png, filters.png, feature-maps.png,
 * mistakes.png; what there is nothing to draw of is left out.
 *
 * @returns the names of the files
 * @throws RangeError if a number is not finite, or a package for pictures is not installed
 * @throws RunError if the folder cannot be written
 */
export async function runPictures(folder: string, run: Run): Promise<readonly string[]> {
  const { model, seed, parameters, metrics, testing, probabilities } = run;
  const [N, K] = dims('runPictures: probabilities', probabilities, [testing.labels.length, 'K']);
  const names = namesOf(model, K);
  const title = (what: string) => `${what}: ${model.name}, seed ${seed}`;
  const written: string[] = [];
  const write = (name: string, bytes: Uint8Array) => {
    writeWhole(join(folder, name), bytes);
    written.push(name);
  };

  if (metrics.length > 0) write('curves.png', await curves(title('Learning curves'), metrics));

  const counts = confusion(probabilities, testing.labels);
  const right = counts.reduce((sum, row, k) => sum + row[k], 0);
  const share = `${((100 * right) / N).toFixed(2)} % of ${N.toLocaleString('en')} test images right`;
  write('confusion.png', await confusionChart(`${title('Confusion matrix')}, ${share}`, counts, names));

  const [first] = layersOf(model).filter(({ parameters }) => parameters?.w);
  const weights = first && drawable(model, first);
  if (weights)
    write(
      'filters.png',
      await drawPage(await filtersPage(title('First layer'), model, first.name, parameters[weights])),
    );

  const { x } = batchOf(testing, Uint32Array.of(0));
  const steps = stepsOf(forward(implementations.vectorized, model, parameters, inputOf(model, x), 'evaluation').tape);
  const convolution = steps.findIndex(({ layer }) => layer === 'conv2d' || layer === 'groupedConv2d');
  if (convolution >= 0) {
    const { names: layers, y } = shownFrom(steps, convolution);
    const page = await layerPage(
      title(`Feature maps after ${layers}`),
      x,
      `test image 0: ${names[testing.labels[0]]}`,
      y,
    );
    write('feature-maps.png', await drawPage(page));
  }

  const mistakes = worstMistakes(probabilities, testing.labels);
  if (mistakes.length > 0) {
    const count = mistakes.length === 1 ? 'The only mistake' : `The ${mistakes.length} worst mistakes`;
    write('mistakes.png', await drawPage(mistakesPage(title(count), testing, mistakes, names)));
  }
  return written;
}
