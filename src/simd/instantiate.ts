import { readFileSync } from 'node:fs';
import v8 from 'node:v8';
import { compile, pathOf, upToDate, type Build } from './compile.ts';

/** The functions of assembly/. Pointers are byte addresses in one memory, numbers there are float32. */
export type Kernels = Readonly<Record<string, (...args: number[]) => number>>;

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

/** The kernels of a build, working in a memory. Compiles them first if they are not up to date. */
export async function instantiate(build: Build, memory: WebAssembly.Memory): Promise<Kernels> {
  if (build === 'fma') hasRelaxedSimd(); // sets the flag
  if (!upToDate(build)) await compile(build);
  const imports = { env: { memory, abort() {} } };
  const { instance } = await WebAssembly.instantiate(readFileSync(pathOf(build)), imports);
  return instance.exports as Kernels;
}
