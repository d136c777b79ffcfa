import { compile, upToDate } from '../src/simd/compile.ts';
import { script } from './script.ts';

// What `npm install` runs: the kernels of src/simd are there before anyone needs them. (They are compiled when missing, too.)
await script('compile', async () => {
  for (const build of ['plain', 'fma'] as const) if (!upToDate(build)) await compile(build);
});
