import { formulaOf } from '../spec/arithmetic.ts';
import { layerOf, type Call, type Case } from '../spec/law.ts';
import { indexOf, operate, trace, type Comparison, type Expression, type Read, type Step } from '../spec/trace.ts';
import { implementations, type LayerName } from '../src/layers.ts';
import type { Tensor } from '../src/tensor.ts';

/** A number in a grid: plain; read on the way to the result; outside the image; or the result. */
export interface Cell {
  readonly text: string;
  readonly mark: 'plain' | 'read' | 'outside' | 'result';
}

/** A part of an image, or what was made of it, with the indices of its rows and columns. */
export interface Grid {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly cells: readonly (readonly Cell[])[];
}

/** Grids side by side; between them what is done with them. */
export type Picture = readonly (Grid | '·' | '=')[];

/** Lines of a definition; one of them did it. */
export interface Quotation {
  readonly file: string;
  readonly line: number;
  readonly lines: readonly { readonly number: number; readonly text: string }[];
}

/** What is printed of a statement: it was done once, or again and again. */
export interface Section {
  readonly heading: string;
  readonly pictures: readonly Picture[];
  /** In columns. */
  readonly lines: readonly (readonly string[])[];
  readonly quotation: Quotation | undefined;
  /** The steps that the pictures and lines show, in that order. */
  readonly steps: readonly Shown[];
}

/** A step as it is shown: what it is computed from, other steps that are shown among it. */
export interface Shown {
  readonly step: Step;
  readonly expression: Expression;
}

/** How the definition computes one number. */
export interface Explanation {
  readonly layer: LayerName;
  /** 'y[0, 0, 1, 2]' */
  readonly target: string;
  readonly value: number;
  readonly formula: readonly string[];
  readonly shapes: readonly string[];
  readonly options: readonly string[];
  /** The images it comes from, and the one where it stands. */
  readonly places: readonly Grid[];
  readonly sections: readonly Section[];
  /** What the definition itself gives, without anybody who watches it. */
  readonly defined: number;
}

/** As people write it: multiples of 1/64 exactly, others with 6 digits. */
export function numberText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  if (!Number.isFinite(value)) return `${value}`.replace('Infinity', '∞');
  return Number.isInteger(value * 64) && Math.abs(value) < 1e6 ? `${value}` : `${Number(value.toPrecision(6))}`;
}

/** What numbers printed on the way are good for: all of a sum of thousands of terms is read by nobody. */
const MOST = 240;

/**
 * How the definition computes one number of y or of a gradient: every statement that had a part in it.
 * @throws RangeError if the call is wrong
 */
export async function explanation(
  layer: LayerName,
  given: Case | Call,
  output: string,
  index: readonly number[],
): Promise<Explanation> {
  const direction = output === 'y' ? 'forward' : 'backward';
  const { inputs, constants, options } = given;
  const call = direction === 'forward' ? { inputs, ...(constants && { constants }), options } : given;
  const { outputs, origin } = await trace(layer, call, direction);
  const target = origin(output, index);
  const definition = layerOf(implementations.naive, layer);
  const own = direction === 'forward' ? { y: definition.forward(call) } : definition.backward(call as Case);
  const { shape, data } = (own as Readonly<Record<string, Tensor>>)[output];
  const at = index.reduce((position, i, axis) => position * shape[axis] + i, 0);
  const named: Readonly<Record<string, Tensor>> = {
    ...inputs,
    ...constants,
    ...('dy' in call && { dy: (call as Case).dy }),
  };
  const steps = target.kind === 'result' ? stepsOf(target.step) : [];
  return {
    ...{ layer, target: element(output, index), value: target.value, defined: data[at] },
    formula: formulaOf(layer, direction === 'forward'),
    shapes: Object.entries({ ...named, [output]: outputs[output] }).map(
      ([name, tensor]) => `${name} (${tensor.shape.join(', ')})`,
    ),
    options: Object.entries(options).map(([name, value]) => `${name} ${optionText(value)}`),
    places: [
      ...Object.entries(named).flatMap(([name, tensor]) => places(name, tensor, steps)),
      ...around(output, outputs[output], [{ index, value: target.value }], 'result'),
    ],
    sections: target.kind === 'result' ? sectionsOf(steps) : [untouched(element(output, index))],
  };
}

/** The members of each group, in their order. */
function groups<T, K>(all: Iterable<T>, keyOf: (each: T) => K): ReadonlyMap<K, readonly T[]> {
  const found = new Map<K, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    if (found.has(key)) found.get(key)!.push(each);
    else found.set(key, [each]);
  }
  return found;
}

/** Of all numbers of an output the one that teaches most: it is not 0, some of it lies outside the image, many numbers go in. */
export async function interesting(layer: LayerName, call: Case | Call, output: string): Promise<readonly number[]> {
  const { outputs, origin } = await trace(layer, call, output === 'y' ? 'forward' : 'backward');
  const { shape, data } = outputs[output];
  const score = (index: readonly number[]) => {
    const target = origin(output, index);
    if (target.kind !== 'result') return 0;
    const reads = readsOf(stepsOf(target.step));
    const isSound = Number.isFinite(target.value) && target.value !== 0;
    const numbers = reads.filter(({ value, outside }) => value !== 0 && !outside).length;
    return 1 + (isSound ? 1000 : 0) + (reads.some(({ outside }) => outside) ? SEEN_OUTSIDE : 0) + numbers;
  };
  let [best, most] = [indexOf(shape, 0), 0];
  for (let at = 0; at < Math.min(data.length, SEARCHED); at++) {
    const index = indexOf(shape, at);
    const own = score(index);
    if (own > most) [best, most] = [index, own];
  }
  return best;
}
/** Elements, from the first on: there is one among them. */
const SEARCHED = 64;
/** That padding shows is worth a few numbers. */
const SEEN_OUTSIDE = 4;

const element = (name: string, index: readonly number[]) => (index.length > 0 ? `${name}[${index.join(', ')}]` : name);

function optionText(value: unknown): string {
  if (Array.isArray(value)) return `(${value.join(', ')})`;
  if (typeof value !== 'object' || value === null) return `${value}`;
  return Object.entries(value)
    .map(([side, width]) => `${side} ${width}`)
    .join(' ');
}

const untouched = (target: string): Section => ({
  ...{ heading: target, pictures: [], quotation: undefined, steps: [] },
  lines: [[`no statement of the definition writes ${target}: it stays 0, as it was made`]],
});

/** What stands for a number: another name for it is none. */
function resolve(expression: Expression): Expression {
  while (expression.kind === 'result' && expression.step.expression.kind !== 'operation')
    expression = expression.step.expression;
  return expression;
}

const operandsOf = (expression: Expression): readonly Expression[] =>
  expression.kind === 'operation' ? expression.operands.map(resolve) : [];

/** The steps that lead to a step, in the order in which they were done, but for those that only name a number again. */
function stepsOf(target: Step): readonly Step[] {
  const found = new Map([[target.at, target]]);
  const left: Expression[] = [resolve(target.expression)];
  for (let next = left.pop(); next; next = left.pop()) {
    left.push(...operandsOf(next));
    if (next.kind !== 'result' || found.has(next.step.at)) continue;
    found.set(next.step.at, next.step);
    left.push(resolve(next.step.expression));
  }
  return [...found.values()].toSorted((a, b) => a.at - b.at);
}

function readsOf(steps: readonly Step[]): readonly Read[] {
  const reads: Read[] = [];
  const left = steps.map(({ expression }) => resolve(expression));
  for (let next = left.pop(); next; next = left.pop()) {
    if (next.kind === 'read') reads.push(next);
    left.push(...operandsOf(next));
  }
  return reads.reverse();
}

/** The images of an argument that numbers were read from: of several channels with the same places the first. */
function places(name: string, tensor: Tensor, steps: readonly Step[]): readonly Grid[] {
  const panels = groups(
    readsOf(steps).filter((read) => read.name === name),
    ({ index }) => index.slice(0, -2).join(', '),
  );
  const seen = new Set<string>();
  return [...panels.values()].flatMap((reads) => {
    const cells = new Set(reads.map(({ index }) => index.slice(-2).join()));
    const all = tensor.shape.slice(-2).reduce((a, b) => a * b, 1);
    const key = [...cells].toSorted().join(';');
    if (seen.has(key) || (cells.size === all && !reads.some(({ outside }) => outside))) return [];
    seen.add(key);
    return seen.size > 3 ? [] : around(name, tensor, reads, 'read');
  });
}

/** Rows and columns of a picture that fits a screen. */
const WIDEST = 9;

/** The image in which some elements lie, as far as it fits: with what was read outside of it. */
function around(
  name: string,
  { shape, data }: Tensor,
  marked: readonly Pick<Read, 'index' | 'value'>[],
  mark: Cell['mark'],
): readonly Grid[] {
  if (shape.length === 0) return [];
  const leading = marked[0].index.slice(0, -2);
  const offset = leading.reduce((at, i, axis) => at * shape[axis] + i, 0);
  const [H, W] = [shape.at(-2) ?? 1, shape.at(-1)!];
  const placeOf = ({ index }: Pick<Read, 'index'>) => [index.at(-2) ?? 0, index.at(-1)!] as const;
  const rows = range(H, marked.map((each) => placeOf(each)[0])); // prettier-ignore
  const columns = range(W, marked.map((each) => placeOf(each)[1])); // prettier-ignore
  if (rows.length > 2 * WIDEST || columns.length > 2 * WIDEST) return [];
  const values = new Map(marked.map((each) => [placeOf(each).join(), each.value]));
  const cell = (row: number, column: number): Cell => {
    const value = values.get(`${row},${column}`);
    const inside = row >= 0 && row < H && column >= 0 && column < W;
    if (!inside) return { text: value === undefined ? '' : numberText(value), mark: value === undefined ? 'plain' : 'outside' }; // prettier-ignore
    return { text: numberText(data[(offset * H + row) * W + column]), mark: value === undefined ? 'plain' : mark };
  };
  return [
    {
      title: shape.length > 1 ? `${name}[${[...leading, '·', '·'].join(', ')}]` : `${name}[·]`,
      rows: shape.length > 1 ? rows.map(String) : [''],
      columns: columns.map(String),
      cells: rows.map((row) => columns.map((column) => cell(row, column))),
    },
  ];
}

/** 0 … count − 1 and what is marked outside; of more than fit, what is marked and its neighbours. */
function range(count: number, marked: readonly number[]): readonly number[] {
  const [least, most] = [Math.min(...marked), Math.max(...marked)];
  const whole = Math.max(count - 1, most) - Math.min(0, least) + 1 <= WIDEST;
  const first = whole ? Math.min(0, least) : Math.max(Math.min(0, least), least - 1);
  const last = whole ? Math.max(count - 1, most) : Math.min(Math.max(count - 1, most), most + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** A variable that goes on from its own last value: where it starts, and its steps. */
interface Chain {
  readonly start: Expression;
  readonly steps: Step[];
}

/** A section for each statement, those first that the others need. */
function sectionsOf(steps: readonly Step[]): readonly Section[] {
  const chains = new Map<number, Chain>();
  for (const step of steps) {
    if (!step.goesOn) continue;
    const [before] = operandsOf(step.expression);
    const chain = before.kind === 'result' && before.step.goesOn ? chains.get(before.step.at) : undefined;
    if (chain) chain.steps.push(step);
    chains.set(step.at, chain ?? { start: before, steps: [step] });
  }
  const label = labels(steps, chains);
  const statements = groups(steps, ({ source, line, name }) => `${source.file}:${line}:${name}`);
  const inOrder = [...statements.values()].toSorted((a, b) => a.at(-1)!.at - b.at(-1)!.at);
  return inOrder.map((group, i) => {
    const whole = i === inOrder.length - 1;
    if (!group[0].goesOn) return rowsOf(group, label, whole);
    const sums = [...new Set(group.map((step) => chains.get(step.at)!))].map((chain) => sumOf(chain, label, whole));
    return {
      ...sums[0],
      pictures: sums.flatMap(({ pictures }) => pictures),
      lines: sums.flatMap(({ lines }) => lines),
      steps: sums.flatMap(({ steps }) => steps),
      heading: sums.length > 1 ? group[0].name : sums[0].heading,
    };
  });
}

type Label = (step: Step) => string;

/** The name of what a step gives: sum, y[0, 1]; where there are several of a name, sum₁, sum₂. */
function labels(steps: readonly Step[], chains: ReadonlyMap<number, Chain>): Label {
  const first = (step: Step) => chains.get(step.at)?.steps[0] ?? step;
  const variables = groups(
    new Set(steps.filter(({ index }) => !index).map(first)),
    ({ source, name }) => `${source.file}:${name}`,
  );
  return (step) => {
    if (step.index) return element(step.name, step.index);
    const all = variables.get(`${step.source.file}:${step.name}`) ?? [];
    return all.length > 1 ? step.name + subscript(all.indexOf(first(step)) + 1) : step.name;
  };
}

const subscript = (n: number) => `${n}`.replace(/\d/g, (digit) => '₀₁₂₃₄₅₆₇₈₉'[Number(digit)]);

/** A statement that was done once, or several times, each time by itself. */
function rowsOf(group: readonly Step[], label: Label, whole: boolean): Section {
  const lines = group.slice(0, MOST).flatMap((step, i) => {
    const stages = stagesOf(resolve(step.expression), label);
    const since = sinceText(step.comparisons, label);
    if (group.length > 1 && !step.index)
      return [[label(step), `= ${stages[0]}`, `= ${stages.slice(1).join(' = ')}`, '', since]];
    if (i > 0) return [[label(step), `= ${stages.slice(1).join(' = ')}`, '', '', since]];
    if (stages.length === 2) return [[label(step), `= ${stages.join(' = ')}`, '', '', since]];
    return stages.map((stage, j) => [j === 0 ? label(step) : '', `= ${stage}`, '', '', j === 0 ? since : '']);
  });
  if (group.length > MOST) lines.push([`… ${group.length - MOST} more like these`]);
  return {
    ...{ heading: group.length > 1 ? group[0].name : label(group[0]), pictures: [], lines },
    ...{ quotation: quotation(group[0], whole), steps: group.map(shown) },
  };
}

const shown = (step: Step): Shown => ({ step, expression: resolve(step.expression) });

/** A sum, or a maximum, term by term. */
function sumOf({ start, steps }: Chain, label: Label, whole: boolean): Section {
  const terms = steps.map(({ expression }) => operandsOf(expression)[1]);
  const last = steps.at(-1)!.expression.value;
  const winner = isMaximum(steps[0]) ? terms.findIndex(({ value }) => value === last || Number.isNaN(value)) : -1;
  const reasons = steps.some(({ comparisons }) => comparisons.length > 0); // they say more than a grid
  const panels = reasons ? undefined : panelsOf(terms, winner);
  const name = label(steps.at(-1)!);
  const first =
    start.kind === 'constant' ? [] : [[name, `= ${symbolic(start, label)}`, `= ${numberText(start.value)}`]];
  const lines = panels ? inRows(panels, steps, terms, first, name) : oneByOne(steps, terms, first, name, label);
  return {
    ...{ heading: name, pictures: panels?.map((panel) => panel.picture) ?? [], lines },
    ...{ quotation: quotation(steps[0], whole || panels !== undefined), steps: steps.map(shown) },
  };
}

const isMaximum = ({ expression }: Step) => expression.kind === 'operation' && expression.operator === 'max';

function oneByOne(
  steps: readonly Step[],
  terms: readonly Expression[],
  first: readonly string[][],
  name: string,
  label: Label,
): readonly (readonly string[])[] {
  const lines = steps.slice(0, MOST).map((step, i) => {
    const stages = stagesOf(terms[i], label);
    const before = i === 0 && first.length === 0;
    const lead = isMaximum(step) ? (before ? 'largest of' : 'and') : before ? '' : '+';
    const text = `${lead} ${stages[0]}`.trim();
    const numbers = stages.slice(1).join(' = ');
    return [before ? name : '', `${before ? '= ' : '  '}${text}`, numbers && `= ${numbers}`, `→ ${numberText(step.expression.value)}`, sinceText(step.comparisons, label)]; // prettier-ignore
  });
  const left = steps.length - MOST;
  const rest = left > 0 ? [['', `  … ${left} more`, '', `→ ${numberText(steps.at(-1)!.expression.value)}`]] : [];
  return [...first, ...lines, ...rest];
}

/** One window, or one channel of it: the terms that lie in each of its rows. */
interface Panel {
  readonly picture: Picture;
  readonly rows: readonly (readonly number[])[];
}

/** Terms that are numbers of images, or products of two, as grids; undefined if they are anything else. Of a maximum one is the `winner`. */
function panelsOf(terms: readonly Expression[], winner: number): readonly Panel[] | undefined {
  const slots = terms.map((term) => (term.kind === 'operation' && term.operator === '*' ? operandsOf(term) : [term]));
  const isImage = (part: Expression): part is Read => part.kind === 'read' && part.index.length === 4;
  if (terms.length < 2 || terms.length > MOST || !slots.every((parts) => parts.every(isImage))) return undefined;
  const reads = slots as readonly (readonly Read[])[];
  if (reads.some((parts) => parts.length !== reads[0].length)) return undefined;
  const layout = Math.max(0, reads[0].findIndex(({ name }) => name === 'dy')); // prettier-ignore
  const leading = (i: number) => reads[i].map(({ index }) => index.slice(0, 2).join()).join(';');
  const panels = groups(terms.keys(), leading);
  return [...panels.values()].map((members) => {
    const place = (i: number) => reads[i][layout].index.slice(2);
    const rows = ascending(members.map((i) => place(i)[0]));
    const columns = ascending(members.map((i) => place(i)[1]));
    const at = (row: number, column: number) => members.find((i) => place(i)[0] === row && place(i)[1] === column);
    const cells = (cell: (i: number) => Cell) =>
      rows.map((row) =>
        columns.map((column) => {
          const i = at(row, column);
          return i === undefined ? { text: '', mark: 'plain' as const } : cell(i);
        }),
      );
    const grids = reads[members[0]].map((_, slot): Grid => {
      const axis = (which: number, list: readonly number[]) =>
        list.map((value) => {
          const own = new Set(members.filter((i) => place(i)[which - 2] === value).map((i) => reads[i][slot].index[which]));
          return own.size === 1 ? `${[...own][0]}` : '';
        }); // prettier-ignore
      return {
        title: `${reads[members[0]][slot].name}[${[...reads[members[0]][slot].index.slice(0, 2), '·', '·'].join(', ')}]`,
        ...{ rows: axis(2, rows), columns: axis(3, columns) },
        cells: cells((i) => ({ text: numberText(reads[i][slot].value), mark: i === winner ? 'result' : reads[i][slot].outside ? 'outside' : 'read' })),
      }; // prettier-ignore
    });
    const products: Grid = {
      title: 'products',
      ...{ rows: rows.map(() => ''), columns: columns.map(() => '') },
      cells: cells((i) => ({ text: numberText(terms[i].value + 0), mark: 'read' })),
    };
    const picture: Picture = grids.length === 1 ? grids : [grids[0], '·', grids[1], '=', products];
    return { picture, rows: rows.map((row) => members.filter((i) => place(i)[0] === row)) };
  });
}

const ascending = (values: readonly number[]) => [...new Set(values)].toSorted((a, b) => a - b);

/** What every row of a window adds, and the sum so far. */
function inRows(
  panels: readonly Panel[],
  steps: readonly Step[],
  terms: readonly Expression[],
  first: readonly string[][],
  name: string,
): readonly (readonly string[])[] {
  const maximum = isMaximum(steps[0]);
  const lines = panels
    .flatMap(({ rows }) => rows)
    .map((row, i) => {
      const values = row.map((at) => terms[at].value);
      const begins = i === 0 && first.length === 0;
      const before = row[0] > 0 ? [steps[row[0] - 1].expression.value] : [];
      const [leading, ...others] = values;
      const sum = [begins ? numberText(leading + 0) : signed(leading), ...others.map(signed)].join(' ');
      const text = maximum ? `max(${[...before, ...values].map(numberText).join(', ')})` : sum;
      return [begins ? name : '', begins ? `= ${text}` : `${maximum ? '= ' : '  '}${text}`, `= ${numberText(steps[row.at(-1)!].expression.value)}`];
    }); // prettier-ignore
  return [...first, ...lines];
}

/** As a part of a sum, where −0 is 0. */
const signed = (value: number) => (value < 0 ? `- ${numberText(-value)}` : `+ ${numberText(value + 0)}`);

function sinceText(comparisons: readonly Comparison[], label: Label): string {
  const texts = comparisons.slice(-1).map(({ operator, operands, holds }) => {
    const [a, b] = operands.map(resolve);
    const sign = signs[operator][holds ? 0 : 1];
    const value = (of: Expression) => (of.kind === 'constant' && /\d/.test(of.words) ? '' : ` = ${numberText(of.value)}`);
    const [left, right] = [`${symbolic(a, label)}${value(a)}`, `${symbolic(b, label)}${value(b)}`];
    return `${left} ${Number.isNaN(a.value + b.value) && !holds ? `is not ${signs[operator][0]}` : sign} ${right}`;
  }); // prettier-ignore
  return texts.length > 0 ? `since ${texts.join(', ')}` : '';
}

/** A comparison that holds, and one that does not. */
const signs: Readonly<Record<string, readonly [string, string]>> = {
  '===': ['is', 'is not'],
  '!==': ['is not', 'is'],
  '<': ['<', '≥'],
  '<=': ['≤', '>'],
  '>': ['>', '≤'],
  '>=': ['≥', '<'],
};

/** The symbols; the numbers in their place; and what becomes of them, operation by operation, to the last number. */
function stagesOf(expression: Expression, label: Label): readonly string[] {
  const stages = [symbolic(expression, label)];
  for (let now = numbersOf(expression); ; now = reduced(now)) {
    const text = symbolic(now, label);
    if (text !== stages.at(-1)) stages.push(text);
    if (now.kind !== 'operation') return stages;
  }
}

function numbersOf(expression: Expression): Expression {
  if (expression.kind === 'operation') return { ...expression, operands: operandsOf(expression).map(numbersOf) };
  return { kind: 'constant', value: expression.value, words: `${expression.value}` };
}

/** Every operation on numbers alone done. */
function reduced(expression: Expression): Expression {
  if (expression.kind !== 'operation') return expression;
  if (expression.operands.every(({ kind }) => kind === 'constant'))
    return { kind: 'constant', value: expression.value, words: `${expression.value}` };
  return { ...expression, operands: expression.operands.map(reduced) };
}

const infix: Readonly<Record<string, readonly [sign: string, binding: number]>> = {
  '+': [' + ', 1],
  '-': [' - ', 1],
  '*': [' · ', 2],
  '/': [' / ', 2],
};

/** Formulas as they are written, with no more brackets than they need. */
function symbolic(expression: Expression, label: Label, binding = 0, right = false): string {
  const bracket = (text: string, own: number) => (own < binding ? `(${text})` : text);
  switch (expression.kind) {
    case 'constant': {
      const isNumber = expression.words === `${expression.value}`;
      if (isNumber)
        return bracket(numberText(expression.value), right && /^-/.test(numberText(expression.value)) ? 0 : 4);
      return bracket(expression.words.replaceAll(' * ', ' · '), /^[\w.]+(\(.*\))?$/.test(expression.words) ? 4 : 1);
    }
    case 'read':
      return element(expression.name, expression.index);
    case 'result':
      return label(expression.step);
    case 'operation': {
      const { operator } = expression;
      const operands = operandsOf(expression);
      if (operator in infix) {
        const [sign, own] = infix[operator];
        return bracket(
          `${symbolic(operands[0], label, own)}${sign}${symbolic(operands[1], label, own + 1, true)}`,
          own,
        );
      }
      const inside = operands.map((operand) => symbolic(operand, label)).join(', ');
      if (operator === 'negative') return bracket(`-${symbolic(operands[0], label, 3, true)}`, 1);
      if (operator === 'abs') return `|${inside}|`;
      if (operator === 'sqrt') return `√(${inside})`;
      return `${operator}(${inside})`;
    }
  }
}

/** The line of a statement; if it matters more, with those around it. */
function quotation({ source, line }: Step, whole: boolean): Quotation {
  const text = source.text.split('\n');
  const numbers = whole ? [line - 1, line, line + 1] : [line];
  const lines = numbers.map((number) => ({ number, text: text[number - 1] }));
  const indent = Math.min(...lines.map((each) => each.text.search(/\S|$/)));
  return { file: source.file, line, lines: lines.map((each) => ({ ...each, text: each.text.slice(indent) })) };
}

/**
 * The number computed once more from what the sections show, and from nothing else.
 * @throws Error if they use what they do not show
 */
export function recomputed({ sections, value }: Explanation): number {
  const known = new Map<number, number>();
  const evaluate = (expression: Expression): number => {
    if (expression.kind === 'operation') return operate(expression.operator, operandsOf(expression).map(evaluate));
    if (expression.kind !== 'result') return expression.value;
    if (!known.has(expression.step.at)) throw new Error(`${expression.step.name} is used before it is shown`);
    return known.get(expression.step.at)!;
  };
  const steps = sections.flatMap((section) => section.steps).toSorted((a, b) => a.step.at - b.step.at);
  if (steps.length === 0) return value === 0 ? value : NaN;
  for (const { step, expression } of steps) known.set(step.at, evaluate(expression));
  return known.get(steps.at(-1)!.step.at)!;
}
