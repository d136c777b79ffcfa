import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { beginning } from '../../src/simd/engine/threads.ts';

/** A line that a program wrote, or why there is none. */
export type Reply =
  | { readonly line: string }
  /** It has ended: 'with exit code 3', 'by SIGSEGV'; and the last of what it wrote to stderr. */
  | { readonly ended: string; readonly last: string }
  /** It wrote so many bytes without the end of a line, and has been ended. */
  | { readonly endless: number }
  /** It said nothing for so many seconds, and has been ended. */
  | { readonly silent: number };

export interface BridgeData {
  readonly command: readonly string[];
  readonly replies: MessagePort;
  /** One integer: how many questions have been answered. */
  readonly answered: Int32Array;
}

/** What a worker is told: to ask a line, or to end the program. */
export type Question = { readonly line: string } | { readonly end: true };

/**
 * A foreign program that reads a line and writes a line, as a function that waits: a worker holds the program, and whoever asks
 * sleeps until there is an answer. The program starts when it is first asked, and again when it has ended.
 */
export class Bridge {
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  readonly #replies: MessagePort;
  readonly #worker: Worker;
  readonly #timeout: number;
  #asked = 0;

  /** @param timeout seconds to wait for a line */
  constructor(command: readonly string[], timeout: number) {
    const { port1, port2 } = new MessageChannel();
    this.#replies = port1;
    this.#timeout = timeout;
    const workerData: BridgeData = { command, replies: port2, answered: this.#answered };
    this.#worker = new Worker(beginning(import.meta.url, 'bridgeWorker'), {
      ...{ eval: true, execArgv: [], workerData, transferList: [port2] },
    });
    for (const each of [this.#worker, port1]) each.unref();
  }

  ask(line: string): Reply {
    const reply = this.#send({ line }, this.#timeout * 1000);
    if (reply) return reply;
    this.end();
    return { silent: this.#timeout };
  }

  /** Ends the program: the next question starts it anew. */
  end(): void {
    this.#send({ end: true }, 10_000);
    while (receiveMessageOnPort(this.#replies)); // it may have answered since
  }

  /** Ends the program, and the worker that held it. */
  async close(): Promise<void> {
    this.end();
    await this.#worker.terminate();
  }

  #send(question: Question, milliseconds: number): Reply | undefined {
    const before = this.#asked++;
    this.#worker.postMessage(question);
    const until = performance.now() + milliseconds;
    for (let now; (now = Atomics.load(this.#answered, 0)) <= before;)
      if (Atomics.wait(this.#answered, 0, now, until - performance.now()) === 'timed-out') return undefined;
    return receiveMessageOnPort(this.#replies)?.message as Reply | undefined;
  }
}
