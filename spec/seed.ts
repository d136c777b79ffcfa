import fc from 'fast-check';

// vitest.config.ts chose the seed and printed it; a path, which a failing law prints, leads straight to its smallest case.
const { CNN_SPEC_SEED: seed, CNN_SPEC_PATH: path } = process.env;
const steps = path?.replace(/(\d+)x(\d+)/g, (_, step, times) => Array(Number(times)).fill(step).join(':'));
fc.configureGlobal({ seed: Number(seed), ...(steps !== undefined && { path: steps }) });
