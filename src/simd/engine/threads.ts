import { setImmediate } from 'node:timers/promises';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Build } from '../compile.ts';
import type { Kernels } from '../instantiate.ts';
import type { Workspace } from '../kernels.ts';
import { Barrier } from './barrier.ts';
import { all, bound } from './bound.ts';
import type { Program } from './program.ts';

/** What a worker gets once. */
export interface Start {
  readonly build: Build;
  readonly memory: WebAssembly.Memory;
  readonly control: number;
  readonly thread: number;
  readonly threads: number;
}

/** A program for one worker, under a number by which it is called from then on. */
export interface Task {
  readonly number: number;
  readonly program: Program;
}

/** What a worker does first: it loads the module `name` beside `here`, from its sources by what lets Node read TypeScript. */
export function beginning(here: string, name: string): string {
  const kind = extname(here);
  const load = `import(${JSON.stringify(new URL(`./${name}${kind}`, here).href)})`;
  if (kind !== '.ts') return load;
  const tsx = import.meta.resolve('tsx/esm/api');
  return `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return ${load}; })`;
}

/** Runs programs on all threads at once: this one, and workers beside it that compute in the same memory. */
export class Threads {
  readonly #kernels: Kernels;
  readonly #barrier: Barrier;
  readonly #workers: readonly Worker[];
  readonly #programs: (readonly (() => void)[])[] = [];
  #died: Error | undefined;

  private constructor(kernels: Kernels, barrier: Barrier, workers: readonly Worker[]) {
    this.#kernels = kernels;
    this.#barrier = barrier;
    this.#workers = workers;
    workers.forEach((worker, i) => {
      const died = (why: string) => (this.#died ??= new Error(`engine: thread ${i + 1} has died: ${why}`));
      worker.on('error', (error) => died(error instanceof Error ? error.message : `${error}`));
      worker.on('exit', (code) => died(`exit code ${code}`));
      worker.unref();
    });
  }

  /** @throws Error if a worker does not start */
  static async start(space: Workspace, build: Build, threads: number): Promise<Threads> {
    const control = space.room(Barrier.NUMBERS);
    const others = Array.from({ length: threads - 1 }, (_, i) => i + 1);
    const workers = others.map((thread) => {
      const workerData: Start = { build, memory: space.memory, control, thread, threads };
      return new Worker(beginning(import.meta.url, 'worker'), { eval: true, workerData, execArgv: [] });
    });
    const { kernels, memory } = space;
    const result = new Threads(kernels, new Barrier(memory, control, threads), workers);
    await result.#all(); // have loaded their kernels
    return result;
  }

  /** Gives every thread its program; they are run by the number that is returned. */
  add(programs: readonly Program[]): number {
    const number = this.#programs.length;
    this.#workers.forEach((worker, i) => worker.postMessage({ number, program: programs[i + 1] } satisfies Task));
    this.#programs.push(bound(this.#kernels, programs[0]));
    return number;
  }

  /**
   * Runs a program on all threads, until the last has ended.
   * @throws Error if one dies
   */
  async run(number: number, watch?: (call: number, milliseconds: number) => void): Promise<void> {
    this.#barrier.number = number;
    await this.#all();
    const calls = this.#programs[number];
    for (let i = 0; i < calls.length; i++) {
      const began = watch ? performance.now() : 0;
      if (calls[i] === all) {
        if (!this.#barrier.arrive()) await this.#all(false);
      } else calls[i]();
      watch?.(i, performance.now() - began);
    }
    await this.#all();
  }

  async close(): Promise<void> {
    for (const worker of this.#workers) worker.removeAllListeners();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Waits for all; now and then looks whether they still live, for which Node has to get its turn. */
  async #all(arrive = true): Promise<void> {
    if (this.#died) throw this.#died;
    if (arrive && this.#barrier.arrive()) return;
    while (!this.#barrier.passed(50)) {
      await setImmediate();
      if (this.#died) throw this.#died;
    }
  }
}
