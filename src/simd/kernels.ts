import type { Tensor } from '../tensor.ts'; // a type alone: a planted copy of tensor.ts needs no kernels of its own
import { MOST_PAGES, PAGE, type Build } from './compile.ts';
import { bestBuild, instantiate, type Kernels } from './instantiate.ts';

/** Kernels read and write whole vectors: beyond the last number is room for a tile's eight. */
const BEYOND = 8;

/** A memory that is filled from its beginning, and the kernels that compute in it. */
export class Workspace {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly #first: number;
  #top: number;

  private constructor(kernels: Kernels, memory: WebAssembly.Memory) {
    this.kernels = kernels;
    this.memory = memory;
    this.#top = this.#first = Math.ceil(kernels.firstFreeByte() / 64) * 64;
  }

  static async of(build: Build): Promise<Workspace> {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
    return new Workspace(await instantiate(build, memory), memory);
  }

  /** Forgets all that lies in the memory. */
  clear(): void {
    this.#top = this.#first;
  }

  /**
   * The address of `count` zeros.
   * @throws RangeError if the memory is full
   */
  room(count: number): number {
    const at = this.#top;
    this.#top = Math.ceil((at + 4 * (count + BEYOND)) / 64) * 64;
    const missing = this.#top - this.memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE));
    new Float32Array(this.memory.buffer, at, (this.#top - at) / 4).fill(0);
    return at;
  }

  #grow(pages: number): void {
    try {
      this.memory.grow(pages);
    } catch {
      const megabytes = Math.ceil(this.#top / 2 ** 20);
      throw new RangeError(`simd: ${megabytes} MB are needed, expected at most the ${(MOST_PAGES * PAGE) / 2 ** 20}`);
    }
  }

  /** The address of these numbers, rounded to float32. */
  put({ data }: Pick<Tensor, 'data'>): number {
    const at = this.room(data.length);
    this.floats(at, data.length).set(data);
    return at;
  }

  /** The address of 32-bit integers. */
  putIntegers(values: readonly number[]): number {
    const at = this.room(values.length);
    this.integers(at, values.length).set(values);
    return at;
  }

  /** The numbers at an address, as a tensor. */
  take(at: number, shape: readonly number[]): Tensor {
    const count = shape.reduce((a, b) => a * b, 1);
    return { shape, data: new Float64Array(this.floats(at, count)) };
  }

  /** The float32 numbers at an address, to read or write: until the memory grows. */
  floats(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count);
  }

  /** The 32-bit integers at an address, likewise. */
  integers(at: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, count);
  }
}

// ── What the layers compute with ────────────────────────────────────────────

export let kernels: Kernels;
let workspace: Workspace;

/** From now on the layers compute with this build, in a memory of its own. */
export async function use(build: Build): Promise<void> {
  workspace = await Workspace.of(build);
  ({ kernels } = workspace);
}

await use(bestBuild());

/** Every layer begins with it. */
export const clear = () => workspace.clear();
export const room = (count: number) => workspace.room(count);
export const put = (x: Pick<Tensor, 'data'>) => workspace.put(x);
export const putIntegers = (values: readonly number[]) => workspace.putIntegers(values);
export const take = (at: number, shape: readonly number[]) => workspace.take(at, shape);

/** What a kernel (…inputs, output, count, …constants) makes of tensors of one shape: a tensor of that shape. */
export function elementwise(name: string, inputs: readonly Tensor[], ...constants: readonly number[]): Tensor {
  clear();
  const [{ shape, data }] = inputs;
  const y = room(data.length);
  kernels[name](...inputs.map(put), y, data.length, ...constants);
  return take(y, shape);
}
