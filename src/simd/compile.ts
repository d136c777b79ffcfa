import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** plain rounds a·b + c twice, fma once: that one needs an engine with relaxed SIMD. */
export type Build = 'plain' | 'fma';

const sources = new URL('./assembly/', import.meta.url);
const builds = new URL('./build/', import.meta.url);

/** Where the compiled kernels are. */
export const pathOf = (build: Build) => fileURLToPath(new URL(`${build}.wasm`, builds));

/** Whether a build is there, and younger than every source. */
export function upToDate(build: Build): boolean {
  const built = statSync(pathOf(build), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return readdirSync(sources).every((file) => statSync(new URL(file, sources)).mtimeMs <= built);
}

/** Bytes of the pages in which WebAssembly counts its memory. */
export const PAGE = 65536;

/** As many as 2 GiB has: addresses stay positive as 32-bit integers. */
export const MOST_PAGES = 32767;

/**
 * Compiles src/simd/assembly: some two seconds.
 * @throws Error with what the compiler says
 */
export async function compile(build: Build): Promise<void> {
  const { default: asc } = await import('assemblyscript/asc'); // a second of loading, that whoever finds a build is spared
  const files = new Map<string, string | Uint8Array>();
  const { error, stderr } = await asc.main(
    [
      'index.ts',
      ...['--baseDir', fileURLToPath(sources), '--outFile', 'out.wasm'],
      ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd,threads,relaxed-simd'],
      ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', `${MOST_PAGES}`],
      ...['--use', `FMA=${build === 'fma' ? 1 : 0}`],
    ],
    { writeFile: (name, contents) => void files.set(name, contents) },
  );
  if (error) throw new Error(`src/simd/assembly does not compile: ${error.message}\n${stderr.toString()}`);
  mkdirSync(builds, { recursive: true });
  const unfinished = `${pathOf(build)}.${process.pid}`; // others may be reading, or compiling too
  writeFileSync(unfinished, files.get('out.wasm')!);
  renameSync(unfinished, pathOf(build));
}
