import fc from 'fast-check';

/** The seed of every random case: from the environment, or a new one. vitest.config.ts prints it. */
export const seed = Number(process.env.SEED ?? Date.now() % 1_000_000_007);

fc.configureGlobal({ seed });
