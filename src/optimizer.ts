import type { Parameters } from './network.ts';

/** One step of stochastic gradient descent, in place: every parameter −= rate · its gradient. */
export function sgd(parameters: Parameters, gradients: Parameters, rate: number): void {
  for (const [name, { data }] of Object.entries(parameters)) {
    const gradient = gradients[name].data;
    for (let i = 0; i < data.length; i++) data[i] -= rate * gradient[i];
  }
}
