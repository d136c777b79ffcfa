import { batchOf, type Images } from '../../src/data/images.ts';
import { initialize } from '../../src/initialize.ts';
import { implementations } from '../../src/layers.ts';
import { lossAndGradients, parameterShapes, updateStatistics, type Parameters } from '../../src/network.ts';
import { optimizers, optimizerState, type Optimizer } from '../../src/optimizer.ts';
import { random } from '../../src/random.ts';
import type { Build } from '../../src/simd/compile.ts';
import { Engine } from '../../src/simd/engine/engine.ts';
import { bestBuild } from '../../src/simd/instantiate.ts';
import { inputOf } from '../../src/train.ts';
import { repeat, watched, type Competitor } from './interleave.ts';
import { multiplyAdds } from './multiplyAdds.ts';
import { peers, type Peer, type PeerName } from './peer.ts';
import { picturesFor, works, type Work, type WorkName } from './works.ts';

export type ImplementationName = 'naive' | 'vectorized' | 'simd' | PeerName;

/** An implementation that trains a network. */
export interface Trainer extends Competitor {
  readonly implementation: ImplementationName;
  readonly threads: number;
  /** Whether it multiplies and adds in one go; null where it is not ours to say. */
  readonly fma: boolean | null;
  /** Images of a step: fewer than the work has where a step would take too long. */
  readonly batch: number;
  readonly close: () => Promise<void>;
}

/** Who needs more seconds for an image is left out; without a trial, who would if all went as M1 does: large networks go better. */
const [LONGEST, FORESEEN] = [5, 30];

/** A step may take as long as so many turns; if it would take longer, it has fewer images. */
const TURNS = 2;

/** The seconds in which it is found out how slow an implementation is: once to warm up, and once. */
const TRIAL = 0.1;

/** Images after images of the set, over and over: the positions of each batch. */
function turns({ labels: { length } }: Images, batch: number): () => Uint32Array {
  let at = 0;
  return () => {
    const positions = Uint32Array.from({ length: batch }, (_, i) => at + i);
    at = (at + batch) % (length - batch + 1);
    return positions;
  };
}

async function simd(work: Work, pictures: Images, seed: number, threads: number, build: Build): Promise<Trainer> {
  const { model, batch, optimizer, optimizerOptions = {}, rate } = work;
  const parameters = initialize(model, random(seed));
  const engine = await Engine.of(model, parameters, { batch, threads, build, optimizer, optimizerOptions });
  const stream = random(seed);
  let next: () => Uint32Array;
  return {
    ...{ implementation: 'simd', threads, fma: build === 'fma', batch },
    async prepare() {
      next = turns(pictures, batch);
      await engine.load(parameters);
    },
    work: (seconds) =>
      repeat(seconds, async () => {
        await engine.step(pictures, next(), stream, rate);
        return batch;
      }),
    close: () => engine.close(),
  };
}

type Reference = 'naive' | 'vectorized';

function reference(implementation: Reference, work: Work, pictures: Images, seed: number, batch: number): Trainer {
  const { model, optimizerOptions = {}, rate } = work;
  const layers = implementations[implementation];
  const optimizer: Optimizer = optimizers[work.optimizer];
  const first = initialize(model, random(seed));
  const learns = Object.keys(parameterShapes(model));
  const stream = random(seed);
  let parameters: Parameters;
  let learning: Parameters;
  let state: ReturnType<typeof optimizerState>;
  let next: () => Uint32Array;
  const step = () => {
    const { x, labels } = batchOf(pictures, next());
    const mode = { training: stream };
    const { gradients, tape } = lossAndGradients(layers, model, parameters, inputOf(model, x), labels, mode);
    optimizer(learning, gradients, state, { ...optimizerOptions, rate });
    updateStatistics(layers, tape, parameters);
    return batch;
  };
  return {
    ...{ implementation, threads: 1, fma: false, batch },
    async prepare() {
      const copies = Object.entries(first).map(([name, { shape, data }]) => [name, { shape, data: data.slice() }]);
      parameters = Object.fromEntries(copies);
      learning = Object.fromEntries(learns.map((name) => [name, parameters[name]]));
      state = optimizerState();
      next = turns(pictures, batch);
    },
    work: (seconds) => repeat(seconds, step),
    close: async () => {},
  };
}

function peerTrainer(peer: Peer, work: WorkName, threads: number, batch: number): Trainer {
  return {
    ...{ implementation: peer.name, threads, fma: null, batch },
    async work(seconds) {
      const { images, ...times } = await peer.ask({ work, threads, seconds, batch });
      return { amount: images, ...times };
    },
    close: async () => {},
  };
}

/** Seconds of CPU time that it takes for an image. */
async function secondsOfImage(trainer: Trainer): Promise<number> {
  await trainer.prepare?.();
  await trainer.work(TRIAL);
  const { cpuSeconds, amount } = await watched(() => trainer.work(TRIAL));
  return cpuSeconds / amount;
}

/** Images of a step of M1 in which it is found out: enough that the optimizer, which takes as long for one, hardly counts. */
const FEW = 4;

/** Seconds that slow implementations take for an image of M1. */
const paces = new Map<ImplementationName, number>();

/**
 * Whoever trains a network, of the implementations that are asked for; and, in a sentence each, who does not, or only on fewer images
 * a step, and why.
 */
export async function trainers(
  name: WorkName,
  chosen: readonly ImplementationName[],
  running: readonly Peer[],
  { seed, seconds }: { readonly seed: number; readonly seconds: number },
): Promise<{ trainers: readonly Trainer[]; notes: readonly string[] }> {
  const work: Work = works[name];
  const pictures = picturesFor(work, seed);
  const [found, notes]: [Trainer[], string[]] = [[], []];

  /** With as many images a step as there is time for; M1 says beforehand whether there is for one. */
  const slow = async (implementation: ImplementationName, of: (work: WorkName, batch: number) => Trainer) => {
    if (!paces.has(implementation)) paces.set(implementation, await secondsOfImage(of('M1', FEW)));
    const foreseen = (paces.get(implementation)! * multiplyAdds(work.model)) / multiplyAdds(works.M1.model);
    const leftOut = (why: string) => void notes.push(`${implementation} is left out: ${why}`);
    if (foreseen > FORESEEN) return leftOut(`going by M1, an image would take it up to ${Math.round(foreseen)} s`);
    const ofImage = await secondsOfImage(of(name, 1));
    if (ofImage > LONGEST) return leftOut(`an image takes it ${Math.round(ofImage)} s`);
    const batch = Math.max(1, Math.min(work.batch, Math.floor((TURNS * seconds) / ofImage)));
    if (batch < work.batch)
      notes.push(
        `${implementation} has ${batch} ${batch === 1 ? 'image' : 'images'} a step: each takes it about ${ofImage.toPrecision(1)} s`,
      );
    found.push(of(name, batch));
  };

  for (const implementation of ['naive', 'vectorized'] as const)
    if (chosen.includes(implementation))
      await slow(implementation, (work, batch) =>
        reference(implementation, works[work], picturesFor(works[work], seed), seed, batch),
      );
  if (chosen.includes('simd')) {
    const builds = bestBuild() === 'fma' ? (['plain', 'fma'] as const) : (['plain'] as const);
    for (const build of builds)
      for (const threads of [1, 2]) found.push(await simd(work, pictures, seed, threads, build));
    if (builds.length === 1) notes.push('simd has no fused multiply-add here: this Node has no relaxed SIMD');
  }
  for (const peer of running)
    if (peer.name === 'pytorch')
      for (const threads of peers.pytorch.threads) found.push(peerTrainer(peer, name, threads, work.batch));
    else if (name.startsWith('M4')) notes.push(`${peer.name} is left out: it has no ResNet-18 here`);
    else await slow(peer.name, (work, batch) => peerTrainer(peer, work, 1, batch));
  return { trainers: found, notes };
}
