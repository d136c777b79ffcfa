import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { initialize } from '../src/initialize.ts';
import * as models from '../src/models/index.ts';
import type { Model, Parameters } from '../src/network.ts';
import { random } from '../src/random.ts';
import { cosine } from '../src/schedule.ts';
import { Engine } from '../src/simd/engine/engine.ts';
import { size } from '../src/tensor.ts';

// With `build: 'plain'` no bit of a training depends on the machine, the version of Node or the number of threads: these are the
// SHA-256 sums of all parameters after a training, from Node 20, 22 and 24 alike; .ci/run asks all three. A change of the kernels that
// rounds otherwise changes the sums: then take those that the test shows, after all versions show the same.

const resnet = models.resnet18({ input: [3, 32, 32], widths: [16, 16, 24, 32], dropout: 0.5 });

it.each<[string, Model, string]>([
  ['mnistNet', models.mnistNet, '90031f59adb4839f7a2e9fe24e4ae6a96473e4860828c1fbc8e6bf5b0e5e51ab'],
  ['tanhAvg', models.tanhAvg, '26849e16bff40263c0d781a401a6dc7a7041e8d5d2334728dac65bdb06f8fea2'],
  ['resnet18', resnet, '3c689f919416aa6f07fa602a6b7ab303299ab7273166246c5c57546929c1e82d'],
])('%s: twenty steps of adam give these bits, on every machine and any number of threads', async (_, model, sum) => {
  const { uniform } = random(7);
  const pixels = Uint8Array.from({ length: 16 * size(model.input) }, () => 256 * uniform());
  const images = { shape: model.input, pixels, labels: Uint8Array.from({ length: 16 }, () => 3 * uniform()) };
  const rate = cosine(0.002, { steps: 20 });
  for (const threads of [1, 2]) {
    const options = { batch: 8, threads, build: 'plain', optimizer: 'adam' } as const;
    const engine = await Engine.of(model, initialize(model, random(3)), options);
    for (let step = 0; step < 20; step++)
      await engine.step(
        images,
        Uint32Array.from({ length: 8 }, (_, i) => (5 * step + i) % 16),
        random(step),
        rate(step),
      );
    expect(sumOf(engine.parameters())).toBe(sum);
    await engine.close();
  }
});

function sumOf(parameters: Parameters): string {
  const hash = createHash('sha256');
  for (const [name, { data }] of Object.entries(parameters)) hash.update(name).update(Float32Array.from(data));
  return hash.digest('hex');
}
