import { cifar10 } from './cifar10.ts';
import { csvDirectory, type CsvOptions } from './csv.ts';
import type { Images } from './images.ts';
import { mnist } from './mnist.ts';

/** Reads the training and test pictures of a directory. */
export type Reader = (directory: string, options?: CsvOptions) => Promise<{ train: Images; test: Images }>;

/** The forms in which a directory may hold a set of pictures. */
export const formats: Readonly<Record<'idx' | 'csv' | 'cifar10', Reader>> = {
  idx: async (directory) => mnist(directory),
  csv: csvDirectory,
  cifar10: async (directory) => cifar10(directory),
};
