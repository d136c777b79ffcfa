import { readdirSync, readFileSync } from 'node:fs';
import { parsers } from 'prettier/plugins/typescript';
import type { Edit } from './plant.ts';

/** What this needs to know of a node of the syntax tree (ESTree). */
interface Node {
  readonly type: string;
  readonly range: readonly [number, number];
  readonly loc: { readonly start: { readonly line: number } };
  readonly [key: string]: any;
}

const ARITHMETIC = ['+', '-', '*', '/', '**'];
const COMPARISONS = ['===', '!==', '<', '<=', '>', '>='];
const ACCESSES = ['get', 'getOr', 'set', 'accumulate'];

/**
 * Edits of every definition under which its arithmetic is done by `globalThis.cnnSpecTracer`, see trace.ts: each operator, each
 * function of Math, each access of an element and each assignment, with its line and the words that stand there.
 *
 *     sum += get(x, n, d) * 2      becomes      sum = $.assign(33, "sum", $.apply("+", ["sum", "…"], sum, $.apply("*", …)))
 */
export async function tracingEdits(): Promise<readonly Edit[]> {
  const folder = new URL('../src/naive/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file !== 'index.ts');
  return Promise.all(
    files.map(async (name) => {
      const find = readFileSync(new URL(name, folder), 'utf8');
      const source = JSON.stringify(find).replaceAll("from '", 'from \\u0027'); // nobody should take it for an import
      const tracer = `const $ = (globalThis as any).cnnSpecTracer('src/naive/${name}', ${source}); `;
      return { file: `naive/${name}`, find, put: tracer + (await traced(find)) };
    }),
  );
}

/** The text of a definition with its arithmetic told to `$`. */
async function traced(text: string): Promise<string> {
  const program: Node = await parsers.typescript.parse(text, { filepath: 'definition.ts' } as never);
  const words = ({ range }: Node) => text.slice(...range);
  const quoted = (...nodes: readonly Node[]) => JSON.stringify(nodes.map(words));
  const word = (node: Node) => JSON.stringify(words(node));
  const list = (nodes: readonly Node[]) => nodes.map(put).join(', ');
  const isData = ({ type, computed, property }: Node) =>
    type === 'MemberExpression' && !computed && property.name === 'data';
  const isFunction = ({ type }: Node) => type === 'ArrowFunctionExpression';

  function put(node: Node): string {
    const { type, left, right, operator, callee } = node;
    const { line } = node.loc.start;
    if (type === 'IfStatement' && node.consequent.type === 'ThrowStatement') return words(node); // whether a call is right
    if (type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.init && !isFunction(node.init))
      return `${words(node.id)} = $.assign(${line}, ${word(node.id)}, ${put(node.init)})`;
    if (type === 'AssignmentExpression' && left.type === 'Identifier') {
      const update = `$.apply(${JSON.stringify(operator[0])}, ${quoted(left, right)}, ${words(left)}, ${put(right)})`;
      return `${words(left)} = $.assign(${line}, ${word(left)}, ${operator === '=' ? put(right) : update})`;
    }
    if (type === 'AssignmentExpression' && isData(left.object)) {
      const { object, property } = left;
      return `$.put(${line}, ${word(object.object)}, ${words(object)}, ${put(property)}, ${put(right)})`;
    }
    if (type === 'BinaryExpression' && ARITHMETIC.includes(operator))
      return `$.apply(${JSON.stringify(operator)}, ${quoted(left, right)}, ${list([left, right])})`;
    if (type === 'BinaryExpression' && COMPARISONS.includes(operator))
      return `$.compare(${JSON.stringify(operator)}, ${quoted(left, right)}, ${list([left, right])})`;
    if (type === 'UnaryExpression' && operator === '-')
      return `$.apply("negative", ${quoted(node.argument)}, ${put(node.argument)})`;
    if (type === 'MemberExpression' && node.computed && isData(node.object))
      return `$.at(${words(node.object)}, ${put(node.property)})`;
    if (type === 'CallExpression' && ACCESSES.includes(callee.name)) {
      const of = callee.name === 'getOr' ? node.arguments[1] : node.arguments[0];
      return `$.${callee.name}(${line}, ${word(of)}, ${list(node.arguments)})`;
    }
    if (type === 'CallExpression' && callee.object?.name === 'Math')
      return `$.apply("${callee.property.name}", ${quoted(...node.arguments)}, ${list(node.arguments)})`;
    if (type === 'CallExpression' && callee.object?.name === 'Number')
      return `${words(callee)}($.plain(${list(node.arguments)}))`;
    if (type === 'CallExpression' && callee.object && isData(callee.object))
      if (callee.property.name === 'map' || callee.property.name === 'slice')
        return `$.${callee.property.name}(${[line, words(callee.object), ...node.arguments.map(put)].join(', ')})`;
    if (type === 'IfStatement' && node.consequent.type !== 'ContinueStatement' && !node.alternate && !node.told)
      return `{ ${put({ ...node, told: true })} $.forget(); }`;
    let [result, at] = ['', node.range[0]];
    for (const child of childrenOf(node)) {
      if (child.range[0] < at) continue; // { shorthand }
      result += text.slice(at, child.range[0]) + put(child);
      at = child.range[1];
    }
    return result + text.slice(at, node.range[1]);
  }
  return put({ ...program, range: [0, text.length] });
}

/** In reading order, and without types. */
function childrenOf(node: Node): readonly Node[] {
  return Object.entries(node)
    .filter(([key]) => key !== 'loc' && key !== 'range' && key !== 'comments' && key !== 'tokens')
    .flatMap(([, value]) => value)
    .filter((value): value is Node => typeof value?.type === 'string' && Array.isArray(value.range))
    .filter(({ type }) => !type.startsWith('TS') && type !== 'ImportDeclaration')
    .toSorted((a, b) => a.range[0] - b.range[0]);
}
