import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { Tensor } from '../src/tensor.ts';
import { missing, needing } from './needing.ts';
import { expectSameBits } from './close.ts';
import type { Verdict } from './port/check.ts';
import { decode, encode, endings, header } from './port/tensorFile.ts';

const root = fileURLToPath(new URL('../', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-export-'));
afterAll(() => rmSync(directory, { recursive: true }));

const special = [NaN, Infinity, -Infinity, 0, -0, 1, -2.5, 2 ** -149, Math.fround(0.1), Math.fround(3e38)];
const vector = (...values: number[]): Tensor => ({ shape: [values.length], data: Float64Array.from(values) });

describe('a tensor in a file', () => {
  it.each(endings)('%s: NaN, ±∞, −0 and every float32 come back as they are', (ending) => {
    for (const shape of [[10], [2, 5], [5, 1, 2], [1, 1, 1, 10]]) {
      const tensor = { shape, data: Float64Array.from(special) };
      expectSameBits('x', decode(`x.${ending}`, encode(ending, tensor, 'float32'), 'float32', shape), tensor);
    }
    const scalar = { shape: [], data: Float64Array.of(-0) };
    expectSameBits('x', decode(`x.${ending}`, encode(ending, scalar, 'float32'), 'float32', []), scalar);
  });

  it.each(['json', 'npy'] as const)('%s: every float64 comes back too', (ending) => {
    const tensor = vector(...special, 0.1, 1e-310, Number.MAX_VALUE);
    expectSameBits('x', decode(`x.${ending}`, encode(ending, tensor, 'float64'), 'float64'), tensor);
  });

  it('npy: what numpy.save writes of (2, 3) is written to the byte, and its integers and versions are read', () => {
    const numbers = Buffer.alloc(24);
    [1, 2, 3, 4, 5, 6].forEach((value, i) => numbers.writeInt32LE(value, 4 * i));
    const file = (version: number, descr: string) => {
      const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (2, 3), }`.padEnd(version === 1 ? 117 : 115);
      const length = version === 1 ? [118, 0] : [116, 0, 0, 0];
      const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), version, 0, ...length]);
      return Buffer.concat([start, Buffer.from(`${text}\n`), numbers]);
    };
    for (const version of [1, 2])
      expect(decode('y.npy', file(version, '<i4'), 'float32')).toEqual({ ...vector(1, 2, 3, 4, 5, 6), shape: [2, 3] });
    const written = encode('npy', { shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, 6) }, 'float32');
    expect(written.subarray(0, 128).toString('latin1')).toBe(file(1, '<f4').subarray(0, 128).toString('latin1'));
    expect(written.readFloatLE(128 + 20)).toBe(6);
  });

  it('hex: addresses, comments and capitals of $writememh are read', () => {
    const text = '// 0x00000000\n@00000000\n3F800000 /* 1 */ c0200000\n';
    expect(decode('y.hex', Buffer.from(text), 'float32', [1, 2])).toEqual({ ...vector(1, -2.5), shape: [1, 2] });
  });

  const npy = encode('npy', vector(1, 2), 'float32');
  const changed = (from: string, to: string) => Buffer.from(npy.toString('latin1').replace(from, to), 'latin1');
  it.each<[sentence: string, path: string, bytes: Buffer | string]>([
    ['y.npy is no npy file, expected one of numpy.save', 'y.npy', '[1, 2]'],
    ['y.npy is no npy file, expected one of numpy.save', 'y.npy', ''],
    ['y.npy is of npy version 3, expected 1 or 2', 'y.npy', changed('\x01\x00', '\x03\x00')],
    ['y.npy ends within its header, expected numbers', 'y.npy', npy.subarray(0, 9)],
    ['y.npy ends within its header, expected numbers', 'y.npy', npy.subarray(0, 50)],
    ['y.npy has 7 bytes of numbers, expected 8 for the shape (2)', 'y.npy', npy.subarray(0, npy.length - 1)],
    ['y.npy has 8 bytes of numbers, expected 12 for the shape (3)', 'y.npy', changed('(2,)', '(3,)')],
    ['y.npy is in Fortran order, expected C order (numpy.ascontiguousarray)', 'y.npy', changed('False', 'True ')],
    ['y.npy has numbers of type ">f4", expected one of <f4, <f8, <i4', 'y.npy', changed('<f4', '>f4')],
    [
      'y.hex has the word "xxxxxxxx", expected 8 hexadecimal digits, the bits of a float32',
      'y.hex',
      '3f800000 xxxxxxxx',
    ],
    ['y.hex has the word "1.5", expected 8 hexadecimal digits, the bits of a float32', 'y.hex', '1.5'],
    ['y.hex has 1 words, expected 2 for the shape (2)', 'y.hex', '3f800000\n'],
    ['y.json is "{\\"shape\\":[2],", expected JSON', 'y.json', '{"shape":[2],'],
    ['y.json holds [1,2], expected {"shape":[…],"data":[…]}', 'y.json', '[1,2]'],
    ['y.json holds shape (2) with 1 numbers, expected 2 of them', 'y.json', '{"shape":[2],"data":[1]}'],
  ])('error: %s', (sentence, path, bytes) => {
    expect(() => decode(path, Buffer.from(bytes as Buffer), 'float32', [2])).toThrow(sentence);
  });

  needing(missing('cc'), it)('c: NaN, ±∞, −0 and every float32 are what a compiler reads', () => {
    writeFileSync(
      join(directory, 'special.c'),
      `#include <math.h>\n#include <stdio.h>\n#include <string.h>\n${header('special', { x: vector(...special) }, { eps: 1e-5 })}
      int main(void) {
        for (int i = 0; i < special_x_shape[0]; i++) {
          unsigned bits;
          memcpy(&bits, &special_x[i], sizeof bits);
          printf("%08x\\n", bits);
        }
        return special_eps[0] != 1e-5;
      }\n`,
    );
    expect(run('cc', 'special.c', '-o', 'special').stderr).toBe('');
    const { stdout, status } = run('./special');
    expect(status).toBe(0);
    expectSameBits('x', decode('x.hex', Buffer.from(stdout), 'float32', [10]), vector(...special));
  });
});

const run = (command: string, ...args: string[]) => spawnSync(command, args, { cwd: directory, encoding: 'utf8' });
/** Outside vitest a spec file is its laws, and no tests: whoever asks them is a program of its own. */
const tsx = (...args: string[]) =>
  spawnSync('npx', ['tsx', ...args], { cwd: root, encoding: 'utf8', env: { ...process.env, VITEST: '' } });
const checkPort = (...args: string[]) => tsx('scripts/check-port.ts', ...args);

/** The owner of a port: whatever cases.json lists is computed by naive. */
const owner = (folder: string) => `
  {
    const { questions, dtype } = JSON.parse(readFileSync('${folder}/cases.json', 'utf8'));
    for (const { id, layer: name, directions, inputs, constants = {}, dy, options } of questions) {
      const read = (all) =>
        Object.fromEntries(
          Object.entries(all).map(([k, { file, shape }]) => {
            const path = join('${folder}', file);
            return [k, decode(path, readFileSync(path), dtype, shape)];
          }),
        );
      const call = { inputs: read(inputs), constants: read(constants), options, ...(dy && read({ dy })) };
      const layer = layerOf(implementations.naive, name);
      const file = dy?.file ?? inputs.x.file;
      for (const direction of directions)
        try {
          const outputs = direction === 'forward' ? { y: layer.forward(call) } : layer.backward(call);
          for (const [k, tensor] of Object.entries(outputs)) {
            const ending = file.split('.').at(-1);
            writeFileSync(join('${folder}', id, k + '.' + ending), encode(ending, tensor, dtype));
          }
        } catch (error) {
          writeFileSync(join('${folder}', id, direction + '.error'), error.message);
        }
    }
  }`;

const layers = ['relu', 'linear', 'softmaxCrossEntropy'];
const batches = [
  ['json', 'float64'],
  ['json', 'float32'],
  ['npy', 'float32'],
  ['memh', 'float32'],
] as const;
const folderOf = ([format, dtype]: readonly string[]) => join(directory, `${format}-${dtype}`);
/** Judges a folder; `key` is an expression of the program. */
const compared = (folder: string, key: string) => `
  {
    const batch = await Batch.open('${folder}');
    const progress = (layer, share, id) => batch.at(id);
    const verdicts = [];
    for await (const verdict of check(batch, { ...batch.options, progress })) verdicts.push(verdict);
    said[${key}] = verdicts;
  }`;

const npyFolder = folderOf(['npy', 'float32']);
const twins = join(directory, 'twins');
const program = `
  import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
  import { join } from 'node:path';
  import { implementations } from './src/layers.ts';
  import { layerOf } from './spec/law.ts';
  import { Batch, exportBatch } from './spec/port/batch.ts';
  import { check, kinds } from './spec/port/check.ts';
  import { decode, encode } from './spec/port/tensorFile.ts';
  const said = {};
  const layers = ${JSON.stringify(layers)};
  for (const [folder, format, dtype] of ${JSON.stringify(batches.map((each) => [folderOf(each), ...each]))}) {
    await exportBatch(folder, { format, dtype, layers, kinds, cases: 10, seed: 5, asked: () => true });
    said[folder] = readdirSync(folder, { recursive: true });
  }
  said.early = await Batch.open('${npyFolder}').catch(({ message }) => message);
  ${batches.map((each) => owner(folderOf(each)) + compared(folderOf(each), `'${each.join(' ')}'`)).join('\n')}

  await exportBatch('${twins}', {
    ...{ format: 'json', dtype: 'float64', layers: ['softmax'], kinds: ['random'], cases: 100, seed: 5, asked: () => true },
  });
  ${owner(twins)}
  const seen = new Map();
  for (const { id } of JSON.parse(readFileSync('${twins}/cases.json', 'utf8')).questions) {
    const x = readFileSync(join('${twins}', id, 'x.json'), 'utf8');
    if (seen.has(x)) said.pair ??= [seen.get(x), id];
    seen.set(x, id);
  }
  for (const id of said.pair ?? []) {
    const y = join('${twins}', id, 'y.json');
    const before = readFileSync(y);
    writeFileSync(y, '{"shape":[1],"data":[1,2]}');
    ${compared(twins, 'id')}
    writeFileSync(y, before);
  }

  const path = join('${npyFolder}', 'linear/hostile/dw.npy');
  const right = readFileSync(path);
  const wrong = decode(path, right, 'float32');
  wrong.data[3] += 1;
  writeFileSync(path, encode('npy', wrong, 'float32'));
  ${compared(npyFolder, "'one number'")}
  writeFileSync(path, right.subarray(0, -3));
  ${compared(npyFolder, "'cut off'")}
  rmSync(path);
  ${compared(npyFolder, "'dw missing'")}
  for (const k of ['dx', 'db']) rmSync(join('${npyFolder}', 'linear/hostile', k + '.npy'));
  rmSync(join('${npyFolder}', 'relu/hostile/y.npy'), { force: true });
  for (const id of readdirSync(join('${npyFolder}', 'softmaxCrossEntropy')))
    for (const k of ['dlogits.npy', 'backward.error'])
      rmSync(join('${npyFolder}', 'softmaxCrossEntropy', id, k), { force: true });
  ${compared(npyFolder, "'missing'")}
  const manifest = join('${npyFolder}', 'cases.json');
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"seed": 5', '"seed": 6'));
  said.changed = await Batch.open('${npyFolder}').catch(({ message }) => message);
  console.log(JSON.stringify(said));`;

describe('export, a port that writes files, compare', () => {
  const { stdout, stderr } = tsx('--input-type=module', '-e', program);
  const said: Readonly<Record<string, readonly Verdict[]>> & { early?: string; changed?: string; pair?: string[] } =
    JSON.parse(stdout || '{}');
  const of = (key: string, layer: string, direction: string) =>
    said[key].find((verdict) => verdict.layer === layer && verdict.direction === direction)!;

  it.each(batches)('%s, %s: what the definition wrote passes, and nothing is skipped', (format, dtype) => {
    expect(stderr).toBe('');
    const verdicts = said[`${format} ${dtype}`];
    expect(verdicts).toHaveLength(2 * layers.length);
    for (const { counts, failures, skips, layer } of verdicts) {
      expect(failures).toEqual([]);
      expect(counts.random.passed).toBeGreaterThanOrEqual(10);
      expect(counts.fixtures.passed, layer).toBeGreaterThan(3);
      expect(counts.fixtures.skipped + counts.random.skipped).toBe(0);
      expect(skips.filter((why) => why !== 'this call was not exported')).toEqual([]);
    }
  });

  it('inputs are written, and nothing that is expected', () => {
    for (const each of batches) {
      const files = (said[folderOf(each)] as unknown as string[]).filter((path) => /\.\w+$/.test(path));
      expect(files.length).toBeGreaterThan(100);
      for (const path of files)
        expect(path).toMatch(/^cases\.json$|^\w+\/[\w-]+\/(x|w|b|logits|labels|dy)\.(json|npy|hex)$/);
    }
  });

  it('before there are outputs, that is said; and so is a cases.json that is another', () => {
    expect(said.early).toBe(
      `${npyFolder} has no outputs, expected such as relu/document/y with the ending .json or .npy or .hex`,
    );
    expect(said.changed).toBe(
      `${join(npyFolder, 'cases.json')} asks something else, expected what --export writes now: export again`,
    );
  });

  it('one number that is another is found, in its case', () => {
    const { failures, report, counts, broken } = of('one number', 'linear', 'backward');
    expect(failures).toHaveLength(1);
    expect(failures[0].id).toBe('linear/hostile');
    expect(failures[0].message).toMatch(/^dw\[\d, \d\] is \S+, expected \S+$/);
    expect(report).toMatch(/^linear backward > linear\/hostile/);
    expect([counts.fixtures.failed, broken]).toEqual([1, false]);
    const others = said['one number'].filter(
      (verdict) => verdict.layer !== 'linear' || verdict.direction !== 'backward',
    );
    expect(others.flatMap((verdict) => verdict.failures)).toEqual([]);
  });

  it.each([
    ['cut off', /^linear\/hostile\/dw\.npy has \d+ bytes of numbers, expected \d+ for the shape \(\d, \d\)$/],
    ['dw missing', /^linear\/hostile has no file dw, expected dx, dw, db$/],
  ])('%s: no answer, and one sentence', (key, sentence) => {
    const { failures, counts, broken } = of(key, 'linear', 'backward');
    expect(failures.map(({ id }) => id)).toEqual(['linear/hostile']);
    expect(failures[0].message).toMatch(sentence);
    expect([counts.fixtures.unanswered, broken]).toEqual([1, true]);
  });

  it('what is not there is skipped, and where nothing is there nothing is claimed', () => {
    const { counts, skips, failures } = of('missing', 'linear', 'backward');
    expect([counts.fixtures.skipped, failures]).toEqual([1, []]);
    expect(skips).toContain('has no dx, dw, db');
    expect(counts.fixtures.passed).toBe(of('npy float32', 'linear', 'backward').counts.fixtures.passed - 1);
    expect(of('missing', 'softmaxCrossEntropy', 'backward')).toBeUndefined();
    expect(of('missing', 'softmaxCrossEntropy', 'forward').counts.fixtures.skipped).toBe(0);
  });

  it('an answer counts for its own case alone, even where another asks the same', () => {
    expect(said.pair).toHaveLength(2);
    for (const id of said.pair!) expect(of(id, 'softmax', 'forward').failures.map((each) => each.id)).toEqual([id]);
  });
});

describe('check-port --export and --compare', () => {
  const folder = join(directory, 'c');
  const exported = checkPort('--export', folder, '--format', 'c', '--layer', 'relu,linear', '--cases', '5');

  it('the headers of C hold arrays, shapes and options, and list their cases', () => {
    expect(exported.stderr).toBe('');
    expect(exported.stdout).toMatch(/^\d+ cases are in .*, described in cases.json; write the outputs beside them/);
    expect(readdirSync(folder).sort()).toEqual(['cases.json', 'linear', 'linear.h', 'relu', 'relu.h']);
    expect(readFileSync(join(folder, 'linear.h'), 'utf8')).toMatch(/^#define linear_cases\(CASE\) \\$/m);
  });

  needing(missing('cc'), it)('a program of C that includes them and writes words passes', () => {
    const readme = readFileSync(join(root, 'golden/README.md'), 'utf8');
    writeFileSync(join(folder, 'my-relu.c'), /```c\n(#include <stdio[^]*?)```/.exec(readme)![1]);
    const compiled = spawnSync('cc', ['my-relu.c', '-o', 'my-relu'], { cwd: folder, encoding: 'utf8' });
    expect([compiled.stderr, spawnSync('./my-relu', { cwd: folder }).status]).toEqual(['', 0]);
    const { stdout, stderr, status } = checkPort('--compare', folder);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^relu +forward +✓ 7 +✓ 10/m);
    expect(stdout).not.toContain('linear');
    expect(status).toBe(0);
  });

  it.each([
    [['--export', folder], `--export is ${JSON.stringify(folder)}, which is not empty, expected a new directory`],
    [
      ['--compare', directory],
      `there is no file ${join(directory, 'cases.json')}, expected a directory that --export has written`,
    ],
    [['--export', 'a', '--compare', 'b'], '--export and --compare are both there, expected one of them'],
    [['--export', 'a', '--', './port'], '--export and --compare run no program, expected nothing after --'],
    [['--export', 'a', '--format', 'xml'], '--format is "xml", expected one of json, npy, c, memh'],
    [
      ['--export', 'a', '--format', 'c', '--dtype', 'float64'],
      '--format c has float32 numbers alone, expected no --dtype float64',
    ],
    [
      ['--stage', 'network', '--layer', 'relu', '--', 'port'],
      '--stage network asks whole networks, expected no --layer',
    ],
    [['--stage', 'network', '--compare', 'a'], '--stage network asks a program, expected no --export or --compare'],
  ])('%s is an error', (args, sentence) => {
    const { stderr, status } = checkPort(...args);
    expect([stderr, status]).toEqual([`check-port: ${sentence}\n`, 2]);
  });
});
