import { mnist } from '../../src/data/mnist.ts';
import type { Images } from '../../src/data/images.ts';
import { mnistNet, page3, resnet18, tanhAvg } from '../../src/models/index.ts';
import type { Model } from '../../src/network.ts';
import type { OptimizerName } from '../../src/optimizer.ts';
import { random } from '../../src/random.ts';
import { size } from '../../src/tensor.ts';
import { packagedMnist } from '../packagedMnist.ts';

/** What is trained, the same for all: scripts/bench/pytorch.py has these networks and numbers too. */
export interface Work {
  readonly model: Model;
  /** Images of a step. */
  readonly batch: number;
  readonly optimizer: OptimizerName;
  readonly rate: number;
  readonly optimizerOptions?: { readonly momentum: number };
}

const M4 = (side: number): Work => ({
  model: resnet18({ classes: 3, input: [3, side, side] }),
  ...{ batch: 8, optimizer: 'sgd', rate: 0.01, optimizerOptions: { momentum: 0.9 } },
});

export const works = {
  M1: { model: page3, batch: 16, optimizer: 'sgd', rate: 0.005 },
  M2: { model: mnistNet, batch: 64, optimizer: 'adam', rate: 0.001 },
  M3: { model: tanhAvg, batch: 32, optimizer: 'sgd', rate: 0.01 },
  'M4/64': M4(64),
  'M4/224': M4(224),
} as const satisfies Record<string, Work>;

export type WorkName = keyof typeof works;

/** 'mnistNet 1×28×28, batches of 64, adam at rate 0.001' */
export const describe = ({ model, batch, optimizer, rate, optimizerOptions }: Work): string =>
  `${model.name} ${model.input.join('×')}, batches of ${batch}, ${optimizer} at rate ${rate}` +
  (optimizerOptions ? `, momentum ${optimizerOptions.momentum}` : '');

/** Of photographs there are as many as two steps take. */
const PHOTOGRAPHS = 16;

let digits: Images | undefined;

/** MNIST's training images; or, for a network that sees other ones, random bytes of the seed. */
export function picturesFor({ model: { input } }: Work, seed: number): Images {
  digits ??= mnist(packagedMnist()).train;
  if (`${input}` === `${digits.shape}`) return digits;
  const { uniform } = random(seed, 1);
  const bytes = Uint8Array.from({ length: PHOTOGRAPHS * size(input) }, () => 256 * uniform());
  return { shape: input, pixels: bytes, labels: Uint8Array.from({ length: PHOTOGRAPHS }, (_, n) => n % 3) };
}
