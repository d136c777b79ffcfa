#!/usr/bin/env node
import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { folder } from '../spec/golden.ts';
import { oneOf, script } from './script.ts';

const help = `An executable specification of convolutional networks, for whoever ports them.

  cnn-spec check [options] -- ./my-port arguments…   judges an implementation in any language; check --help says more
  cnn-spec explain conv2d                            how one number is computed, step by step; explain --help says more
  cnn-spec copy DIR                                  the fixtures alone, into a new folder DIR
  cnn-spec --help                                    this text
`;

await script('cnn-spec', async () => {
  const [command, ...rest] = process.argv.slice(2);
  switch (command) {
    case 'check':
      process.argv.splice(2, 1);
      await import('./check-port.ts');
      return;
    case 'explain':
      process.argv.splice(2, 1);
      await import('./explain.ts');
      return;
    case 'copy':
      return copy(rest);
    case undefined:
    case '--help':
      return void process.stdout.write(help);
    default:
      throw new RangeError(
        `there is no command ${JSON.stringify(command)}, ${oneOf(['check', 'explain', 'copy', '--help'], command)}`,
      );
  }
});

function copy([to, ...others]: readonly string[]): void {
  if (to === '--help') return void process.stdout.write(help);
  if (to === undefined || to.startsWith('-') || others.length > 0)
    throw new RangeError('copy takes one argument, expected the name of a new folder');
  if (existsSync(to)) throw new RangeError(`copy: ${to} is there already, expected the name of a new folder`);
  cpSync(fileURLToPath(folder), to, { recursive: true });
  process.stdout.write(`${to} has the fixtures; its README.md says how they are written\n`);
}
