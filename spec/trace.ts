import type { LayerName, Layers } from '../src/layers.ts';
import { accumulate, get, getOr, set, size, type Tensor } from '../src/tensor.ts';
import { layerOf, type Call, type Case } from './law.ts';
import type { Edit } from './plant.ts';
import { planted } from './planted.ts';

/** Where a number comes from, and what it is. */
export type Expression = Constant | Read | Result | Operation;

/** A number that is no element of a tensor, in the words of the definition: '0', 'count(oh, ow)'. */
export interface Constant {
  readonly kind: 'constant';
  readonly value: number;
  readonly words: string;
}

/** An element of an argument, or what lies outside the image. */
export interface Read {
  readonly kind: 'read';
  readonly value: number;
  readonly name: string;
  readonly index: readonly number[];
  readonly outside: boolean;
}

/** What an earlier step gave. */
export interface Result {
  readonly kind: 'result';
  readonly value: number;
  readonly step: Step;
}

/** '+', '-', '*', '/', '**', 'negative', or a function of Math. */
export interface Operation {
  readonly kind: 'operation';
  readonly value: number;
  readonly operator: string;
  readonly operands: readonly Expression[];
}

/** One statement of a definition, as it was done once: a variable or an element of a tensor gets a value. */
export interface Step {
  /** How many steps were done before. */
  readonly at: number;
  readonly source: Source;
  readonly line: number;
  /** Of the variable or the tensor: 'sum', 'dx'. */
  name: string;
  /** Of the element, if it is one. */
  readonly index: readonly number[] | undefined;
  readonly expression: Expression;
  /** Whether the variable goes on from its own last value: sum += …, m = Math.max(m, …). */
  readonly goesOn: boolean;
  /** What was compared on the way here. */
  readonly comparisons: readonly Comparison[];
}

/** a ≤ b, and whether it is so. */
export interface Comparison {
  readonly operator: string;
  readonly operands: readonly [Expression, Expression];
  readonly holds: boolean;
}

/** A definition: its file, and its text. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** A call of a definition as it was computed. */
export interface Trace {
  /** y, or the gradients. */
  readonly outputs: Readonly<Record<string, Tensor>>;
  /** Where a number of an output comes from; 0, from nothing, if no statement wrote it. */
  readonly origin: (output: string, index: readonly number[]) => Expression;
}

/** A number that flows through a definition. Where it is compared with < or is a part of a text, it is a plain number again. */
class Traced {
  readonly expression: Expression;
  constructor(expression: Expression) {
    this.expression = expression;
  }
  valueOf(): number {
    return this.expression.value;
  }
}

type Value = number | Traced;
const plain = (value: Value): number => value.valueOf();
const expressionOf = (value: Value, words = `${value}`): Expression =>
  value instanceof Traced ? value.expression : { kind: 'constant', value, words };

/** More is not explained by any list of steps, and fills the memory. */
const MOST = 3_000_000;

const operators: Readonly<Record<string, (...operands: number[]) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '**': (a, b) => a ** b,
  negative: (a) => -a,
};

/** What an operation makes of numbers. */
export function operate(operator: string, operands: readonly number[]): number {
  return (operators[operator] ?? (Math[operator as 'max'] as (...operands: number[]) => number))(...operands);
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '===': (a, b) => a === b,
  '!==': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** What one call writes down. */
class Recording {
  readonly known: ReadonlyMap<Float64Array, readonly [name: string, Tensor]>;
  readonly cells = new Map<Float64Array, Expression[]>();
  compared: Comparison[] = [];
  private count = 0;

  constructor(call: Call | Case) {
    const tensors = { ...call.inputs, ...call.constants, ...('dy' in call && { dy: call.dy }) };
    this.known = new Map(Object.entries(tensors).map(([name, tensor]) => [tensor.data, [name, tensor]]));
  }

  read(words: string, data: Float64Array, at: number): Value {
    const argument = this.known.get(data);
    if (argument)
      return new Traced({
        kind: 'read',
        value: data[at],
        name: argument[0],
        index: indexOf(argument[1].shape, at),
        outside: false,
      });
    const origin = this.cells.get(data)?.[at];
    if (origin?.kind === 'result' && /^\w+$/.test(words)) origin.step.name = words; // what a function gave has a new name
    return origin ? new Traced(origin) : data[at];
  }

  step(source: Source, line: number, name: string, expression: Expression, goesOn: boolean, index?: readonly number[]) {
    if (++this.count > MOST)
      throw new RangeError(
        `this call takes more than ${MOST.toLocaleString('en')} steps, expected a small one, as people compute by hand`,
      );
    const step: Step = {
      ...{ at: this.count, source, line, name, index, expression, goesOn },
      comparisons: this.compared,
    };
    this.compared = [];
    return new Traced({ kind: 'result', value: expression.value, step });
  }

  write(data: Float64Array, at: number, { expression }: Traced): void {
    if (!this.cells.has(data)) this.cells.set(data, []);
    this.cells.get(data)![at] = expression;
  }
}

let recording: Recording;

/** What the edits of tracingEdits.ts call, for each file. */
(globalThis as { cnnSpecTracer?: object }).cnnSpecTracer = (file: string, text: string) => {
  const source: Source = { file, text };
  const flat = ({ shape }: Tensor, index: readonly number[]) => index.reduce((at, i, axis) => at * shape[axis] + i, 0);
  const store = (line: number, name: string, x: Tensor, value: Value, goesOn: boolean, index: readonly number[]) =>
    recording.write(
      ...([x.data, flat(x, index)] as const),
      recording.step(source, line, name, expressionOf(value), goesOn, index),
    );
  return {
    plain,
    apply(operator: string, words: readonly string[], ...operands: Value[]): Value {
      const value = operate(operator, operands.map(plain));
      if (!operands.some((operand) => operand instanceof Traced)) return value;
      return new Traced({
        ...{ kind: 'operation', value, operator },
        operands: operands.map((operand, i) => expressionOf(operand, words[i])),
      });
    },
    compare(operator: string, words: readonly string[], a: Value, b: Value): boolean {
      const holds = comparisons[operator](a as number, b as number);
      if (!(a instanceof Traced) && !(b instanceof Traced)) return holds;
      const really = comparisons[operator](plain(a), plain(b));
      const operands = [expressionOf(a, words[0]), expressionOf(b, words[1])] as const;
      recording.compared.push({ operator, operands, holds: really });
      return really;
    },
    /** What was compared has led to nothing, or is done with. */
    forget: () => void (recording.compared = []),
    assign<T>(line: number, name: string, value: T): T | Traced {
      if (!(value instanceof Traced)) return value;
      const { expression } = value;
      const goesOn = expression.kind === 'operation' && isNamed(expression.operands[0], name);
      return recording.step(source, line, name, expression, goesOn);
    },
    get(_: number, words: string, x: Tensor, ...index: number[]): Value {
      get(x, ...index);
      return recording.read(words, x.data, flat(x, index));
    },
    getOr(_: number, words: string, outside: number, x: Tensor, ...index: number[]): Value {
      const value = getOr(outside, x, ...index);
      if (!index.some((i, axis) => i < 0 || i >= x.shape[axis])) return recording.read(words, x.data, flat(x, index));
      const name = recording.known.get(x.data)?.[0] ?? words;
      return new Traced({ kind: 'read', value, name, index, outside: true });
    },
    set(line: number, name: string, x: Tensor, value: Value, ...index: number[]): void {
      set(x, plain(value), ...index);
      store(line, name, x, value, false, index);
    },
    accumulate(line: number, name: string, x: Tensor, value: Value, ...index: number[]): void {
      const before = expressionOf(recording.read(name, x.data, flat(x, index)));
      accumulate(x, plain(value), ...index);
      const operands = [before, expressionOf(value)];
      const sum: Expression = { kind: 'operation', operator: '+', operands, value: get(x, ...index) };
      store(line, name, x, new Traced(sum), true, index);
    },
    at: (data: Float64Array, at: number): Value => recording.read('', data, at),
    put(line: number, name: string, data: Float64Array, at: number, value: Value): void {
      data[at] = plain(value);
      recording.write(data, at, recording.step(source, line, name, expressionOf(value), false));
    },
    map(line: number, data: Float64Array, make: (value: Value, at: number) => Value): Float64Array {
      const made = new Float64Array(data.length);
      for (let at = 0; at < data.length; at++) this.put(line, '', made, at, make(recording.read('', data, at), at));
      return made;
    },
    slice(line: number, data: Float64Array): Float64Array {
      return this.map(line, data, (value) => value);
    },
  };
};

/** Whether a value is that of a variable, or the constant that it starts from. */
const isNamed = (expression: Expression, name: string) =>
  expression.kind === 'result'
    ? expression.step.name === name
    : expression.kind === 'constant' && expression.words === name;

/** The index of an element of a tensor, by its position. */
export const indexOf = (shape: readonly number[], at: number): readonly number[] =>
  shape.map((count, axis) => Math.floor(at / size(shape.slice(axis + 1))) % count);

let tracing: Promise<Layers> | undefined;
/** The definitions that write down what they do: of the sources now, in the package as the build has planted them. */
async function tracingLayers(): Promise<Layers> {
  const edits: readonly Edit[] = import.meta.url.endsWith('.ts')
    ? await (await import('./tracingEdits.ts')).tracingEdits()
    : [];
  return planted<Layers>('tracing', edits, 'naive/index.ts');
}

/**
 * Computes a call by the definition, and remembers of every number where it comes from.
 * @throws RangeError if the call is wrong or very large
 */
export async function trace(name: LayerName, call: Call | Case, direction: 'forward' | 'backward'): Promise<Trace> {
  const layer = layerOf(await (tracing ??= tracingLayers()), name);
  const own = (recording = new Recording(call));
  const outputs: Readonly<Record<string, Tensor>> =
    direction === 'backward' ? layer.backward(call as Case) : { y: layer.forward(call) };
  return {
    outputs,
    origin(output, index) {
      const { shape, data } = outputs[output];
      const at = index.reduce((position, i, axis) => position * shape[axis] + i, 0);
      const origin = own.cells.get(data)?.[at];
      if (origin?.kind !== 'result') return { kind: 'constant', value: data[at], words: `${data[at]}` };
      return { ...origin, step: { ...origin.step, name: output, index } };
    },
  };
}
