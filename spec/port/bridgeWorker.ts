import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { BridgeData, Question, Reply } from './bridge.ts';

// Holds the program of a Bridge: starts it, writes to it a line that it is asked, and gives the line back that it writes.

const { command, replies, answered } = workerData as BridgeData;

/** Bytes of a line, at most, and of what is kept of stderr. */
const [MOST, LAST] = [2 ** 25, 2000];

/** How long one of two things that come together, the end of a program and of its stdout, waits for the other. */
const GRACE = 300;

let program: Program | undefined;
/** Whether somebody waits for a line. */
let asked = false;

function reply(message: Reply | undefined): void {
  if (message) replies.postMessage(message);
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
}

/** A program that runs. */
class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  /** What it has written beyond the last line that was asked for. */
  #rest: Buffer[] = [];
  #length = 0;
  #last = '';
  #exited: string | undefined;
  #whenGone: (() => void) | undefined;

  constructor() {
    const [file, ...args] = command;
    // A group of its own, so that what a shell has started ends with it.
    this.#child = spawn(file, args, { stdio: 'pipe', detached: true });
    const { stdin, stdout, stderr } = this.#child;
    stdin.on('error', () => {}); // it does not read any more: that it has ended says all
    stdout.on('data', (bytes: Buffer) => this.#take(bytes));
    stdout.on('end', () => setTimeout(() => this.#over('by closing its stdout'), GRACE));
    stderr.on('data', (bytes: Buffer) => {
      try {
        writeSync(2, bytes);
      } catch {} // stderr is full, or nobody reads it
      this.#last = (this.#last + bytes.toString()).slice(-LAST);
    });
    this.#child.on('error', (error: NodeJS.ErrnoException) =>
      this.#gone(`before it began: ${error.code === 'ENOENT' ? `there is no program ${file}` : error.message}`),
    );
    this.#child.on('exit', (code, signal) => {
      this.#exited = signal === null ? `with exit code ${code}` : `by ${signal}`;
      setTimeout(() => this.#gone(this.#exited!), GRACE); // a process of its own may hold stdout still
    });
    this.#child.on('close', () => this.#exited !== undefined && this.#gone(this.#exited));
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** A line that is there already; else it comes when it comes. */
  next(): void {
    if (this.#length > 0) this.#take(Buffer.alloc(0));
  }

  end(then: () => void): void {
    this.#whenGone = then;
    try {
      process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      this.#gone('');
    }
  }

  #take(bytes: Buffer): void {
    if (program !== this) return;
    this.#length += bytes.length;
    this.#rest.push(bytes);
    if (!asked) {
      if (this.#length > MOST) this.#child.stdout.pause(); // nobody waits for it
      return;
    }
    if (!bytes.includes(10) && bytes.length > 0) {
      if (this.#length > MOST) this.#over('', { endless: MOST });
      return;
    }
    const all = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest);
    const end = all.indexOf(10);
    [this.#rest, this.#length] = [[all.subarray(end + 1)], all.length - end - 1];
    if (end < 0) return void ([this.#rest, this.#length] = [[all], all.length]);
    this.#child.stdout.resume();
    asked = false;
    reply({ line: all.toString('utf8', 0, end) });
  }

  /** It cannot go on: ends it, unless it has ended by itself. */
  #over(why: string, message?: Reply): void {
    if (program !== this) return;
    if (this.#exited !== undefined) return;
    this.end(() => this.#say(message ?? { ended: why, last: this.#last }));
  }

  #gone(why: string): void {
    if (program !== this) return;
    program = undefined;
    const then = this.#whenGone;
    if (then) then();
    else this.#say({ ended: why, last: this.#last });
  }

  #say(message: Reply): void {
    if (!asked) return;
    asked = false;
    reply(message);
  }
}

parentPort!.on('message', (question: Question) => {
  if ('line' in question) {
    program ??= new Program();
    asked = true;
    program.write(question.line);
    return program?.next();
  }
  const done = () => {
    if (asked) {
      asked = false;
      reply(undefined);
    }
    reply(undefined);
  };
  if (program) program.end(done);
  else done();
});
