import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { differences, expectedText } from './expected.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { beside, goldenFile, goldenNames, goldenText } from './golden.ts';

const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(goldenText('schema.json')));

describe.each(goldenNames)('golden/%s', (name) => {
  it('has the form of golden/schema.json', () => {
    validate(JSON.parse(goldenText(name)));
    expect(validate.errors).toBe(null);
  });

  it('holds tensors whose numbers fill their shapes', () => {
    const files = Object.keys(goldenFile(name).files ?? {});
    const stored = Object.fromEntries(files.map((file) => [file, readSafetensors(file, beside(name, file)).tensors]));
    const wrong: string[] = [];
    for (const golden of JSON.parse(goldenText(name)).cases)
      JSON.stringify(golden, (key, value) => {
        if (value?.data && value.shape.reduce((a: number, b: number) => a * b, 1) !== value.data.length)
          wrong.push(`${golden.id}: ${key} has shape (${value.shape.join(', ')}) and ${value.data.length} numbers`);
        if (value?.file && `${stored[value.file][value.name]?.shape}` !== `${value.shape}`)
          wrong.push(`${golden.id}: ${key} in ${value.file} has not shape (${value.shape.join(', ')})`);
        return value;
      });
    // but for calls that are errors just because of that
    const meant = goldenFile(name).cases.flatMap((golden) =>
      'error' in golden && / and \d+ numbers, expected/.test(golden.error)
        ? [golden.error.replace(/^\w+: (.+), expected .+$/, `${golden.id}: $1`)]
        : [],
    );
    expect(wrong).toEqual(meant);
  });

  it('names the files beside it, with the sums of their bytes', () => {
    for (const [file, sum] of Object.entries(goldenFile(name).files ?? {}))
      expect(createHash('sha256').update(beside(name, file)).digest('hex'), file).toBe(sum);
    const used = [...goldenText(name).matchAll(/"file": "(.+?)"/g)].map(([, file]) => file);
    expect([...new Set(used)]).toEqual(Object.keys(goldenFile(name).files ?? {}));
  });

  it('is what exact arithmetic makes of its inputs, byte for byte', async () => {
    const text = goldenText(name);
    expect(differences(text, await expectedText(text))).toEqual([]);
  });
});

it('no id is used twice', () => {
  const ids = goldenNames.flatMap((name) => goldenFile(name).cases.map(({ id }) => id));
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});

describe('what differs from exact arithmetic is said case by case', () => {
  const text = goldenText('linear.json');
  const tampered = (edit: (golden: { y: { shape: number[]; data: number[] }; gradients: object }) => void) => {
    const file = JSON.parse(text);
    edit(file.cases.find(({ id }: { id: string }) => id === 'linear/out-in'));
    return differences(JSON.stringify(file), text);
  };

  it.each<[string, readonly string[]]>([
    ['linear/out-in: y[0, 1] is -43, expected 43', tampered(({ y }) => void (y.data[1] *= -1))],
    ['linear/out-in: y[0, 0] is 0.5, expected 19; 2 of its 2 numbers differ', tampered(({ y }) => y.data.fill(0.5))],
    ['linear/out-in: y has shape (2, 1), expected (1, 2)', tampered(({ y }) => void y.shape.reverse())],
    [
      'linear/out-in: dx is missing',
      tampered((golden) => void (golden.gradients = { ...golden.gradients, dx: undefined })),
    ],
    ['no number differs, but the form of the file: `npm run golden` gives it its form', tampered(() => {})],
  ])('%s', (line, lines) => {
    expect(lines).toEqual([line]);
  });

  it('and inputs that do not fit together, with the name of their case', async () => {
    const short = text.replace('"dy": { "shape": [1, 2]', '"dy": { "shape": [2]');
    expect(short).not.toBe(text);
    await expect(expectedText(short)).rejects.toThrow(/^linear\/[a-z-]+: dy has shape \(2\), expected \(1,2\)$/);
  });
});
