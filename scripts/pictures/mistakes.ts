import { batchOf, type Images } from '../../src/data/images.ts';
import { readings } from '../../src/predict.ts';
import type { Tensor } from '../../src/tensor.ts';
import { imageOf } from './layer.ts';
import { shifted, titled, together, type Page } from './drawPage.ts';

export interface Mistake {
  /** The position of the image. */
  readonly image: number;
  readonly label: number;
  readonly read: number;
  /** The probability of what was read. */
  readonly confidence: number;
}

/**
 * The images that were read wrongly, the most confident first, of equals the first; at most `count`.
 *
 *     probabilities (N, K)    labels: N classes
 */
export function worstMistakes(probabilities: Tensor, labels: Uint8Array, count = 25): readonly Mistake[] {
  return readings(probabilities)
    .map(({ digit, confidence }, image) => ({ image, label: labels[image], read: digit, confidence }))
    .filter(({ label, read }) => label !== read)
    .toSorted((a, b) => b.confidence - a.confidence)
    .slice(0, count);
}

/** '99 %'; what is not certain is not said to be: 99.9 % is the most. */
export function certainty(share: number): string {
  return share > 0.99
    ? `${Math.min(99.9, Math.floor(1000 * share) / 10).toFixed(1)} %`
    : `${Math.round(100 * share)} %`;
}

/** The mistakes in rows of five: each image with what it is and what was read below it. */
export function mistakesPage(
  title: string,
  images: Images,
  mistakes: readonly Mistake[],
  names: readonly string[],
): Page {
  const words = names.some((name) => name.length > 1);
  const across = words ? 220 : 184;
  const tiles = mistakes.map(({ image, label, read, confidence }, i) => {
    const { x } = batchOf(images, Uint32Array.of(image));
    const tile = imageOf(x, 140);
    const texts = [
      {
        text: `true ${names[label]}, read ${names[read]}${words ? '' : ` (${certainty(confidence)})`}`,
        y: tile.height + 18,
      },
      ...(words ? [{ text: `(${certainty(confidence)})`, y: tile.height + 36 }] : []),
    ].map((text) => ({ ...text, x: tile.width / 2, anchor: 'middle' as const, size: 13 }));
    const padded = shifted({ ...tile, texts }, 0, (across - tile.width) / 2);
    return shifted({ ...padded, height: padded.height + (words ? 48 : 30), width: across }, 8 + Math.floor(i / 5) * (tile.height + (words ? 60 : 42)), (i % 5) * across); // prettier-ignore
  });
  return titled(title, ['Wrongly read test images, the most confident mistake first.'], together(...tiles));
}
