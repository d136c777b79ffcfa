import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packagedMnist } from '../packagedMnist.ts';
import type { WorkName } from './works.ts';

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));

/** The programs that know the same networks, where each may be found, and what is missing if none runs. */
export const peers = {
  pytorch: {
    commands: ['python3', '/usr/bin/python3'].map((python) => [python, beside('pytorch.py')]),
    missing: 'PyTorch is not installed, expected a python3 that can import torch',
    threads: [1, 2],
  },
  tfjs: {
    commands: [[process.execPath, '--import', import.meta.resolve('tsx'), beside('tfjs.ts')]],
    missing: 'TensorFlow.js is not installed, expected it after npm install --no-save @tensorflow/tfjs',
    threads: [1],
  },
} as const;

export type PeerName = keyof typeof peers;

/** What a peer is asked. Fewer images a step than usual, where a step would take too long; 0 seconds for a single step. */
export interface Question {
  readonly work: WorkName;
  readonly threads: number;
  readonly seconds: number;
  readonly batch?: number;
}

export interface Answer {
  readonly images: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** Another program that trains the same networks, in a process of its own: a line of JSON is asked, a line of JSON is the answer. */
export class Peer {
  readonly name: PeerName;
  readonly version: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #said: () => string;

  private constructor(name: PeerName, version: string, { child, lines, said }: Awaited<ReturnType<typeof begin>>) {
    this.name = name;
    this.version = version;
    this.#child = child;
    this.#lines = lines;
    this.#said = said;
  }

  /** @throws RangeError if it is not installed */
  static async start(name: PeerName): Promise<Peer> {
    for (const [command, ...args] of peers[name].commands) {
      const begun = await begin(command, [...args, packagedMnist()]);
      const { value } = await begun.lines.next();
      if (value !== undefined) return new Peer(name, (JSON.parse(value) as { version: string }).version, begun);
    }
    throw new RangeError(`--peer ${name}: ${peers[name].missing}`);
  }

  /** @throws PeerDied */
  async ask(question: Question): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    const { value } = await this.#lines.next();
    if (value === undefined) throw new PeerDied(`the peer ${this.name} has died: ${this.#said() || 'it said nothing'}`);
    return JSON.parse(value) as Answer;
  }

  close(): void {
    this.#child.kill();
  }
}

/** One sentence on stderr is enough: it is no defect of this program. */
export class PeerDied extends Error {}

/** A process, the lines it writes, and the last line of its complaints. Where there is no such command, there are no lines. */
async function begin(command: string, args: readonly string[]) {
  const child = spawn(command, args);
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));
  child.stdin.on('error', () => {}); // it has died: its lines end, too
  child.on('error', () => child.stdout.destroy());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return { child, lines, said: () => complaints.trimEnd().split('\n').at(-1)! };
}
