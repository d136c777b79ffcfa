import fc from 'fast-check';

// vitest.config.ts chose and printed it.
fc.configureGlobal({ seed: Number(process.env.SEED) });
