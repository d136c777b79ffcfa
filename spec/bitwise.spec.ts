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
  ['mnistNet', models.mnistNet, 'dbff7144e31053cc53ad1119058e390931d87e2838fc79bfd64c01f6e73bd769'],
  ['tanhAvg', models.tanhAvg, '9a262d8f8507feaa2669713a2bea68ee00564e683489cc3318215efa7b51016b'],
  ['resnet18', resnet, '097880482f5699f7a9e6fbe12a38a74800df1f610e43ab6c2cbce2acd04de80c'],
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
