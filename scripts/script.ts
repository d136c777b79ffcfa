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
