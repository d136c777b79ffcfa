import { spawnSync } from 'node:child_process';
import { describe, it } from 'vitest';

/** The first of these programs that is not on this machine. */
export const missing = (...programs: readonly string[]): string | undefined =>
  programs.find((program) => !works(program, '--version'));

/** Whether a command ends with exit code 0. */
export const works = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;

/** The Python that has PyTorch: Debian's is not always the first on the path. */
export const torch = ['python3', '/usr/bin/python3'].find((python) => works(python, '-c', 'import torch'));

type Make = (title: string, body: () => unknown) => unknown;

/** `make` (describe, or it). Where a tool is missing one test that is skipped, whose name says so: it counts as no pass. */
export const needing = (missing: string | undefined, make: Make = describe as Make): Make =>
  missing === undefined ? make : (title) => it.skip(`NOT RUN, there is no ${missing}: ${title}`);
