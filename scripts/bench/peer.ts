import { spawn } from 'node:child_process';
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
  readonly #talk: Awaited<ReturnType<typeof begin>>;
  /** Why it answers no more. */
  died: Error | undefined;

  private constructor(name: PeerName, version: string, talk: Awaited<ReturnType<typeof begin>>) {
    this.name = name;
    this.version = version;
    this.#talk = talk;
  }

  /** @throws RangeError if none of the commands runs */
  static async start(name: PeerName, commands: readonly (readonly string[])[] = peers[name].commands): Promise<Peer> {
    for (const [command, ...args] of commands) {
      const talk = begin(command, [...args, packagedMnist()]);
      const line = await talk.next();
      if (line !== undefined) return new Peer(name, (JSON.parse(line) as { version: string }).version, talk);
    }
    throw new RangeError(`--peer ${name}: ${peers[name].missing}`);
  }

  /** @throws Error if it has died, the one that is then `died` */
  async ask(question: Question): Promise<Answer> {
    this.#talk.say(`${JSON.stringify(question)}\n`);
    const line = await this.#talk.next();
    if (line !== undefined) return JSON.parse(line) as Answer;
    this.died = new Error(`the peer ${this.name} has died: ${this.#talk.complaint() || 'it does not say why'}`);
    throw this.died;
  }

  close(): void {
    this.#talk.end();
  }
}

/** Talks with a process, line by line. Where there is no such command, or it has ended, it says no line. */
function begin(command: string, args: readonly string[]) {
  const child = spawn(command, args);
  let complaints = '';
  child.stderr.on('data', (chunk) => (complaints += chunk));
  child.stdin.on('error', () => {}); // it has ended: so have its lines
  const ended = new Promise<undefined>((resolve) => child.on('error', () => resolve(undefined)));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    say: (line: string) => void child.stdin.write(line),
    next: () => Promise.race([ended, lines.next().then(({ value }) => value as string | undefined)]),
    complaint: () => complaints.trimEnd().split('\n').at(-1)!,
    end: () => void child.kill(),
  };
}
