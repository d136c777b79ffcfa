import type { Picture } from '../../src/data/image.ts';
import { random } from '../../src/random.ts';
import { optional } from '../optional.ts';
import { photograph, type Scene } from './photograph.ts';
import { forms } from './strokes.ts';

const [white, gray, cream, board, slate] = [[250, 250, 248], [176, 176, 172], [226, 214, 186], [38, 62, 52], [48, 50, 54]] as const; // prettier-ignore
const [black, blue, red, pencil, chalk] = [[24, 24, 28], [28, 44, 128], [170, 30, 40], [96, 96, 100], [232, 232, 226]] as const; // prettier-ignore

/** Every picture: its file, and its scene. */
export const samples: Readonly<Record<string, Scene>> = {
  // on gray paper, in the light of a lamp at one side
  '0.png': { strokes: forms.zero, height: 240, width: 200, size: 0.6, thickness: 0.07, paper: gray, ink: black, dimming: [0.3, 0.1], grain: 4 },
  '1.png': { strokes: forms.one, height: 220, width: 180, size: 0.62, thickness: 0.08, slant: 0.25, paper: gray, ink: black, dimming: [0.35, 0.4], grain: 4 },
  '2.png': { strokes: forms.two, height: 240, width: 240, size: 0.55, thickness: 0.08, slant: 0.1, paper: cream, ink: blue, dimming: [0.3, 0.75], grain: 4 },
  '3.png': { strokes: forms.three, height: 260, width: 220, size: 0.6, thickness: 0.08, slant: 0.1, paper: gray, ink: black, dimming: [0.35, 0.3], grain: 4 },
  '4.png': { strokes: forms.fourOpen, height: 240, width: 220, size: 0.58, thickness: 0.08, slant: 0.12, paper: gray, ink: blue, dimming: [0.3, 0.9], grain: 4 },
  '5.png': { strokes: forms.five, height: 240, width: 240, size: 0.55, thickness: 0.08, slant: 0.1, paper: cream, ink: black, dimming: [0.3, 0.2], grain: 4 },
  '6.png': { strokes: forms.six, height: 240, width: 200, size: 0.62, thickness: 0.08, slant: 0.08, paper: gray, ink: black, dimming: [0.35, 0.6], grain: 4 },
  '7.png': { strokes: forms.seven, height: 240, width: 220, size: 0.58, thickness: 0.08, slant: 0.05, paper: gray, ink: red, dimming: [0.3, 0.5], grain: 4 },
  '8.png': { strokes: forms.eight, height: 240, width: 200, size: 0.62, thickness: 0.08, slant: 0.1, paper: cream, ink: blue, dimming: [0.3, 0.8], grain: 4 },
  '9.png': { strokes: forms.nine, height: 240, width: 200, size: 0.62, thickness: 0.08, slant: 0.08, paper: gray, ink: black, dimming: [0.35, 0], grain: 4 },
  // what makes photographs hard
  '0-on-a-blackboard.jpg': { strokes: forms.zero, height: 420, width: 480, size: 0.5, thickness: 0.08, paper: board, ink: chalk, pressure: 0.7, dimming: [0.4, 0.2], grain: 7 },
  '1-with-a-flag-in-pencil.jpg': { strokes: forms.oneWithFlag, height: 480, width: 360, size: 0.5, thickness: 0.035, paper: white, ink: pencil, pressure: 0.75, dimming: [0.25, 0.3], grain: 6 },
  '2-with-a-loop-in-a-corner.jpg': { strokes: forms.twoWithLoop, height: 400, width: 520, size: 0.32, middle: [0.2, 0.25], thickness: 0.09, paper: cream, ink: blue, dimming: [0.3, 0.4], grain: 5 },
  '3-under-the-shadow-of-a-hand.jpg': { strokes: forms.three, height: 480, width: 400, size: 0.5, thickness: 0.07, slant: 0.1, paper: white, ink: black, shadow: [0.6, 0.5, 0.05, 0.01], grain: 4 },
  '4-with-a-marker.webp': { strokes: forms.fourClosed, height: 400, width: 360, size: 0.6, thickness: 0.17, paper: gray, ink: black, dimming: [0.3, 0.7], grain: 4 },
  '5-on-ruled-paper.jpg': { strokes: forms.five, height: 400, width: 400, size: 0.6, thickness: 0.08, paper: white, ink: black, dimming: [0.3, 0.15], grain: 4, ruled: [40, [182, 204, 226]] },
  '6-tiny.png': { strokes: forms.six, height: 36, width: 30, size: 0.62, thickness: 0.12, paper: gray, ink: black, dimming: [0.3, 0.4], grain: 4 },
  '7-crossed-under-a-soft-shadow.jpg': { strokes: forms.sevenCrossed, height: 440, width: 400, size: 0.5, thickness: 0.06, slant: 0.1, paper: white, ink: blue, shadow: [0.7, 0.45, 0.7, 0.08], grain: 5 },
  '8-large.jpg': { strokes: forms.eight, height: 1400, width: 1050, size: 0.5, thickness: 0.06, slant: 0.1, paper: cream, ink: black, vignette: 0.7, dimming: [0.2, 0.3], grain: 6 },
  '9-with-dark-corners.jpg': { strokes: forms.nine, height: 400, width: 480, size: 0.45, thickness: 0.07, slant: 0.15, paper: gray, ink: black, vignette: 0.85, grain: 6 },
  '2-among-crumbs.jpg': { strokes: forms.two, height: 400, width: 360, size: 0.55, thickness: 0.08, paper: gray, ink: black, dimming: [0.3, 0.6], grain: 5, specks: 25 },
  '3-transparent.png': { strokes: forms.three, height: 240, width: 220, size: 0.7, thickness: 0.06, slant: 0.1, paper: white, ink: black, transparent: true },
  '5-in-chalk-on-slate.png': { strokes: forms.five, height: 220, width: 200, size: 0.6, thickness: 0.1, slant: 0.15, paper: slate, ink: chalk, pressure: 0.8, dimming: [0.35, 0.6], grain: 6 },
  '7-in-a-dark-room.jpg': { strokes: forms.seven, height: 400, width: 360, size: 0.5, thickness: 0.07, paper: [74, 72, 70], ink: [22, 22, 24], dimming: [0.4, 0.9], grain: 4 },
}; // prettier-ignore

/** What a camera would see. */
export const sample = (name: string, seed: number): Picture =>
  photograph(samples[name], random(seed, Object.keys(samples).indexOf(name)));

/** The file of a sample, as the end of its name says: PNG, JPEG or WebP. */
export async function sampleFile(name: string, seed: number): Promise<Uint8Array> {
  const sharp = await optional('sharp');
  const { height, width, channels, pixels } = sample(name, seed);
  const picture = sharp(pixels, { raw: { height, width, channels } });
  if (name.endsWith('.jpg')) return picture.jpeg({ quality: 65 }).toBuffer();
  if (name.endsWith('.webp')) return picture.webp({ quality: 75 }).toBuffer();
  return picture.png({ compressionLevel: 9 }).toBuffer();
}
