import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { instantiate } from '../instantiate.ts';
import { Barrier } from './barrier.ts';
import { all, bound } from './bound.ts';
import type { Start, Task } from './threads.ts';

// One of the threads beside the main one: waits for the number of a program, runs it, and waits for the next.

const { build, memory, control, threads } = workerData as Start;
const kernels = await instantiate(build, memory);
const barrier = new Barrier(memory, control, threads);
const programs: (readonly (() => void)[])[] = [];
const wait = () => {
  if (barrier.arrive()) return;
  while (!barrier.passed());
};

wait(); // the kernels are loaded
for (;;) {
  wait();
  for (let given; (given = receiveMessageOnPort(parentPort!));) {
    const { number, program } = given.message as Task;
    programs[number] = bound(kernels, program);
  }
  for (const call of programs[barrier.number])
    if (call === all) wait();
    else call();
  wait();
}
