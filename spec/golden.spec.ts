import { createHash } from 'node:crypto';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { expectedText } from './expected.ts';
import { readSafetensors } from '../src/safetensors.ts';
import { beside, goldenFile, goldenNames, goldenText } from './golden.ts';

const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(goldenText('schema.json')));

describe.each(goldenNames)('golden/%s', (name) => {
  it('has the form of golden/schema.json', () => {
    validate(JSON.parse(goldenText(name)));
    expect(validate.errors).toBe(null);
  });

  it('holds tensors whose numbers fill their shapes', () => {
    const wrong: string[] = [];
    const files = Object.keys(goldenFile(name).files ?? {});
    const stored = Object.fromEntries(files.map((file) => [file, readSafetensors(file, beside(name, file)).tensors]));
    JSON.parse(goldenText(name), (key, value) => {
      if (value?.data && value.shape.reduce((a: number, b: number) => a * b, 1) !== value.data.length)
        wrong.push(`${key} (${value.shape})`);
      if (value?.file && `${stored[value.file][value.name]?.shape}` !== `${value.shape}`)
        wrong.push(`${key} in ${value.file} (${value.shape})`);
      return value;
    });
    expect(wrong).toEqual([]);
  });

  it('names the files beside it, with the sums of their bytes', () => {
    for (const [file, sum] of Object.entries(goldenFile(name).files ?? {}))
      expect(createHash('sha256').update(beside(name, file)).digest('hex'), file).toBe(sum);
    const used = [...goldenText(name).matchAll(/"file": "(.+?)"/g)].map(([, file]) => file);
    expect([...new Set(used)]).toEqual(Object.keys(goldenFile(name).files ?? {}));
  });

  it('is what exact arithmetic makes of its inputs, byte for byte', async () => {
    const text = goldenText(name);
    expect(await expectedText(text)).toBe(text);
  });
});

it('no id is used twice', () => {
  const ids = goldenNames.flatMap((name) => goldenFile(name).cases.map(({ id }) => id));
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
});
