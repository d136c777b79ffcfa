import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readModel, trained } from '../scripts/readModel.ts';
import { lenet5, mnistNet } from '../src/models/index.ts';
import { parameterShapes, type Model } from '../src/network.ts';
import { needing, torch } from './needing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const script = readFileSync(join(root, 'scripts/state-dict.py'), 'utf8');

/** The shapes of weights and biases of a network of torch.nn, by PyTorch's names, as the script spells it out. */
function shapesIn(name: string): Record<string, readonly number[]> {
  const text = script.slice(script.indexOf(`"${name}": lambda`)).split('\n    )),')[0];
  const layers = [...text.matchAll(/(\w+)=nn\.(?:Conv2d|Linear)\((\d+), (\d+)(?:, (\d+))?/g)];
  return Object.fromEntries(
    layers.flatMap(([, layer, inputs, outputs, kernel]) => [
      [`${layer}.weight`, [outputs, inputs, ...(kernel ? [kernel, kernel] : [])].map(Number)],
      [`${layer}.bias`, [Number(outputs)]],
    ]),
  );
}

describe('state-dict.py', () => {
  it.each<[string, Model]>([
    ['lenet5', lenet5()],
    ['mnistNet', mnistNet],
  ])('has the %s of src/models', (name, model) => {
    expect(shapesIn(name)).toEqual(parameterShapes(model));
  });

  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-state-dict-'));
  afterAll(() => rmSync(directory, { recursive: true }));

  needing(torch ? undefined : 'PyTorch', it)('there and back, bit for bit', () => {
    const again = join(directory, 'again.safetensors');
    const { stdout, stderr, status } = spawnSync(torch!, ['scripts/state-dict.py', '--save', again], {
      cwd: root,
      encoding: 'utf8',
    });
    expect([stderr, status]).toEqual(['', 0]);
    expect(stdout).toMatch(/^lenet5 in PyTorch \S+ reads 498 of 500 test digits right\n/);
    expect(readModel(again).parameters).toEqual(readModel(trained).parameters);
  });
});
