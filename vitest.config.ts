import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Every run draws other random cases; CNN_SPEC_SEED=… npm test draws those of an earlier run again.
process.env.CNN_SPEC_SEED ??= `${Date.now() % 1_000_000_007}`;
if (!/^\d+$/.test(process.env.CNN_SPEC_SEED))
  throw new RangeError(`CNN_SPEC_SEED is ${process.env.CNN_SPEC_SEED}, expected an integer ≥ 0`);
console.log(`random cases from CNN_SPEC_SEED=${process.env.CNN_SPEC_SEED}`);

export default defineConfig({
  test: {
    // The same library in one file, which loads in a twentieth of the time.
    alias: { mathjs: fileURLToPath(import.meta.resolve('mathjs/lib/browser/math.js')) },
    include: ['spec/**/*.spec.ts'],
    setupFiles: ['spec/seed.ts'],
    testTimeout: 300_000, // nothing here is timed: the default of 5 s would be a test of the machine
    hookTimeout: 300_000,
    maxWorkers: '100%', // by default one core stays idle, of two
    isolate: false, // no test changes a module: loading mathjs once a worker saves ten seconds
  },
});
