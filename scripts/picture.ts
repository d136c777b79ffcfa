import type { Picture } from '../src/data/image.ts';
import { optional } from './optional.ts';
import { readWhole, writeWhole } from './script.ts';

const EXPECTED = 'a picture: PNG, JPEG or WebP';
const formats = ['png', 'jpeg', 'webp'];
/** More pixels than cameras have. */
const MOST = 50_000_000;
/** Bytes of an interlaced or progressive picture, which is decoded whole; most others are made smaller row by row. */
const WHOLE = 75_000_000;

/**
 * A PNG, JPEG or WebP file as 8-bit red, green, blue and, if it has one, alpha; turned as its camera says, and made smaller
 * if one of its sides is longer than `most` pixels.
 * @throws RangeError if there is no such file, it is damaged, too large or no picture, or sharp is not installed
 */
export async function readPicture(path: string, most = MOST): Promise<Picture> {
  const bytes = readWhole(path, EXPECTED);
  const sharp = await optional('sharp');
  const { format, width, height, channels, depth, isProgressive } = await decoded(`${path} is no picture`, () =>
    sharp(bytes, { limitInputPixels: false }).metadata(),
  );
  if (!formats.includes(format)) throw new RangeError(`${path} is of the format ${format}, expected ${EXPECTED}`);
  if (width * height > MOST)
    throw new RangeError(`${path} has ${width}×${height} pixels, expected at most ${MOST.toLocaleString('en')}`);
  const bytesPerPixel = channels * (depth === 'ushort' ? 2 : 1);
  if (isProgressive && width * height * bytesPerPixel > WHOLE)
    throw new RangeError(
      `${path} is ${format === 'png' ? 'interlaced' : 'progressive'} and has ${width}×${height} pixels of ${bytesPerPixel} bytes, ` +
        `expected at most ${WHOLE.toLocaleString('en')} bytes`,
    );
  const { data, info } = await decoded(`${path} is damaged: it cannot be decoded to its end`, () =>
    sharp(bytes)
      .autoOrient()
      .resize({ height: most, width: most, fit: 'inside', withoutEnlargement: true })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true }),
  );
  return { height: info.height, width: info.width, channels: info.channels as Picture['channels'], pixels: data };
}

/** What the decoder gives; if it fails, at once or later, one sentence. */
async function decoded<T>(failed: string, decode: () => Promise<T>): Promise<T> {
  try {
    return await decode();
  } catch {
    throw new RangeError(`${failed}, expected ${EXPECTED}`);
  }
}

/** Writes a picture as a PNG file, whole or not at all. */
export async function writePicture(path: string, { height, width, channels, pixels }: Picture): Promise<void> {
  const sharp = await optional('sharp');
  writeWhole(path, await sharp(pixels, { raw: { height, width, channels } }).png().toBuffer());
}
