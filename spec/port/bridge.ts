import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';
import { beginning } from '../../src/simd/engine/threads.ts';

/** A line that a program wrote, or why there is none; `unfinished` is what it wrote of a line that did not end. */
export type Reply =
  | { readonly line: string }
  /** It has ended: 'with exit code 3', 'by SIGSEGV'; and the last of what it wrote to stderr. */
  | { readonly ended: string; readonly last: string; readonly unfinished: string }
  /** It wrote so many bytes without the end of a line, and has been ended. */
  | { readonly endless: number }
  /** It did not end a line within so many seconds, and has been ended. */
  | { readonly silent: number; readonly unfinished: string };

export interface BridgeData {
  readonly command: readonly string[];
  readonly replies: MessagePort;
  /** One integer: how many questions have been answered; the first of them is whether the worker is there. */
  readonly answered: Int32Array;
}

/** What a worker is told: to ask a line, or to end the program. */
export type Question = { readonly line: string } | { readonly end: true };

/**
 * A foreign program that reads a line and writes a line, as a function that waits: a worker holds the program, and whoever asks
 * sleeps until there is an answer. The program starts when it is first asked, and again when whoever asks has been told that it
 * has ended. It never outlives this process.
 */
export class Bridge {
  readonly #answered = new Int32Array(new SharedArrayBuffer(4));
  readonly #replies: MessagePort;
  readonly #worker: Worker;
  readonly #timeout: number;
  #asked = 1; // whether it is there

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
    this.#reply(60_000); // the time until the worker is there is not the program's
  }

  ask(line: string): Reply {
    this.#send({ line });
    const reply = this.#reply(this.#timeout * 1000);
    if (reply) return reply;
    const left = this.end();
    return { silent: this.#timeout, unfinished: left && 'unfinished' in left ? left.unfinished : '' };
  }

  /** Ends the program: the next question starts it anew. If a line was asked for, the answer is what there is of it. */
  end(): Reply | undefined {
    this.#send({ end: true });
    const reply = this.#reply(10_000);
    while (receiveMessageOnPort(this.#replies)); // it may have answered since
    return reply;
  }

  /** Ends the program, and the worker that held it. */
  async close(): Promise<void> {
    this.end();
    await this.#worker.terminate();
  }

  #send(question: Question): void {
    this.#asked++;
    this.#worker.postMessage(question);
  }

  /** What is said to all that has been asked, or undefined if nothing is or it takes too long. */
  #reply(milliseconds: number): Reply | undefined {
    const until = performance.now() + milliseconds;
    for (let now; (now = Atomics.load(this.#answered, 0)) < this.#asked;)
      if (Atomics.wait(this.#answered, 0, now, until - performance.now()) === 'timed-out') return undefined;
    return receiveMessageOnPort(this.#replies)?.message as Reply | undefined;
  }
}
