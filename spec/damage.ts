import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { random } from '../src/random.ts';

/** Random choices, all from one seed. */
export class Chance {
  readonly #uniform: () => number;
  constructor(seed: number) {
    this.#uniform = random(seed % 2 ** 32).uniform;
    for (let i = 0; i < 20; i++) this.#uniform(); // until seeds that are alike give numbers that are not
  }
  /** An integer from 0 to below − 1. */
  below(below: number): number {
    return Math.floor(below * this.#uniform());
  }
  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)];
  }
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
}

/** One way to damage a file: a name for reports, and what it makes of the bytes. */
export type Damage = readonly [name: string, (bytes: Uint8Array, chance: Chance) => Uint8Array];

const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** `count` bytes at a place are replaced. */
const put = (bytes: Uint8Array, at: number, count: number, by: Uint8Array) =>
  joined(bytes.subarray(0, at), by, bytes.subarray(at + count));

/** A place, more often than not in the first bytes: headers are there. */
const place = (bytes: Uint8Array, chance: Chance) =>
  chance.below(chance.of([Math.min(32, bytes.length), Math.min(256, bytes.length), bytes.length]) || 1);

const HUGE = [
  'ffffffff',
  '7fffffff',
  '80000000',
  '00000000',
  'ffffffffffffffff',
  '000000000000ff7f',
  '0000000000002000',
];

/** What can happen to any file. */
export const anyFile: readonly Damage[] = [
  [
    'bits flipped',
    (bytes, chance) => {
      const flipped = Uint8Array.from(bytes);
      for (let i = chance.below(8); i >= 0; i--) flipped[place(bytes, chance)] ^= 1 << chance.below(8);
      return flipped.subarray(0, bytes.length);
    },
  ],
  ['cut off', (bytes, chance) => bytes.subarray(0, chance.below(bytes.length + 1))],
  ['cut off near its end', (bytes, chance) => bytes.subarray(0, Math.max(0, bytes.length - 1 - chance.below(16)))],
  ['begun later', (bytes, chance) => bytes.subarray(place(bytes, chance))],
  ['emptied', () => new Uint8Array()],
  ['with bytes put in', (bytes, chance) => put(bytes, place(bytes, chance), 0, chance.bytes(1 + chance.below(20)))],
  ['with bytes left out', (bytes, chance) => put(bytes, place(bytes, chance), 1 + chance.below(20), new Uint8Array())],
  ['with other bytes', (bytes, chance) => put(bytes, place(bytes, chance), 8, chance.bytes(8))],
  [
    'with a huge number',
    (bytes, chance) => put(bytes, place(bytes, chance) & ~3, 4, Buffer.from(chance.of(HUGE), 'hex')),
  ],
  ['with its beginning twice', (bytes, chance) => joined(bytes.subarray(0, place(bytes, chance)), bytes)],
  ['twice', (bytes) => joined(bytes, bytes)],
  ['with more at its end', (bytes, chance) => joined(bytes, chance.bytes(1 + chance.below(5000)))],
  [
    'with a part that has moved',
    (bytes, chance) => {
      const [from, count] = [place(bytes, chance), chance.below(64)];
      return put(
        put(bytes, from, count, new Uint8Array()),
        place(bytes, chance),
        0,
        bytes.subarray(from, from + count),
      );
    },
  ],
  ['of random bytes', (_, chance) => chance.bytes(chance.below(2000))],
];

// ── Text ────────────────────────────────────────────────────────────────────

const asText = (change: (text: string, chance: Chance) => string) => (bytes: Uint8Array, chance: Chance) =>
  new TextEncoder().encode(change(Buffer.from(bytes).toString(), chance));

/** Some of the columns of some line replaced. */
const columns = (change: (columns: string[], chance: Chance) => void) =>
  asText((text, chance) => {
    const lines = text.split('\n');
    const at = chance.below(lines.length);
    const split = lines[at].split(',');
    change(split, chance);
    lines[at] = split.join();
    return lines.join('\n');
  });

const CELLS = ['', ' ', '256', '-1', '0.5', '1e3', '9'.repeat(400), '9'.repeat(40_000), 'NaN', '"7"', '"', "'", '\0', '\ufeff', '٣', '\r', '\t7', '0x10', '=1+1', '\x1b[2J', 'label', '💥', ' '.repeat(70_000)]; // prettier-ignore

export const csvFile: readonly Damage[] = [
  ['with another cell', columns((split, chance) => void (split[chance.below(split.length)] = chance.of(CELLS)))],
  ['with a column more', columns((split, chance) => void split.splice(chance.below(split.length), 0, '7'))],
  ['with a column less', columns((split, chance) => void split.splice(chance.below(split.length), 1))],
  ['with a line of one cell', columns((split, chance) => void split.splice(0, split.length, chance.of(CELLS)))],
  ['with names twice', asText((text) => `${text.split('\n')[0]}\n${text}`)],
  [
    'with an empty line',
    asText((text, chance) => text.replace('\n', chance.of(['\n\n', '\n\r\n', '\n'.repeat(5000)]))),
  ],
  ['with empty lines at its end', asText((text, chance) => text + '\n'.repeat(chance.below(5000)))],
  ['with line ends of Windows', asText((text) => text.replaceAll('\n', '\r\n'))],
  ['with line ends of old Macs', asText((text) => text.replaceAll('\n', '\r'))],
  ['with semicolons', asText((text) => text.replaceAll(',', ';'))],
  ['with tabs', asText((text) => text.replaceAll(',', '\t'))],
  ['in quotes', asText((text) => text.replace(/\w+/g, '"$&"'))],
  ['with a byte-order mark', asText((text) => `\ufeff${text}`)],
  ['with two byte-order marks', asText((text) => `\ufeff\ufeff${text}`)],
  ['in UTF-16', (bytes) => new Uint8Array(Buffer.from(Buffer.from(bytes).toString(), 'utf16le'))],
  ['in one line', asText((text) => text.replaceAll('\n', ','))],
  ['in one line of megabytes', asText((text) => text.replaceAll('\n', ',').repeat(Math.ceil(3e6 / (text.length + 1))))],
  ['with names in another order', asText((text) => text.replace(/label,(\w+)/, '$1,label'))],
];

// ── .gz ─────────────────────────────────────────────────────────────────────

/** What happens to a file before it is packed. */
export const packed = (damages: readonly Damage[]): readonly Damage[] =>
  damages.map(([name, change]) => [
    `packed, of a file ${name}`,
    (bytes, chance) => new Uint8Array(gzipSync(change(gunzipped(bytes), chance))),
  ]);

/** The bytes of a .gz file; its own if it has been damaged before. */
function gunzipped(bytes: Uint8Array): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: 1e7 });
  } catch {
    return bytes;
  }
}

const million = gzipSync(Buffer.alloc(1e6));
const lines = gzipSync(`${'0,'.repeat(784)}0\n`.repeat(600));
const feeds = gzipSync('\n'.repeat(1e6));
/** A .gz that unpacks to gigabytes: the same one again and again, which is one file of .gz's. */
const bomb = (part: Uint8Array) => joined(...Array<Uint8Array>(3000).fill(part));
export const gzFile: readonly Damage[] = [
  ['that unpacks to gigabytes of zeros', (bytes) => joined(bytes, bomb(million))],
  ['that unpacks to gigabytes of zeros at once', () => bomb(million)],
  ['that unpacks to gigabytes of lines', () => bomb(lines)],
  ['that unpacks to gigabytes of empty lines', (bytes) => joined(bytes, bomb(feeds))],
  ['that is packed twice', (bytes) => new Uint8Array(gzipSync(bytes))],
  ['that is not packed', (bytes) => gunzipped(bytes)],
  ['of two', (bytes) => joined(bytes, bytes)],
];

// ── IDX ─────────────────────────────────────────────────────────────────────

export const idxFile: readonly Damage[] = [
  ['with another size of an axis', (bytes, chance) => put(bytes, 4 + 4 * chance.below(3), 4, Buffer.from(chance.of(HUGE).slice(0, 8), 'hex'))], // prettier-ignore
  ['with another type or rank', (bytes, chance) => put(bytes, 2, 2, Uint8Array.of(chance.below(16), chance.below(5)))],
  ['with another label', (bytes, chance) => put(bytes, 8 + chance.below(3), 1, chance.bytes(1))],
];

// ── safetensors ─────────────────────────────────────────────────────────────

/** The header of a file changed, its length with it: what follows stays as it is. */
const header =
  (change: (text: string, chance: Chance) => string) =>
  (bytes: Uint8Array, chance: Chance): Uint8Array => {
    if (bytes.length < 8) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = 8 + Number(view.getBigUint64(0, true));
    const text = new TextEncoder().encode(change(Buffer.from(bytes.subarray(8, end)).toString(), chance));
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
    return joined(length, text, bytes.subarray(end));
  };

/** One match of a pattern, chosen at random, replaced. */
const one = (pattern: RegExp, by: (chance: Chance, match: string) => string) =>
  header((text, chance) => {
    const matches = [...text.matchAll(pattern)];
    if (matches.length === 0) return text;
    const { index, 0: match } = chance.of(matches);
    return text.slice(0, index) + by(chance, match) + text.slice(index + match.length);
  });

const NUMBERS = ['-1', '0', '1.5', '1e300', '9007199254740991', '9007199254740993', '4294967296', '1e999', '"7"', 'null', 'true', '[]', '{}', '[[1]]']; // prettier-ignore
const WEIGHTS = [NaN, Infinity, -Infinity, 1e300, -1, 3e38, -3e38, 0];

export const safetensorsFile: readonly Damage[] = [
  ['with another number in its header', one(/(?<=[[,])\d+/g, (chance) => chance.of(NUMBERS))],
  ['with a near number in its header', one(/(?<=[[,])\d+/g, (chance, match) => `${Number(match) + chance.of([-8, -4, -1, 1, 4, 8])}`)], // prettier-ignore
  ['with another dtype', one(/(?<="dtype":")\w+/g, (chance) => chance.of(['F16', 'BF16', 'F64', 'I64', 'U8', 'toString', '']))], // prettier-ignore
  ['with another word in its header', one(/"[^"]*"/g, (chance) => chance.of(['"__proto__"', '"__metadata__"', '""', '"x"', '"\\u0000"', '7', 'null']))], // prettier-ignore
  ['with an entry twice', one(/"[^"]*":\{"dtype[^}]*\},?/g, (_, match) => `${match.replace(/,?$/, ',')}${match}`)],
  ['with an entry less', one(/"[^"]*":\{"dtype[^}]*\},/g, () => '')],
  ['with one more', header((text) => text.replace('{', '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'))],
  ['without metadata', header((text) => text.replace(/"__metadata__":\{[^}]*\},/, ''))],
  ['of another model', one(/(?<="model":")\w+/g, (chance) => chance.of(['lenet5', 'page4', 'resnet18', 'toString']))],
  ['nested deeply', one(/(?<=:)[[{]/g, (chance, match) => chance.of(['[', '{"a":']).repeat(50_000) + match)],
  ['nested deeply to its end', one(/(?<=:)\[[^\]]*\]/g, (_, match) => '['.repeat(90_000) + match + ']'.repeat(90_000))],
  ['with blanks in its header', header((text, chance) => text + ' '.repeat(chance.of([7, 5000, 2_000_000])))],
  ['with a name of a megabyte', one(/(?<=")[\w.]+(?=":\{"dtype)/g, () => 'é'.repeat(400_000))],
  [
    'with another weight',
    (bytes, chance) => {
      const changed = Uint8Array.from(bytes);
      const at = bytes.length - 4 * (1 + chance.below(bytes.length / 4 - 1));
      if (at >= 0 && at + 4 <= bytes.length) new DataView(changed.buffer).setFloat32(at, chance.of(WEIGHTS), true);
      return changed;
    },
  ],
  [
    'with large weights',
    (bytes, chance) => {
      const changed = Uint8Array.from(bytes);
      const [view, value] = [new DataView(changed.buffer), chance.of(WEIGHTS)];
      for (let at = bytes.length - 4; at > bytes.length / 10; at -= 4) view.setFloat32(at, value, true);
      return changed;
    },
  ],
];

// ── PNG ─────────────────────────────────────────────────────────────────────

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}
const SIGNATURE = 8;

/** The chunks of a PNG file, as far as they are whole. */
function chunksOf(bytes: Uint8Array): Chunk[] {
  const view = Buffer.from(bytes);
  const chunks = [];
  for (let at = SIGNATURE; at + 12 <= bytes.length;) {
    const length = view.readUInt32BE(at);
    if (at + 12 + length > bytes.length) break;
    chunks.push({ type: view.toString('latin1', at + 4, at + 8), data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** And back, with lengths and checksums as they should be. */
const pngOf = (bytes: Uint8Array, chunks: readonly Chunk[]) =>
  joined(
    bytes.subarray(0, SIGNATURE),
    ...chunks.map(({ type, data }) => {
      const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
      const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
      length.writeUInt32BE(data.length);
      sum.writeUInt32BE(crc32(body));
      return joined(length, body, sum);
    }),
  );

const chunks = (change: (chunks: Chunk[], chance: Chance) => Chunk[]) => (bytes: Uint8Array, chance: Chance) => {
  const all = chunksOf(bytes);
  return all.length === 0 ? bytes : pngOf(bytes, change(all, chance));
};

/** The data of every chunk of one type changed. */
const each = (type: string, change: (data: Uint8Array, chance: Chance) => Uint8Array) =>
  chunks((all, chance) =>
    all.map((chunk) => (chunk.type === type ? { type, data: change(chunk.data, chance) } : chunk)),
  );

const number = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const SIDES = [0, 1, 2, 255, 3000, 7000, 65535, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const MARKS = ['acTL', 'fcTL', 'fdAT', 'tRNS', 'PLTE', 'gAMA', 'cHRM', 'iCCP', 'sRGB', 'tEXt', 'zTXt', 'iTXt', 'eXIf', 'bKGD', 'pHYs', 'IEND', 'IDAT', 'IHDR', 'abcd', 'ABCD', '\0\0\0\0']; // prettier-ignore

/** Damages of PNG files; `zeros` is a zlib stream that unpacks to many zeros. */
export const pngFile = (zeros: Uint8Array): readonly Damage[] => [
  ['with another width', each('IHDR', (data, chance) => put(data, 0, 4, number(chance.of(SIDES))))],
  ['with another height', each('IHDR', (data, chance) => put(data, 4, 4, number(chance.of(SIDES))))],
  ['with another depth, colour or interlacing', each('IHDR', (data, chance) => put(data, 8 + chance.below(5), 1, Uint8Array.of(chance.of([0, 1, 2, 3, 4, 6, 7, 8, 16, 255]))))], // prettier-ignore
  ['with pixels that do not unpack', each('IDAT', (data, chance) => put(data, chance.below(data.length), 1, chance.bytes(1)))], // prettier-ignore
  ['with fewer pixels', each('IDAT', (data, chance) => data.subarray(0, chance.below(data.length)))],
  ['whose pixels are a bomb', each('IDAT', () => zeros)],
  ['that is large and all zeros', chunks((all) => all.map(({ type, data }) => (type === 'IHDR' ? { type, data: put(put(data, 12, 1, Uint8Array.of(0)), 0, 8, Buffer.concat([number(7000), number(7000)])) } : type === 'IDAT' ? { type, data: zeros } : { type, data })))], // prettier-ignore
  ['with a text that is a bomb', chunks((all) => all.toSpliced(1, 0, { type: 'zTXt', data: joined(Buffer.from('a\0\0'), zeros) }))], // prettier-ignore
  ['with a profile that is a bomb', chunks((all) => all.toSpliced(1, 0, { type: 'iCCP', data: joined(Buffer.from('a\0\0'), zeros) }))], // prettier-ignore
  ['with two chunks exchanged', chunks((all, chance) => {
    const [a, b] = [chance.below(all.length), chance.below(all.length)];
    return all.with(a, all[b]).with(b, all[a]);
  })], // prettier-ignore
  ['with a chunk twice', chunks((all, chance) => all.toSpliced(chance.below(all.length), 0, chance.of(all)))],
  ['with a chunk less', chunks((all, chance) => all.toSpliced(chance.below(all.length), 1))],
  ['with a chunk of a thousand', chunks((all, chance) => all.toSpliced(1, 0, ...Array<Chunk>(1000).fill({ type: chance.of(MARKS), data: chance.bytes(chance.below(30)) })))], // prettier-ignore
  ['with a strange chunk', chunks((all, chance) => all.toSpliced(chance.below(all.length), 0, { type: chance.of(MARKS), data: chance.bytes(chance.below(60)) }))], // prettier-ignore
  ['that is animated', chunks((all, chance) => all.toSpliced(1, 0, { type: 'acTL', data: Buffer.concat([number(chance.of(SIDES)), number(0)]) }, { type: 'fcTL', data: Buffer.concat([0, 1, 1, 0, 0].map(number).concat(Buffer.alloc(6))) }))], // prettier-ignore
];
