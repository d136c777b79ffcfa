import type { GoldenCase, GoldenFile, GoldenInvalid } from './golden.ts';
import type { Tensor } from '../src/tensor.ts';

/** The layers that make sense in whole numbers: those that add up products, and those that do not. */
const integerLayers = {
  products: ['conv2d', 'groupedConv2d', 'linear'],
  others: ['maxPool2d', 'avgPool2d', 'globalAvgPool2d', 'relu', 'flatten'],
};

/** A product of eighths is a multiple of 1/64: no number is cut finer. */
const finest = 64;
/** As golden/c/cnn_spec.h has it. */
const mostCases = 64;
const columns = 120;

/**
 * The text of golden/c/<layer>.h: the cases of a fixture file that are exact in float32, as data in C. undefined if it has
 * none.
 * @throws RangeError if a case has something that golden/c/cnn_spec.h has no place for
 */
export function cHeader({ layer, flags = {}, cases }: GoldenFile): string | undefined {
  if (layer === undefined) return undefined;
  const answered = cases.filter((golden): golden is GoldenCase => !('error' in golden));
  const exact = answered.filter(isExact);
  if (exact.length === 0) return undefined;
  if (exact.length > mostCases) throw new RangeError(`${layer}: ${exact.length} cases, expected at most ${mostCases}`);
  const products = integerLayers.products.includes(layer);
  const integers = products || integerLayers.others.includes(layer);
  const guard = `CNN_SPEC_${layer.toUpperCase()}_H`;
  const bugs = Object.entries(flags).filter(([id]) =>
    exact.some((golden) => golden.tier !== 'default' && has(golden, id)),
  );
  return `/*
 * The cases of golden/${layer}.json that are exact in float32. Written by \`npm run golden\`.
 *
 *   cnn_spec_check_${layer}(forward, backward)
 *
 * The numbers of a tensor are its data / unit.
${comment(leftOut(layer, cases, exact, integers))}
 */
#ifndef ${guard}
#define ${guard}

#include "cnn_spec.h"

${integers ? '' : `#ifdef CNN_SPEC_INT32\n#error "${layer} has no cases for int32_t"\n#endif\n\n`}\
static const cnn_spec_case cnn_spec_${layer}_cases[] = {
${exact.map((golden) => caseText(golden, integers && !isWhole(golden, products))).join('\n')}
};

/* The known bugs that these cases catch. x: the case, in the order above, fails under the bug. */
static const cnn_spec_bug cnn_spec_${layer}_bugs[] = {
${bugs.map(([id, { bug }]) => `    {"${exact.map((golden) => (has(golden, id) ? 'x' : '.')).join('')}", ${text(id)},\n     ${text(bug)}},`).join('\n')}
};

static const cnn_spec_layer cnn_spec_${layer} = {
    .name = "${layer}",
    .products = ${products},
    .case_count = ${exact.length},
    .cases = cnn_spec_${layer}_cases,
    .bug_count = ${bugs.length},
    .bugs = cnn_spec_${layer}_bugs,
};

/* Prints the cases that fail, and returns how many do. NULL stands for a direction that there is not. */
static inline int cnn_spec_check_${layer}(cnn_spec_function *forward, cnn_spec_function *backward) {
  return cnn_spec_check(&cnn_spec_${layer}, forward, backward);
}

#endif
`;
}

const has = ({ flags = [] }: GoldenCase, bug: string): boolean => flags.includes(bug);

const tensorsOf = ({ inputs, constants = {}, dy, y, gradients }: GoldenCase): Readonly<Record<string, Tensor>> => ({
  ...inputs,
  ...constants,
  dy,
  y,
  ...gradients,
});

/** Compared bit for bit, of numbers that an int16_t holds as so many 64ths, or that are none. */
function isExact(golden: GoldenCase): boolean {
  const numbers = Object.values(tensorsOf(golden)).flatMap(({ data }) => [...data]);
  return (
    golden.compare === 'exact' && numbers.every((number) => !Number.isFinite(number) || (number * finest) % 1 === 0)
  );
}

/** Whether int32_t has all numbers of the case, scaled as golden/c/cnn_spec.h says. */
function isWhole(golden: GoldenCase, products: boolean): boolean {
  const scale = (name: string) => (products && ['x', 'w', 'dy', 'db'].includes(name) ? 8 : finest);
  return Object.entries(tensorsOf(golden)).every(([name, { data }]) =>
    data.every((number) => Number.isInteger(number * scale(name)) && !Object.is(number, -0)),
  );
}

/** What the header has not, and why. */
function leftOut(
  layer: string,
  cases: readonly (GoldenCase | GoldenInvalid)[],
  exact: readonly GoldenCase[],
  integers: boolean,
): string {
  const ids = (some: readonly { readonly id: string }[]) =>
    some.map(({ id }) => id.replace(`${layer}/`, '')).join(', ');
  const invalid = cases.filter((golden) => 'error' in golden);
  const others = cases.filter((golden) => !('error' in golden) && !exact.includes(golden));
  const special = exact.filter((golden) => !isWhole(golden, integerLayers.products.includes(layer)));
  const sentences = [
    others.length > 0 && `${ids(others)}: numbers that have to be rounded, or are no multiples of 1/64`,
    invalid.length > 0 && `the ${invalid.length} calls that must be errors`,
    integers && special.length > 0 && `with CNN_SPEC_INT32 ${ids(special)}: NaN, infinity or -0`,
    !integers && 'with CNN_SPEC_INT32 everything: the numbers between x and y do not stay whole',
  ];
  return `Left out: ${sentences.filter(Boolean).join('; ')}.`;
}

/** Lines of a comment, filled with words. */
function comment(sentence: string): string {
  const lines = [''];
  for (const word of sentence.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`;
    if (longer.length > columns - 2) lines.push(` ${word}`);
    else lines[lines.length - 1] = longer;
  }
  return lines.map((line) => ` *${line}`).join('\n');
}

const text = (sentence: string): string => `"${sentence.replace(/["\\]/g, '\\$&')}"`;

/** 'ceilMode' as C writes it: ceil_mode. */
const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function caseText(golden: GoldenCase, floatOnly: boolean): string {
  const { id, title, options, resolved, signedZeros } = golden;
  const fields = [
    ['id', text(id)],
    ['title', text(title)],
    ...Object.entries(resolved ?? options).map(([name, value]) => [snake(name), optionText(value)]),
    ...(signedZeros ? [['signed_zeros', 'true']] : []),
    ...(floatOnly ? [['float_only', 'true']] : []),
    ...Object.entries(tensorsOf(golden)).map(([name, tensor]) => [name, tensorText(tensor, `${id}: ${name}`)]),
  ];
  return `    {\n${fields.map(([name, value]) => `        .${name} = ${value},\n`).join('')}    },`;
}

/** 0.5, true, {2, 3} for [height, width], {.top = 1, .bottom = 0, .left = 2, .right = 1}. */
function optionText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `${value}`;
  if (Array.isArray(value)) return `{${value.join(', ')}}`;
  return `{${Object.entries(value)
    .map(([name, size]) => `.${name} = ${size}`)
    .join(', ')}}`;
}

function tensorText({ shape, data }: Tensor, what: string): string {
  if (shape.length > 4) throw new RangeError(`${what} has ${shape.length} axes, expected at most 4`);
  const finite = [...data].filter(Number.isFinite);
  const unit = [1, 2, 4, 8, 16, 32, finest].find((unit) => finite.every((number) => Number.isInteger(number * unit)))!;
  const numerators = [...data].map((number) => numerator(number, unit, what));
  const head = `{.shape = {${shape.join(', ') || 0}}, .unit = ${unit}, .data = (const int16_t[]){`;
  const lines = linesOf(numerators, shape);
  if (lines.length === 1 && head.length + lines[0].length < columns - 16) return `${head}${lines[0]}}}`;
  return `${head}\n${lines.map((line) => `            ${line},\n`).join('')}        }}`;
}

/** The numbers line by line: all in one if they fit, else image by image, channel by channel, row by row. */
function linesOf(numbers: readonly string[], [size, ...rest]: readonly number[]): readonly string[] {
  const row = rest.at(-1) ?? numbers.length;
  const line = numbers
    .map((number, i) => (i > 0 && i % row === 0 && row > 1 ? `  ${number}` : ` ${number}`))
    .join(',')
    .trim();
  if (line.length < columns - 12) return [line];
  const length = rest.length > 0 ? numbers.length / size : 24;
  const parts = Array.from({ length: Math.ceil(numbers.length / length) }, (_, i) =>
    numbers.slice(i * length, (i + 1) * length),
  );
  return parts.flatMap((part) => linesOf(part, rest.length > 0 ? rest : [length]));
}

/** A number in units, or the name of one that is none. */
function numerator(number: number, unit: number, what: string): string {
  if (Number.isNaN(number)) return 'CNN_SPEC_NAN';
  if (number === Infinity) return 'CNN_SPEC_INFINITY';
  if (number === -Infinity) return 'CNN_SPEC_MINUS_INFINITY';
  if (Object.is(number, -0)) return 'CNN_SPEC_MINUS_ZERO';
  if (Math.abs(number * unit) > 32765)
    throw new RangeError(`${what} has ${number}, expected a number within an int16_t`);
  return `${number * unit}`;
}
