import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { explanation, interesting, recomputed, type Explanation } from '../scripts/explanation.ts';
import { explanationHtml } from '../scripts/explanationHtml.ts';
import { agreement, explanationText } from '../scripts/explanationText.ts';
import { layerIn, list, numberToExplain, type Asked } from '../scripts/numberToExplain.ts';
import type { LayerName } from '../src/layers.ts';
import { get, type Tensor } from '../src/tensor.ts';
import { answeredCases, type GoldenCase } from './golden.ts';
import { layerNames } from './port/protocol.ts';
import { indexOf, type Expression } from './trace.ts';

async function explained(layer: LayerName, asked: Partial<Asked> = {}): Promise<Explanation> {
  const { call, output, index } = await numberToExplain(layer, { of: 'y', ...asked });
  return explanation(layer, call, output, index);
}
const screen = async (layer: LayerName, asked?: Partial<Asked>) =>
  explanationText(await explained(layer, asked), false);

describe('the screen of', () => {
  it('conv2d, a number of y', async () => {
    expect(await screen('conv2d')).toBe(`conv2d: y[0, 0, 1, 0] = 3

    y[n,o,oh,ow] = b[o] + Σ_{c,kh,kw} x[n, c, ih, iw] · w[o,c,kh,kw]
    ih = oh·stride + kh·dilation − top        iw = ow·stride + kw·dilation − left

  x (1, 1, 5, 5)   w (1, 1, 3, 3)   b (1)   y (1, 1, 3, 3)
  stride (2, 2)   padding top 1 bottom 1 left 1 right 1   dilation (1, 1)

  x[0, 0, ·, ·]                     y[0, 0, ·, ·]
     -1    0    1    2    3    4        0    1    2
  0        0    0    0    0    0    0   1    0   -1
  1  (0)  [0]  [1]   1    1    0    1  <3>   0   -3
  2  (0)  [0]  [1]   1    1    0    2   1    0   -1
  3  (0)  [0]  [1]   1    1    0
  4        0    0    0    0    0
  [read on the way]  (outside the image)  <the result>

sum   src/naive/conv2d.ts:31
    30 │     for (let kw = 0; kw < KW; kw++)
  ▸ 31 │       sum += getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw);
    32 │ set(y, sum, n, o, oh, ow);

  x[0, 0, ·, ·]          w[0, 0, ·, ·]          products
     -1    0    1            0    1    2
  1  (0)   0    1        0  -1    0    1          0   0   1
  2  (0)   0    1    ·   1  -1    0    1    =     0   0   1
  3  (0)   0    1        2  -1    0    1          0   0   1

  sum  = b[0]         = 0
         + 0 + 0 + 1  = 1
         + 0 + 0 + 1  = 2
         + 0 + 0 + 1  = 3

y[0, 0, 1, 0]   src/naive/conv2d.ts:32
    31 │         sum += getOr(0, x, n, c, row(oh, kh), column(ow, kw)) * get(w, o, c, kh, kw);
  ▸ 32 │   set(y, sum, n, o, oh, ow);
    33 │ }

  y[0, 0, 1, 0]  = sum = 3

Computed again from the lines above: 3, as conv2d gives it.
`);
  });

  it('conv2d, a number of dw', async () => {
    expect(await screen('conv2d', { of: 'dw', at: '0,0,0,2' })).toBe(`conv2d: dw[0, 0, 0, 2] = 24

    The gradients of ⟨conv2d(x, w, b), dy⟩. Every product x·w that went into y[n,o,oh,ow] sends
    w·dy back to its x and x·dy back to its w.

  x (1, 1, 5, 5)   w (1, 1, 3, 3)   b (1)   dy (1, 1, 3, 3)   dw (1, 1, 3, 3)
  stride (2, 2)   padding top 1 bottom 1 left 1 right 1   dilation (1, 1)

  x[0, 0, ·, ·]                dw[0, 0, ·, ·]
      0   1   2   3   4   5        0    1    2
  -1     (0)     (0)     (0)   0  16   13  <24>
   0  0   0   0   0   0        1  -1    5    9
   1  0  [1]  1  [1]  0  (0)   2   0    3    8
   2  0   1   1   1   0
   3  0  [1]  1  [1]  0  (0)
   4  0   0   0   0   0
  [read on the way]  (outside the image)  <the result>

dw[0, 0, 0, 2]   src/naive/conv2d.ts:61
    60 │ const [ih, iw] = [row(oh, kh), column(ow, kw)];
  ▸ 61 │ accumulate(dw, getOr(0, x, n, c, ih, iw) * slope, o, c, kh, kw);
    62 │ if (inside(ih, iw)) accumulate(dx, get(w, o, c, kh, kw) * slope, n, c, ih, iw);

  x[0, 0, ·, ·]        dy[0, 0, ·, ·]         products
      1   3   5            0    1    2
  -1 (0) (0) (0)       0   1   -2    3          0   0   0
   1  1   1  (0)   ·   1   4    5   -6    =     4   5   0
   3  1   1  (0)       2   7    8    9          7   8   0

  dw[0, 0, 0, 2]  = 0 + 0 + 0    = 0
                    + 4 + 5 + 0  = 9
                    + 7 + 8 + 0  = 24

Computed again from the lines above: 24, as conv2dBackward gives it.
`);
  });

  it('maxPool2d', async () => {
    expect(await screen('maxPool2d')).toBe(`maxPool2d: y[0, 0, 0, 1] = 6

    y[n,c,oh,ow] = max_{kh,kw} x[n, c, ih, iw]
    ih = oh·stride + kh·dilation − top        iw = ow·stride + kw·dilation − left

  x (1, 1, 4, 4)   y (1, 1, 2, 2)
  kernel (3, 3)   stride (2, 2)   padding top 1 bottom 1 left 1 right 1   dilation (1, 1)
  ceilMode false

  x[0, 0, ·, ·]            y[0, 0, ·, ·]
       0    1    2    3       0   1
  -1      (-∞) (-∞) (-∞)   0  6  <6>
   0   1   [3]  [2]  [1]   1  8   7
   1   4   [6]  [5]  [2]
   2   3    1    7    4
   3   8    2    3    6
  [read on the way]  (outside the image)  <the result>

largest   src/naive/maxPool2d.ts:27
    26 │   for (let kw = 0; kw < KW; kw++)
  ▸ 27 │     largest = Math.max(largest, getOr(-Infinity, x, n, c, row(oh, kh), column(ow, kw)));
    28 │ set(y, largest, n, c, oh, ow);

  x[0, 0, ·, ·]
       1    2    3
  -1 (-∞) (-∞) (-∞)
   0   3    2    1
   1  <6>   5    2

  largest  = max(-∞, -∞, -∞)   = -∞
           = max(-∞, 3, 2, 1)  = 3
           = max(3, 6, 5, 2)   = 6

y[0, 0, 0, 1]   src/naive/maxPool2d.ts:28
    27 │       largest = Math.max(largest, getOr(-Infinity, x, n, c, row(oh, kh), column(ow, kw)));
  ▸ 28 │   set(y, largest, n, c, oh, ow);
    29 │ }

  y[0, 0, 0, 1]  = largest = 6

Computed again from the lines above: 6, as maxPool2d gives it.
`);
  });

  it('softmax', async () => {
    expect(await screen('softmax')).toBe(`softmax: y[0, 0] = 0.659001

    y[n,k] = exp(x[n,k] − m) / Σⱼ exp(x[n,j] − m)        m = maxⱼ x[n,j]: nothing overflows

  x (2, 3)   y (2, 3)

  x[·, ·]               y[·, ·]
       0     1     2               0           1           2
  0   [2]   [1] [0.1]   0  <0.659001>   0.242433   0.0985659
  1    0     0     0    1   0.333333    0.333333    0.333333
  [read on the way]  <the result>

m   src/naive/softmax.ts:17
  ▸ 17 │ for (let k = 0; k < K; k++) m = Math.max(m, get(x, n, k));

  m  = largest of x[0, 0]  = 2    → 2
       and x[0, 1]         = 1    → 2
       and x[0, 2]         = 0.1  → 2

sum   src/naive/softmax.ts:19
  ▸ 19 │ for (let k = 0; k < K; k++) sum += Math.exp(get(x, n, k) - m);

  sum  = exp(x[0, 0] - m)    = exp(2 - 2) = exp(0) = 1              → 1
         + exp(x[0, 1] - m)  = exp(1 - 2) = exp(-1) = 0.367879      → 1.36788
         + exp(x[0, 2] - m)  = exp(0.1 - 2) = exp(-1.9) = 0.149569  → 1.51745

y[0, 0]   src/naive/softmax.ts:20
    19 │   for (let k = 0; k < K; k++) sum += Math.exp(get(x, n, k) - m);
  ▸ 20 │   for (let k = 0; k < K; k++) set(y, Math.exp(get(x, n, k) - m) / sum, n, k);
    21 │ }

  y[0, 0]  = exp(x[0, 0] - m) / sum
           = exp(2 - 2) / 1.51745
           = exp(0) / 1.51745
           = 1 / 1.51745
           = 0.659001

Computed again from the lines above: 0.659001, as softmax gives it.
`);
  });
});

/** The numbers of a text such as '1 · (log(2.5) + 3)', in JavaScript; undefined if there are names in it. */
function valueOf(text: string): number | undefined {
  const javascript = text
    .replaceAll('·', '*')
    .replaceAll('∞', 'Infinity')
    .replace(/\|([^|]*)\|/g, 'Math.abs($1)')
    .replaceAll('√', 'Math.sqrt')
    .replace(/\b(exp|log|max|tanh|cosh)\(/g, 'Math.$1(');
  if (/[a-z_₀-₉[]/i.test(javascript.replace(/Math\.\w+|Infinity|NaN|\de[+-]?\d/g, ''))) return undefined;
  return Function(`return ${javascript}`)() as number;
}

/** Printed numbers have six digits: two sides of an equation are as near as these let them be. */
function agree(a: string, b: string): boolean {
  const [left, right] = [valueOf(a)!, valueOf(b)!];
  if (!Number.isFinite(left) || !Number.isFinite(right)) return `${left}` === `${right}`;
  const size = [...`${a} ${b}`.matchAll(/[\d.]+(e[+-]?\d+)?/g)].reduce((sum, [number]) => sum + Number(number), 0);
  return Math.abs(left - right) <= 1e-5 * Math.max(size, Math.abs(left));
}

/** What is wrong in the lines of an explanation, as somebody finds who computes along. */
function errors({ sections }: Explanation): readonly string[] {
  return sections.flatMap(({ lines }) => {
    let total = ''; // so far
    let stage = ''; // above, of an expression that is worked out line by line
    return lines.flatMap(([name = '', second = '', third = '', fourth = ''], i) => {
      const wrong: string[] = [];
      const check = (a: string, b: string) => void (agree(a, b) || wrong.push(`line ${i}: ${a} is not ${b}`));
      const sides = `${second} ${third}`.split(' = ').map((side) => side.replace(/^ *= /, '').trim());
      const numbers = sides.filter((side) => !/^[+]|^- /.test(side) && valueOf(side) !== undefined);
      numbers.slice(1).forEach((side, j) => check(numbers[j], side));
      if (name !== '') total = stage = '';
      if (stage !== '' && numbers.length > 0 && third === '' && name === '') check(stage, numbers[0]);
      if (third === '' && numbers.length > 0) stage = numbers.at(-1)!;
      if (fourth !== '') {
        const term = numbers.at(-1)!;
        const maximum = /^ *(= largest of|and) /.test(second);
        check(total === '' ? term : maximum ? `max(${total}, ${term})` : `${total} + (${term})`, fourth.slice(2));
        total = fourth.slice(2);
      } else if (third !== '') {
        if (/^ *[+-] /.test(second)) check(`${total} ${second}`, third.slice(2));
        total = third.slice(2);
      }
      return wrong;
    });
  });
}

/** Every element that was read, of all sections. */
function* reads(expression: Expression): Generator<Expression & { kind: 'read' }> {
  if (expression.kind === 'read') yield expression;
  if (expression.kind === 'operation') for (const operand of expression.operands) yield* reads(operand);
}

describe.each(layerNames)('%s', (layer) => {
  const cases = answeredCases(layer);
  const outputs = ['y', ...Object.keys(cases[0].gradients)];
  it.each(outputs)('the steps to any number of %s give it, as printed and to the last bit', async (output) => {
    for (const golden of cases) {
      const { shape, data } = output === 'y' ? golden.y : golden.gradients[output];
      const chosen = await interesting(layer, golden, output);
      for (const index of [chosen, indexOf(shape, data.length - 1)]) {
        const what = `${golden.id}: ${output}[${index.join(', ')}]`;
        const found = await explanation(layer, golden, output, index);
        expect(recomputed(found), what).toBe(found.defined);
        expect(agreement(found), what).toMatch(/^Computed again from the lines above: /);
        if (golden.compare === 'exact') expect(found.defined + 0, what).toBe(get({ shape, data }, ...index) + 0);
        expect(errors(found), what).toEqual([]);
        expectReads(found, golden);
      }
    }
  });
});

function expectReads({ sections }: Explanation, { inputs, constants, dy }: GoldenCase): void {
  const tensors: Readonly<Record<string, Tensor>> = { ...inputs, ...constants, dy };
  for (const { expression } of sections.flatMap(({ steps }) => steps))
    for (const { name, index, value, outside } of reads(expression))
      if (!outside) expect(value, `${name}[${index.join(', ')}]`).toBe(get(tensors[name], ...index));
}

it('lines that give another number are told', async () => {
  const found = await explained('conv2d');
  const [first, ...others] = found.sections;
  const one = { ...found, sections: [{ ...first, steps: first.steps.slice(1) }, ...others] };
  expect(() => recomputed(one)).toThrow('sum is used before it is shown');
  expect(agreement({ ...found, defined: 4 })).toBe('These lines are wrong: they give 3, and conv2d gives 4.');
  const lines = first.lines.map((line, i) => (i === 2 ? [line[0], line[1].replace('1', '2'), line[2]] : line));
  expect(errors({ ...found, sections: [{ ...first, lines }] })).toEqual(['line 2: 1   + 0 + 0 + 2 is not 2']);
});

it('of a number that nothing was written to', async () => {
  const text = await screen('dropout', { case: 'document', at: '0,1' });
  expect(text).toContain('no statement of the definition writes y[0, 1]: it stays 0, as it was made');
});

it('in colours the text is the same', async () => {
  const found = await explained('maxPool2d');
  const coloured = explanationText(found, true);
  expect(coloured).toContain('\x1b[30;46m[3]\x1b[0m');
  expect(coloured.replace(/\x1b\[[\d;]*m/g, '').replace(/ +$/gm, '')).toBe(explanationText(found, false));
});

it('a page says the same, and needs no other file', async () => {
  const found = await explained('conv2d');
  const page = explanationHtml(found);
  expect(page).toContain('<h1>conv2d: y[0, 0, 1, 0] = 3</h1>');
  expect(page).toContain('<td class="outside">0</td><td class="read">0</td><td class="read">1</td>');
  expect(page).toContain('<td class="result">3</td>');
  expect(page).toContain('kw &lt; KW');
  expect(page).not.toMatch(/https?:|<script|<link|src=/);
  for (const line of found.sections.flatMap(({ lines }) => lines.flat())) expect(page).toContain(line);
});

it('a call of one’s own, with nested arrays or as fixtures have it', async () => {
  const nested = '{ "inputs": { "x": [[1, 2, 4]] } }';
  const flat = '{ "inputs": { "x": { "shape": [1, 3], "data": [1, 2, 4] } }, "options": {} }';
  expect((await explained('softmax', { input: nested, at: '0,2' })).value).toBeCloseTo(0.843795, 6);
  expect((await explained('softmax', { input: flat, at: '0,2' })).value).toBeCloseTo(0.843795, 6);
  const special = '{ "inputs": { "x": { "shape": [2], "data": ["NaN", "-Infinity"] } } }';
  expect(await screen('relu', { input: special, at: '0' })).toContain(
    '  y[0]  = max(0, x[0])\n        = max(0, NaN)\n        = NaN\n',
  );
  const withDy = '{ "inputs": { "x": [[1, 2, 4]] }, "dy": [[0, 0, 1]] }';
  expect((await explained('logSoftmax', { input: withDy, of: 'dx', at: '0,2' })).value).toBeCloseTo(1 - 0.843795, 6);
});

it('--list has every fixture, its title and its shapes', () => {
  expect(list('linear').split('\n').slice(3, 6)).toEqual([
    'out-in',
    expect.stringMatching(/^ {4}\S/),
    '    x (1, 2)   w (2, 2)   b (2)   y (1, 2)',
  ]);
});

it.each([
  [{ case: 'edges' }, /^conv2d has no case "edges", expected one of kernel-not-flipped, .*, rounded$/],
  [{ of: 'dz' }, /^--of is "dz", expected one of y, dx, dw, db$/],
  [{ at: '0,0,9,0' }, /^--at is "0,0,9,0", but y has shape \(1, 1, 3, 3\), expected from 0,0,0,0 to 0,0,2,2$/],
  [{ at: '0,0,1' }, /^--at is "0,0,1", but y has shape \(1, 1, 3, 3\), expected from 0,0,0,0 to 0,0,2,2$/],
  [{ at: '0,0,,1' }, /^--at is "0,0,,1", but /],
  [{ of: 'db', at: '1' }, /^--at is "1", but db has shape \(1\), expected from 0 to 0$/],
  [{ case: 'defaults', input: '{}' }, /^--case and --input are both there, expected one of them$/],
  [{ input: 'none.json' }, /^there is no file none\.json, expected a JSON file, or JSON itself$/],
  [{ input: '{ "inputs"' }, /^--input is no JSON: /],
  [{ input: '{}' }, /^--input: inputs is not there, expected an object$/],
  [{ input: '{ "inputs": { "x": [1] } }' }, /^--input: inputs has x, expected x, w, b$/],
  [{ input: '{ "inputs": { "x": [[1, 2], [3]], "w": 1, "b": 1 } }' }, /^--input: x: found an array of 1 at depth 1, expected an array of 2$/],
  [{ input: '{ "inputs": { "x": {}, "w": 1, "b": 1 } }' }, /^--input: x has no shape or no data, expected nested arrays or /],
  [{ input: '{ "inputs": { "x": [[[[1]]]], "w": [[[[1]]]], "b": [1, 2] } }' }, /^conv2d: b has shape \(2\), expected \(1\)$/],
  [{ input: '{ "inputs": { "x": [[[[1]]]], "w": [[[[1]]]], "b": [1] } }', of: 'dw' }, /^--of is dw, which comes from dy: expected dy of shape \(1, 1, 1, 1\) in --input$/],
])('%j is one sentence', async (asked, sentence) => {
  const error = await explained('conv2d', asked).then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(RangeError);
  expect((error as Error).message).toMatch(sentence);
}); // prettier-ignore

it('a scalar has no index; a layer has a name', async () => {
  await expect(explained('meanSquaredError', { at: '0' })).rejects.toThrow(
    '--at is "0", but y has shape (), expected nothing: it is one number',
  );
  expect(() => layerIn(['conv'])).toThrow('there is no layer "conv", did you mean conv2d? Expected one of ');
  expect(() => layerIn([])).toThrow('no layer is named, expected one of ');
  expect(() => layerIn(['relu', 'tanh'])).toThrow('2 layers are named, expected one of ');
});

it('the script writes a page, or says in one sentence what is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cnn-spec-explain-'));
  const explain = (...args: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'scripts/explain.ts', ...args], {
      ...{ cwd: fileURLToPath(new URL('..', import.meta.url)), encoding: 'utf8', env: { ...process.env, VITEST: '' } },
    });
  try {
    const page = join(folder, 'page.html');
    expect(explain('softmax', '--html', page)).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(page, 'utf8')).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
    const wrong = explain('softmax', '--of', 'dw');
    expect(wrong).toMatchObject({ status: 2, stdout: '', stderr: 'explain: --of is "dw", expected one of y, dx\n' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
