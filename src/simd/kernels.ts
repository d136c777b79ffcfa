import { readFileSync } from 'node:fs';
import v8 from 'node:v8';
import type { Tensor } from '../tensor.ts'; // a type alone: a planted copy of tensor.ts needs no kernels of its own
import { compile, MOST_PAGES, pathOf, upToDate, type Build } from './compile.ts';

/** The functions of assembly/. Pointers are byte addresses in one memory, numbers there are float32. */
type Kernels = Readonly<Record<string, (...args: number[]) => number>>;

/** A module of one function, that returns f32x4.relaxed_madd of three vectors. */
const relaxed = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
);

/** Whether the engine has fused multiply-add: Node 22 has it, Node 20 behind a flag, which later versions do not know. */
export function hasRelaxedSimd(): boolean {
  if (WebAssembly.validate(relaxed)) return true;
  v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(relaxed);
}

/** The fastest build that the engine can run. */
export const bestBuild = (): Build => (hasRelaxedSimd() ? 'fma' : 'plain');

export let kernels: Kernels;
let memory: WebAssembly.Memory;
let first: number;
let top: number;

/** From now on the layers compute with this build, in a memory of its own. Compiles it first if it is not up to date. */
export async function use(build: Build): Promise<void> {
  if (!upToDate(build)) await compile(build);
  const empty = new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  const imports = { env: { memory: empty, abort() {} } };
  const { instance } = await WebAssembly.instantiate(readFileSync(pathOf(build)), imports);
  [kernels, memory] = [instance.exports as Kernels, empty];
  top = first = Math.ceil(kernels.firstFreeByte() / 64) * 64;
}

await use(bestBuild());

/** Forgets all that lies in the memory. Every layer begins with it. */
export function clear(): void {
  top = first;
}

/** Kernels read and write whole vectors: beyond the last number is room for a tile's eight. */
const BEYOND = 8;

/** The address of `count` zeros. */
export function room(count: number): number {
  const at = top;
  top = Math.ceil((at + 4 * (count + BEYOND)) / 64) * 64;
  const missing = top - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  new Float32Array(memory.buffer, at, (top - at) / 4).fill(0);
  return at;
}

/** The address of these numbers, rounded to float32. */
export function put({ data }: Pick<Tensor, 'data'>): number {
  const at = room(data.length);
  new Float32Array(memory.buffer, at, data.length).set(data);
  return at;
}

/** The address of 32-bit integers. */
export function putIntegers(values: readonly number[]): number {
  const at = room(values.length);
  new Int32Array(memory.buffer, at, values.length).set(values);
  return at;
}

/** The numbers at an address, as a tensor. */
export function take(at: number, shape: readonly number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float64Array.from(new Float32Array(memory.buffer, at, count)) };
}

/** What a kernel (…inputs, output, count, …constants) makes of tensors of one shape: a tensor of that shape. */
export function elementwise(name: string, inputs: readonly Tensor[], ...constants: readonly number[]): Tensor {
  clear();
  const [{ shape, data }] = inputs;
  const y = room(data.length);
  kernels[name](...inputs.map(put), y, data.length, ...constants);
  return take(y, shape);
}
