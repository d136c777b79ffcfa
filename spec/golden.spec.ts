import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { expectedText } from './expected.ts';
import { goldenFile, goldenNames, goldenText } from './golden.ts';

const validate = new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(goldenText('schema.json')));

describe.each(goldenNames)('golden/%s', (name) => {
  it('has the form of golden/schema.json', () => {
    validate(JSON.parse(goldenText(name)));
    expect(validate.errors).toBe(null);
  });

  it('holds tensors whose numbers fill their shapes', () => {
    const wrong: string[] = [];
    JSON.parse(goldenText(name), (key, value) => {
      if (Array.isArray(value?.shape) && value.shape.reduce((a: number, b: number) => a * b, 1) !== value.data.length)
        wrong.push(`${key} (${value.shape})`);
      return value;
    });
    expect(wrong).toEqual([]);
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
