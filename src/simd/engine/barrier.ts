/** Where all threads wait for each other: a few integers in their shared memory. */
export class Barrier {
  /** How many integers. */
  static readonly NUMBERS = 3;
  /** How often it looks before it sleeps: a tenth of a millisecond, which is longer than a thread waits in a step of a small network. */
  static readonly #LOOKS = 10_000;
  readonly #control: Int32Array;
  readonly #threads: number;
  #phase = 0;

  constructor(memory: WebAssembly.Memory, at: number, threads: number) {
    this.#control = new Int32Array(memory.buffer, at, Barrier.NUMBERS);
    this.#threads = threads;
  }

  /** The number of the program that is next. */
  get number(): number {
    return Atomics.load(this.#control, NUMBER);
  }

  set number(value: number) {
    Atomics.store(this.#control, NUMBER, value);
  }

  /** Says that this thread has come; gives whether all have, within the time of some looks. */
  arrive(): boolean {
    this.#phase = Atomics.load(this.#control, PHASE);
    if (Atomics.add(this.#control, ARRIVED, 1) === this.#threads - 1) {
      Atomics.store(this.#control, ARRIVED, 0);
      Atomics.add(this.#control, PHASE, 1);
      Atomics.notify(this.#control, PHASE);
      return true;
    }
    for (let i = 0; i < Barrier.#LOOKS; i++) if (Atomics.load(this.#control, PHASE) !== this.#phase) return true;
    return false;
  }

  /**
   * After arrive: sleeps until all have come, or for so many milliseconds or less; gives whether they have. What wakes it may be
   * the notification of the barrier before, late: the phase alone tells.
   */
  passed(milliseconds = Infinity): boolean {
    Atomics.wait(this.#control, PHASE, this.#phase, milliseconds);
    return Atomics.load(this.#control, PHASE) !== this.#phase;
  }
}

const [PHASE, ARRIVED, NUMBER] = [0, 1, 2];
