import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { Barrier } from '../src/simd/engine/barrier.ts';

const shared = () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });

it('the last to arrive passes, and so do the others', () => {
  const memory = shared();
  const [a, b] = [new Barrier(memory, 0, 2), new Barrier(memory, 0, 2)];
  for (let round = 0; round < 3; round++) {
    expect(a.arrive()).toBe(false);
    expect(a.passed(1)).toBe(false);
    expect(b.arrive()).toBe(true);
    expect(a.passed()).toBe(true);
  }
});

it('a notification that comes late, of the barrier before, lets nobody pass', async () => {
  const memory = shared();
  const barrier = new Barrier(memory, 0, 2);
  const late = new Worker(
    `const control = new Int32Array(require('node:worker_threads').workerData.buffer);
     for (;;) Atomics.notify(control, 0);`,
    { eval: true, workerData: memory },
  );
  await new Promise((resolve) => late.once('online', resolve));
  expect(barrier.arrive()).toBe(false);
  const began = performance.now();
  do expect(barrier.passed(100), 'passed, though the other has not arrived').toBe(false);
  while (performance.now() - began < 300); // it is woken at once, again and again
  await late.terminate();
});
