import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * Runs a script. Bad input, which is a RangeError, becomes one sentence on stderr and exit code 2; any other error is a
 * defect and keeps its stack.
 */
export async function script(name: string, run: () => Promise<void>): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough: | head
    throw error;
  });
  try {
    await run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exitCode = 2;
  }
}

/**
 * The options of the command line.
 * @throws RangeError that names what is not an option, and what is
 */
export function commandLine<T extends ParseArgsConfig & { options: object }>(config: T) {
  try {
    return parseArgs<T>(config);
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error)) throw error;
    const [sentence] = error.message.split(/\. |\.?\n/); // parseArgs goes on to explain shells
    const option = /'.*(--[a-z-]+)/.exec(sentence)?.[1];
    const names = Object.keys(config.options).map((name) => `--${name}`);
    const expected =
      error.code !== 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE'
        ? `one of ${names.join(', ')}`
        : `${option}${sentence.includes('does not take') ? '' : '=VALUE'}`;
    throw new RangeError(`${sentence}, expected ${expected}`);
  }
}

/** The value of an option that names one of `choices`. */
export function choose<T>(option: string, choices: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(choices, name))
    throw new RangeError(`${option} is ${JSON.stringify(name)}, expected one of ${Object.keys(choices).join(', ')}`);
  return choices[name];
}

/**
 * Says now, not after the work is done, that a file cannot be written where an option wants it.
 * @throws RangeError
 */
export function writable(option: string, path: string): void {
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new RangeError(`${option} is ${JSON.stringify(path)}, expected a file in a directory that exists`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new RangeError(`${option} is ${JSON.stringify(path)}, a directory, expected a file`);
}

/** Pictures and models of digits are far smaller. */
const MOST = 100_000_000;

/**
 * The bytes of a file that the command line names; `expected` is what it should be.
 * @throws RangeError if there is none, it cannot be read, or it is too large
 */
export function readWhole(path: string, expected: string): Uint8Array {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile())
    throw new RangeError(`${found ? `${path} is no file` : `there is no file ${path}`}, expected ${expected}`);
  if (found.size > MOST)
    throw new RangeError(
      `${path} has ${found.size.toLocaleString('en')} bytes, expected at most ${MOST.toLocaleString('en')}`,
    );
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RangeError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Writes a file whole or not at all: beside its place first, until it is on the disk, and then into it. */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, bytes, { flush: true });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new RangeError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

/** The value of an option that is an integer from `least` to `most`. */
export function integer(option: string, text: string, least: number, most = Infinity): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    const range = most === Infinity ? `≥ ${least}` : `from ${least} to ${most}`;
    throw new RangeError(`${option} is ${JSON.stringify(text)}, expected an integer ${range}`);
  }
  return value;
}

/** The value of an option that is a number from `least` to `most`. */
export function number(option: string, text: string, least: number, most = Infinity): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (!Number.isFinite(value) || value < least || value > most) {
    const range = most === Infinity ? `≥ ${least}` : `from ${least} to ${most}`;
    throw new RangeError(`${option} is ${JSON.stringify(text)}, expected a number ${range}`);
  }
  return value;
}

/** The value of an option that is a number above 0. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < Infinity))
    throw new RangeError(`${option} is ${JSON.stringify(text)}, expected a number above 0`);
  return value;
}
