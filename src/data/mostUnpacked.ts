/** MNIST's largest file has 47 million bytes. */
const ALWAYS = 64 * 2 ** 20;
/** A set of pictures has five to ten times the bytes of its .gz file; zeros have a thousand times. */
const TIMES = 20;

/** How many bytes a .gz file of `packed` bytes may unpack to: beyond that it is no set of pictures, but made to fill the memory. */
export const mostUnpacked = (packed: number): number => Math.max(ALWAYS, TIMES * packed);

/** 'unpacks to more than 67,108,864 bytes, expected no more from 1,044' */
export const unpacksTooFar = (packed: number): string =>
  `unpacks to more than ${commas(mostUnpacked(packed))} bytes, expected no more from ${commas(packed)}`;

const commas = (count: number) => count.toLocaleString('en');
