import { expect, it } from 'vitest';
import { sgd } from '../src/optimizer.ts';
import { tensor } from '../src/tensor.ts';
import { expectTensor } from './close.ts';

it('golden: three steps of SGD at rate 0.1, in place', () => {
  // "ResNet-18 in NumPy", its equation; the numbers agree with PyTorch 1.13 (inventory F-14)
  const theta = tensor([1, -2, 0.5]);
  const gradients = [tensor([0.1, -0.2, 0.3]), tensor([0.2, 0.1, -0.4]), tensor([-0.3, 0.5, 0.1])];
  const after = [tensor([0.99, -1.98, 0.47]), tensor([0.97, -1.99, 0.51]), tensor([1, -2.04, 0.5])];
  gradients.forEach((gradient, step) => {
    sgd({ theta }, { theta: gradient }, 0.1);
    expectTensor('theta', theta, after[step], 2 ** -50); // three steps, two roundings each, of numbers up to 2.04
  });
  expect(gradients[0]).toEqual(tensor([0.1, -0.2, 0.3]));
});
