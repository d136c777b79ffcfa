import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from './nearest.ts';

/** A run that failed though nothing was wrong with what it was given: a program that died, a disk that is full. */
export class RunError extends Error {}

/**
 * Runs a script. Bad input, which is a RangeError, becomes one sentence on stderr and exit code 2; a run that failed, which is
 * a RunError, one sentence and exit code 1. Any other error is a defect and keeps its stack, with exit code 1.
 */
export async function script(name: string, run: () => Promise<void>): Promise<void> {
  const say = (sentence: string) => void process.stderr.write(`${name}: ${sentence}\n`);
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough: | head
      if (stream === process.stdout) say(`stdout cannot be written: ${error.message}`);
      process.exit(1);
    });
  try {
    await run();
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof RunError)) throw error;
    say(error.message);
    process.exitCode = error instanceof RangeError ? 2 : 1;
  }
}

/**
 * The options of the command line; -h is --help.
 * @throws RangeError that names what is not an option, and what is
 */
export function commandLine<T extends ParseArgsConfig & { options: { help: { type: 'boolean' } } }>(config: T) {
  try {
    return parseArgs<T>({ ...config, options: { ...config.options, help: { ...config.options.help, short: 'h' } } });
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error)) throw error;
    const [sentence] = error.message.split(/\. |\.?\n/); // parseArgs goes on to explain shells
    const option = /'.*(--[a-z-]+)/.exec(sentence)?.[1];
    if (error.code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
      throw new RangeError(`${sentence}, expected ${option}${sentence.includes('does not take') ? '' : '=VALUE'}`);
    const [, typed] = /'-*(.*)'/.exec(sentence) ?? ['', ''];
    throw new RangeError(`${sentence}, ${oneOf(Object.keys(config.options), typed, '--')}`);
  }
}

/** 'did you mean lenet5? Expected one of dense, lenet5' if what was `typed` is near to one of the names, else 'expected one of …'. */
export function oneOf(names: readonly string[], typed: string, prefix = ''): string {
  const meant = nearest(typed, names);
  const expected = meant === undefined ? 'expected' : `did you mean ${prefix}${meant}? Expected`;
  return `${expected} one of ${names.map((name) => `${prefix}${name}`).join(', ')}`;
}

/** The value of an option that names one of `choices`. */
export function choose<T>(option: string, choices: Readonly<Record<string, T>>, name: string): T {
  if (!Object.hasOwn(choices, name))
    throw new RangeError(`${option} is ${JSON.stringify(name)}, ${oneOf(Object.keys(choices), name)}`);
  return choices[name];
}

/**
 * Says now, not after the work is done, that a file cannot be written where an option wants it.
 * @throws RangeError
 */
export function writable(option: string, path: string): void {
  const [folder, before] = [dirname(path), existsSync(path) ? statSync(path) : undefined];
  const said = `${option} is ${JSON.stringify(path)}`;
  if (!existsSync(folder) || !statSync(folder).isDirectory())
    throw new RangeError(`${said}, expected a file in a directory that exists`);
  if (before && !before.isFile())
    // it would be replaced, and /dev/null with it
    throw new RangeError(`${said}, ${before.isDirectory() ? 'a directory' : 'no regular file'}, expected a file`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new RangeError(`${said}, expected a file in a directory that can be written`);
  }
}

/** Pictures of digits are far smaller. */
const MOST = 100_000_000;

/**
 * The bytes of a file that the command line names; `expected` is what it should be.
 * @throws RangeError if there is none, it cannot be read, or it is too large
 */
export function readWhole(path: string, expected: string, most = MOST): Uint8Array {
  const found = existsSync(path) ? statSync(path) : undefined;
  if (!found?.isFile())
    throw new RangeError(`${found ? `${path} is no file` : `there is no file ${path}`}, expected ${expected}`);
  if (found.size > most)
    throw new RangeError(
      `${path} has ${found.size.toLocaleString('en')} bytes, expected at most ${most.toLocaleString('en')}`,
    );
  try {
    return readFileSync(path);
  } catch (error) {
    throw new RangeError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Writes a file whole or not at all: beside its place first, until it is on the disk, and then into it.
 * @throws RunError if there is no room for it, or it cannot be written for another reason: see writable
 */
export function writeWhole(path: string, bytes: Uint8Array): void {
  const beside = `${path}.${process.pid}.part`;
  try {
    writeFileSync(beside, bytes, { flush: true });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new RunError(`${path} cannot be written: ${(error as Error).message}`);
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
