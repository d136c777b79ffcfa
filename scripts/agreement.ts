import { batchOf, type Images } from '../src/data/images.ts';
import { implementations } from '../src/layers.ts';
import { lossAndGradients, type Model } from '../src/network.ts';
import { random } from '../src/random.ts';
import type { Engine } from '../src/simd/engine/engine.ts';
import { inputOf } from '../src/train.ts';

/**
 * How far the engine's gradients are from those of the vectorized layers, in its next three steps, each with `count` images: the
 * distance of all of them together, as a share of their length. `progress` is told the share that is done.
 */
export async function agreement(
  engine: Engine,
  model: Model,
  images: Images,
  count: number,
  progress: (share: number) => void = () => {},
): Promise<number> {
  const few = Math.min(count, images.labels.length);
  let worst = 0;
  for (let step = 0; step < 3; step++) {
    progress(step / 3);
    const positions = Uint32Array.from({ length: few }, (_, i) => (step * few + i) % images.labels.length);
    const parameters = engine.parameters();
    await engine.step(images, positions, random(step), 0.001);
    const { x, labels } = batchOf(images, positions);
    const mode = { training: random(step) };
    const { vectorized } = implementations;
    const { gradients } = lossAndGradients(vectorized, model, parameters, inputOf(model, x), labels, mode);
    const own = engine.gradients();
    let [apart, length] = [0, 0];
    for (const [name, { data }] of Object.entries(gradients))
      data.forEach((value, i) => {
        apart += (own[name].data[i] - value) ** 2;
        length += value ** 2;
      });
    worst = Math.max(worst, Math.sqrt(apart / length));
  }
  return worst;
}
