import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { BridgeData, Question, Reply } from './bridge.ts';

// Holds the program of a Bridge: starts it, writes to it a line that it is asked, and gives the line back that it writes.

const { command, replies, answered } = workerData as BridgeData;
const [file, ...args] = command;

/** Bytes of a line, at most, and of what is kept of stderr and of a line that did not end. */
const [MOST, LAST] = [2 ** 25, 2000];

/** How long one of two things that come together, the end of a program and of its stdout, waits for the other. */
const GRACE = 300;

/** Waits until nobody holds its stdin any more, which is when this process has ended, by whatever; then it ends a group. */
const GUARD = 'read -r nothing; kill -s KILL -- "-$0"';

let program: Program | undefined;
/** Whether somebody waits for a line. */
let asked = false;

function reply(message: Reply | undefined): void {
  if (message) replies.postMessage(message);
  Atomics.add(answered, 0, 1);
  Atomics.notify(answered, 0);
}

/** Tells whoever waits for a line. */
function say(message: Reply): void {
  asked = false;
  reply(message);
}

/** A program that runs, or has run and nobody has been told yet that it has ended. */
class Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #guard: ChildProcess | undefined;
  /** What it has written beyond the last line that was asked for, and whether the end of a line is in it. */
  #rest: Buffer[] = [];
  #length = 0;
  #hasLine = false;
  #last = '';
  #exited: string | undefined;
  /** Why it is being ended, if not because somebody wants it to. */
  #why: Reply | undefined;
  /** It has ended, and why. */
  #over: Reply | undefined;
  #whenOver = () => this.next();

  /** @throws Error if the system cannot start it */
  constructor() {
    // A group of its own, so that what a shell has started ends with it.
    this.#child = spawn(file, args, { stdio: 'pipe', detached: true });
    const { pid, stdin, stdout, stderr } = this.#child;
    if (pid !== undefined) {
      this.#guard = spawn('sh', ['-c', GUARD, `${pid}`], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
      this.#guard.on('error', () => {}); // without a shell whoever interrupts us ends the program by hand
    }
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => {}); // that it has ended says all
    stdout.on('data', (bytes: Buffer) => {
      this.#rest.push(bytes);
      this.#length += bytes.length;
      this.#hasLine ||= bytes.includes(10);
      this.next();
    });
    stdout.on('end', () =>
      setTimeout(() => this.#exited ?? this.#cut({ ended: 'by closing its stdout', ...this.#words() }), GRACE),
    );
    stderr.on('data', (bytes: Buffer) => {
      try {
        writeSync(2, bytes);
      } catch {} // stderr is full, or nobody reads it
      this.#last = (this.#last + bytes.toString()).slice(-LAST);
    });
    this.#child.on('error', (error) => this.#end(notBegun(error)));
    this.#child.on('exit', (code, signal) => {
      this.#exited = signal === null ? `with exit code ${code}` : `by ${signal}`;
      setTimeout(() => this.#end(this.#exited!), GRACE); // a process of its own may hold stdout still
    });
    this.#child.on('close', () => this.#exited !== undefined && this.#end(this.#exited));
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Gives the next line to whoever waits for it, once it is there; or says why none will come. */
  next(): void {
    if (program !== this) return;
    const { stdout } = this.#child;
    if (!asked) {
      if (this.#length > MOST) stdout.pause();
    } else if (this.#hasLine) {
      const all = this.#rest.length === 1 ? this.#rest[0] : Buffer.concat(this.#rest);
      const end = all.indexOf(10);
      this.#rest = [all.subarray(end + 1)];
      this.#length = this.#rest[0].length;
      this.#hasLine = this.#rest[0].includes(10);
      stdout.resume();
      say({ line: all.toString('utf8', 0, end) });
    } else if (this.#over) {
      program = undefined;
      say(this.#over);
    } else if (this.#length > MOST) this.#cut({ endless: MOST });
  }

  /** Ends it, with all that it has started. */
  end(then: () => void): void {
    if (this.#over) return then();
    this.#whenOver = then;
    if (!this.#kill()) this.#end('');
  }

  /** What it has written of a line that did not end. */
  get unfinished(): string {
    return Buffer.concat(this.#rest).toString('utf8', 0, LAST);
  }

  #words() {
    return { last: this.#last, unfinished: this.unfinished };
  }

  /** It cannot go on. */
  #cut(why: Reply): void {
    this.#why ??= why;
    if (!this.#kill()) this.#end('');
  }

  /** Whether there was something to end. */
  #kill(): boolean {
    try {
      return process.kill(-this.#child.pid!, 'SIGKILL');
    } catch {
      return false;
    }
  }

  #end(ended: string): void {
    if (this.#over) return;
    this.#over = this.#why ?? { ended, ...this.#words() };
    this.#kill(); // what it has started and left behind
    this.#guard?.kill('SIGKILL');
    this.#whenOver();
  }
}

/** Why a program did not start. */
function notBegun({ code, message }: NodeJS.ErrnoException): string {
  const why =
    code === 'EACCES'
      ? `${file} is no file that may be executed`
      : code !== 'ENOENT'
        ? message
        : existsSync(file)
          ? `there is no such program as the first line of ${file} names`
          : `there is no program ${file}`;
  return `before it began: ${why}`;
}

parentPort!.on('message', (question: Question) => {
  if ('line' in question) {
    asked = true;
    try {
      program ??= new Program();
    } catch (error) {
      return say({ ended: notBegun(error as Error), last: '', unfinished: '' });
    }
    program.write(question.line);
    return program.next();
  }
  const done = () => {
    const unfinished = program?.unfinished ?? '';
    program = undefined;
    if (asked) say({ silent: 0, unfinished });
    reply(undefined);
  };
  if (program) program.end(done);
  else done();
});

reply(undefined); // there is somebody to ask
