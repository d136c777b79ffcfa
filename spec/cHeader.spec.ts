import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cHeader } from './cHeader.ts';
import { goldenFile, goldenNames, type GoldenCase } from './golden.ts';
import { missing, needing } from './needing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const headers = new Map(
  goldenNames.flatMap((name) => {
    const header = cHeader(goldenFile(name));
    return header === undefined ? [] : [[name.replace('.json', ''), header]];
  }),
);
const headerOf = (layer: string) => readFileSync(join(root, `golden/c/${layer}.h`), 'utf8');
/** How many cases the header has. */
const casesOf = (layer: string) => headerOf(layer).match(/^ {8}\.id = /gm)!.length;
const floatOnly = (layer: string) => headerOf(layer).match(/^ {8}\.float_only = true/gm)?.length ?? 0;

describe('golden/c', () => {
  it('has the headers that the fixtures give, byte for byte, the checker, and nothing else', () => {
    const files = readdirSync(join(root, 'golden/c')).sort();
    expect(files).toEqual([...headers.keys(), 'cnn_spec'].map((name) => `${name}.h`).sort());
    for (const [layer, header] of headers) expect(header, layer).toBe(headerOf(layer));
  });

  it('has every case of the tier exact', () => {
    for (const name of goldenNames)
      for (const { id, tier } of goldenFile(name).cases)
        if (tier === 'exact') expect(headers.get(name.replace('.json', '')), id).toContain(`.id = "${id}",\n`);
  });

  it('says what a case is made of, and marks what int32_t cannot say', () => {
    const header = headerOf('maxPool2d');
    const special = header.slice(
      header.indexOf('.id = "maxPool2d/special"'),
      header.indexOf('.id = "maxPool2d/outside"'),
    );
    expect(special).toContain('.kernel = {2, 2},\n');
    expect(special).toContain('.signed_zeros = true,\n        .float_only = true,\n');
    for (const name of ['NAN', 'MINUS_INFINITY', 'MINUS_ZERO']) expect(special).toContain(`CNN_SPEC_${name}`);
    expect(headerOf('groupedConv2d')).toContain('.unit = 64');
    expect(headerOf('conv2d')).toMatch(/Left out: rounded: .*; the 15 calls that must be errors;/);
  });

  it('refuses what it has no place for', () => {
    const tensor = (shape: number[], ...data: number[]) => ({ shape, data: Float64Array.from(data) });
    const header = (x: GoldenCase['y']) => {
      const given = { inputs: { x }, options: {}, dy: x, y: x, gradients: { dx: x }, compare: 'exact' } as const;
      const golden: GoldenCase = { id: 'relu/a', title: '', tier: 'exact', ...given };
      return () => cHeader({ format: 'cnn-spec/1', layer: 'relu', source: '', cases: [golden] });
    };
    expect(header(tensor([1], 32766))).toThrow('relu/a: x has 32766, expected a number within an int16_t');
    expect(header(tensor([1, 1, 1, 1, 1], 1))).toThrow('relu/a: x has 5 axes, expected at most 4');
    expect(header(tensor([1], 0.1))()).toBe(undefined);
  });
});

const strict = ['-std=c99', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-O2'];

/** Runs a test in a directory of its own, which has golden/ and scripts/. */
function within(test: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'cnn-spec-c-'));
  try {
    for (const folder of ['golden', 'scripts']) symlinkSync(join(root, folder), join(directory, folder));
    test(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What a program prints, compiled without a warning, and its exit code. */
function compiled(source: string, options: readonly string[] = [], compiler = 'cc', runner?: string) {
  let lines: readonly string[] = [];
  let code: number | null = null;
  within((directory) => {
    writeFileSync(join(directory, 'program.c'), source);
    const ports = join(root, 'scripts/ports/c/check');
    execFileSync(compiler, [...strict, '-Igolden/c', `-I${ports}`, ...options, 'program.c', '-lm', '-o', 'program'], {
      cwd: directory,
      stdio: 'pipe',
    });
    const program = join(directory, 'program');
    const { stdout, status } = spawnSync(runner ?? program, runner ? [program] : [], { encoding: 'utf8' });
    lines = stdout.trimEnd().split('\n');
    code = status;
  });
  return { lines, code };
}

const example = (name: string) => readFileSync(join(root, `scripts/ports/c/check/${name}.c`), 'utf8');
const integers = 'relu flatten linear conv2d groupedConv2d maxPool2d avgPool2d globalAvgPool2d'.split(' ');
const allPassed = (layer: string, left = 0) => {
  const count = casesOf(layer) - left;
  return `${layer}: ${count} of ${count} cases passed`;
};

describe('a layer in C is judged without Node', () => {
  const everything = [...headers.keys()].map((layer) => allPassed(layer)).sort();

  needing(missing('cc'), it)('the C port passes all cases of all layers, in float32', () => {
    const { lines, code } = compiled(example('float32'));
    expect([...lines].sort()).toEqual(everything);
    expect(code).toBe(0);
  });

  needing(missing('cc'), it)('layers in int32_t pass all cases but those of NaN, infinity and −0', () => {
    const { lines, code } = compiled(example('int32'));
    expect(lines).toEqual(integers.map((layer) => allPassed(layer, floatOnly(layer))));
    expect(code).toBe(0);
  });

  const emulator = ['qemu-arm', 'qemu-arm-static'].find((each) => missing(each) === undefined) ?? 'qemu-arm';
  needing(missing('arm-linux-gnueabihf-gcc', emulator), it)(
    'the C port passes on an emulated ARM, and so do int32_t layers',
    () => {
      const onArm = (name: string) => compiled(example(name), ['-static'], 'arm-linux-gnueabihf-gcc', emulator);
      expect([...onArm('float32').lines].sort()).toEqual(everything);
      expect(onArm('int32').code).toBe(0);
    },
  );

  needing(missing('cc'), it)('a kernel that is flipped fails, with the case, the number and the known bug', () => {
    const right = readFileSync(join(root, 'scripts/ports/c/port.c'), 'utf8');
    const flipped = right.replace(
      'sum += pixel * w[o][c][kh][kw];',
      'sum += pixel * w[o][c][g.KH - 1 - kh][g.KW - 1 - kw];',
    );
    expect(flipped).not.toBe(right);
    const port = flipped.replace('#include "json.h"', '#include "../json.h"');
    const { lines, code } = compiled(example('float32').replace('#include "../port.c"', () => port));
    expect(code).toBe(1);
    expect(lines).toContain('linear: 4 of 4 cases passed');
    const first = lines.findIndex((line) => line.startsWith('conv2d/'));
    expect(lines.slice(first, first + 2)).toEqual([
      'conv2d/kernel-not-flipped: the kernel is not flipped: y = 1·10 + 2·20, 2·10 + 3·20 (flipped: 40, 70)',
      '  y[0, 0, 0, 0] is 40, expected 50; 2 of 2 differ',
    ]);
    expect(lines).toContain(
      '  22 of 22 fail under the known bug conv2d.kernel-flip-forward: y is true convolution, the kernel turned by 180°; the gradients are not',
    );
  });

  needing(missing('cc'), it)('in int32_t the message has the scale', () => {
    const { lines, code } = compiled(example('int32').replace('c->y[place] = c->b[o];', 'c->y[place] = 0;'));
    expect(code).toBe(1);
    expect(lines).toContain('  y[0, 0, 0, 0] is -3072, expected 3328, both times 64; 48 of 48 differ');
    expect(lines).toContain('  3 of 3 fail under the known bug conv2d.no-bias: there is no bias');
  });

  needing(missing('cc'), it)(
    'a number that is not written, a sign of zero, and no function at all are failures',
    () => {
      const program = (check: string) =>
        `#include "flatten.h"
      static void forgets(const cnn_spec_call *c) { for (int i = 1; i < c->count; i++) c->y[i] = c->x[i]; }
      static void adds(const cnn_spec_call *c) { for (int i = 0; i < c->count; i++) c->dx[i] += c->dy[i]; }
      int main(void) { forgets == NULL || adds == NULL; return cnn_spec_check_flatten(${check}); }`.replace(
          'forgets == NULL || adds == NULL; ',
          '(void)forgets, (void)adds; ',
        );
      const forgotten = compiled(program('forgets, NULL'));
      expect(forgotten.lines).toContain('  y[0, 0] is nan, expected 0; 1 of 8 differ');
      const added = compiled(program('NULL, adds')); // 0 + −0 is 0
      expect(added.lines).toContain('  dx[0, 0, 0, 0] is 0, expected -0; 1 of 4 differ');
      expect(added.lines).toContain('flatten, backward only: 3 of 4 cases passed');
      expect(added.code).toBe(1);
      const nothing = compiled(program('NULL, NULL'));
      expect(nothing).toEqual({ lines: ['flatten: there is no function to check'], code: 1 });
      const small = compiled(program('NULL, adds'), ['-DCNN_SPEC_ROOM=100']);
      expect(small.lines[0]).toBe('flatten/hostile: has 480 numbers, but CNN_SPEC_ROOM is 100');
    },
  );

  needing(missing('cc'), it)('in double too; and not in int32_t where numbers do not stay whole', () => {
    const program = `#include "leakyRelu.h"
      static void forward(const cnn_spec_call *c) {
        for (int i = 0; i < c->count; i++) c->y[i] = c->x[i] > 0 ? c->x[i] : c->negative_slope * c->x[i];
      }
      int main(void) { return cnn_spec_check_leakyRelu(forward, NULL) + (int)sizeof(cnn_spec_number); }`;
    const { lines, code } = compiled(program, ['-DCNN_SPEC_FLOAT64']);
    expect(lines).toEqual(['leakyRelu, forward only: 6 of 6 cases passed']);
    expect(code).toBe(8);
    expect(() => compiled(program, ['-DCNN_SPEC_INT32'])).toThrow('leakyRelu has no cases for int32_t');
  });

  needing(missing('cc'), it)('as golden/README says', () => {
    const readme = readFileSync(join(root, 'golden/README.md'), 'utf8');
    const blocks = (language: string) =>
      [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, its]) => its === language).map(([, , text]) => text);
    const [program] = blocks('c');
    const [output] = blocks('text');
    const [one, all] = blocks('sh');
    within((directory) => {
      writeFileSync(join(directory, 'my_relu.c'), program);
      const run = (command: string) => {
        const { stdout, stderr, status } = spawnSync('sh', ['-c', command], { cwd: directory, encoding: 'utf8' });
        return { stdout, stderr, status };
      };
      expect(run(one)).toEqual({ stdout: output, stderr: '', status: 1 });
      expect(run(all)).toMatchObject({ stderr: '', status: 0 });
    });
  });
});
