import { Port } from '../spec/port/port.ts';
import { PortError } from '../spec/port/protocol.ts';

/**
 * A foreign program that runs, and has introduced itself.
 * @throws RangeError that says why it cannot be judged at all
 */
export function startPort(command: readonly string[], timeout?: number): Port {
  try {
    return new Port(command, timeout);
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new RangeError(`${command.join(' ')} ${error.message}`);
  }
}
