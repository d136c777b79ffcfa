import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readCheckpoint, writeCheckpoint, type Checkpoint } from '../src/checkpoint.ts';
import { readWhole, writeWhole } from './script.ts';

/** What is known of a run after each of its epochs: shares in [0, 1], losses in nats, and seconds since training began. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly imagesPerSecond: number;
  readonly seconds: number;
}

const [CONFIG, METRICS, CHECKPOINT] = ['config.json', 'metrics.jsonl', 'checkpoint.safetensors'];

/** A folder that keeps a run: what was asked for, what came of each epoch, and from where the run can go on. */
export class RunFolder {
  readonly path: string;
  readonly metrics: EpochMetrics[];

  private constructor(path: string, metrics: EpochMetrics[]) {
    this.path = path;
    this.metrics = metrics;
  }

  /**
   * The name of a new folder for a run: this one; or runs/<name>, or runs/<name>-2, … where there are others.
   * @throws RangeError if it is there already
   */
  static free(path: string | undefined, name: string): string {
    let free = path ?? join('runs', name);
    for (let i = 2; path === undefined && existsSync(free); i++) free = join('runs', `${name}-${i}`);
    if (existsSync(free))
      throw new RangeError(
        `--run is ${JSON.stringify(free)}, which is there already, expected the name of a new folder`,
      );
    return free;
  }

  /**
   * Makes the folder of a run that begins.
   * @throws RangeError if it cannot be made
   */
  static begin(path: string, config: object): RunFolder {
    try {
      mkdirSync(dirname(path), { recursive: true });
      mkdirSync(path);
    } catch (error) {
      throw new RangeError(`--run is ${JSON.stringify(path)}, which cannot be made: ${(error as Error).message}`);
    }
    const folder = new RunFolder(path, []);
    folder.#write(CONFIG, `${JSON.stringify(config, null, 2)}\n`);
    return folder;
  }

  /**
   * The folder of an earlier run, and the checkpoint where it goes on. What was left half-written there is removed.
   * @throws RangeError if there is none, or one of its files is damaged
   */
  static resume(path: string): { readonly folder: RunFolder; readonly checkpoint: Checkpoint } {
    const file = join(path, CHECKPOINT);
    const checkpoint = readCheckpoint(file, readWhole(file, 'the checkpoint of a run of train-mnist.ts'));
    for (const [name, { shape }] of Object.entries(checkpoint.state.moments)) {
      const { parameters } = checkpoint;
      const of = name.slice(0, name.lastIndexOf('.'));
      if (!Object.hasOwn(parameters, of) || `${parameters[of].shape}` !== `${shape}`)
        throw new RangeError(
          `${file} has optimizer.${name} of shape (${shape.join(', ')}), expected that of a parameter ${of}`,
        );
    }
    for (const name of readdirSync(path)) if (name.endsWith('.part')) rmSync(join(path, name));
    return { folder: new RunFolder(path, metricsIn(join(path, METRICS), checkpoint.position.epoch)), checkpoint };
  }

  /** Where its checkpoint is. */
  get checkpoint(): string {
    return join(this.path, CHECKPOINT);
  }

  /** Keeps what came of an epoch. */
  add(metrics: EpochMetrics): void {
    this.metrics.push(metrics);
    this.#write(METRICS, this.metrics.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  /** Keeps where the run stands, in the place of the checkpoint before. */
  save(checkpoint: Checkpoint, dtype: 'F32' | 'F64'): void {
    writeWhole(this.checkpoint, writeCheckpoint(checkpoint, { dtype }));
  }

  #write(name: string, text: string): void {
    writeWhole(join(this.path, name), new TextEncoder().encode(text));
  }
}

/** The lines of the epochs before this one: a run that is killed may have written that of the next already. */
function metricsIn(path: string, epoch: number): EpochMetrics[] {
  if (!existsSync(path)) return [];
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as EpochMetrics).filter((line) => line.epoch < epoch);
  } catch {
    throw new RangeError(`${path} is damaged, expected a JSON object on every line`);
  }
}
