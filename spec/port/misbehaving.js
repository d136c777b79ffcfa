// A small port, relu and linear, that is right but for one way to misbehave:
//
//     node misbehaving.js MODE              at every third call, or when it starts, as the mode has it
//     node misbehaving.js random SEED FILE  at random moments; FILE counts how often it has started
//
// Everything is written at once and synchronously, so that what comes out is what a mode says and nothing else.
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, readSync, statSync, writeSync } from 'node:fs';

const [mode = 'right', seed, file] = process.argv.slice(2);

// ── The layers ───────────────────────────────────────────────────────────────

const spelled = (value) =>
  Number.isFinite(value) && !Object.is(value, -0) ? value : Object.is(value, -0) ? '-0' : `${value}`;
const tensor = (shape, data) => ({ shape, data: data.map(spelled) });
const size = (shape) => shape.reduce((a, b) => a * b, 1);

function read(name, { shape, data }, ...expected) {
  if (data.length !== size(shape)) throw new Error(`${name} has ${data.length} numbers, expected ${size(shape)}`);
  if (
    expected.length > 0 &&
    (shape.length !== expected.length || expected.some((s, i) => s !== undefined && s !== shape[i]))
  )
    throw new Error(`${name} has shape (${shape})`);
  return { shape, data: data.map(Number) };
}

const layers = {
  relu: {
    forward({ x: { shape, data } }) {
      return {
        y: tensor(
          shape,
          data.map((value) => (value <= 0 ? 0 : value)),
        ),
      };
    },
    backward({ x: { shape, data } }, dy) {
      const blocked = (value) => (mode === 'slope-one-at-zero' ? value < 0 : value <= 0);
      const { data: slopes } = read('dy', dy, ...shape);
      return {
        dx: tensor(
          shape,
          slopes.map((slope, i) => (blocked(data[i]) ? 0 : slope)),
        ),
      };
    },
  },
  linear: {
    forward(inputs) {
      const { N, D, O, x, w, b } = linear(inputs);
      const y = range(N * O, (i) => sum(D, (d) => x[Math.floor(i / O) * D + d] * w[(i % O) * D + d], b[i % O]));
      return { y: tensor([N, O], y) };
    },
    backward(inputs, given) {
      const { N, D, O, x, w } = linear(inputs);
      const { data: dy } = read('dy', given, N, O);
      const dx = range(N * D, (i) => sum(O, (o) => w[o * D + (i % D)] * dy[Math.floor(i / D) * O + o]));
      const dw = range(O * D, (i) => sum(N, (n) => x[n * D + (i % D)] * dy[n * O + Math.floor(i / D)]));
      const db = range(O, (o) => sum(N, (n) => dy[n * O + o]));
      return { dx: tensor([N, D], dx), dw: tensor([O, D], dw), db: tensor([O], db) };
    },
  },
};

function linear({ x, w, b }) {
  const [N, D] = read('x', x, undefined, undefined).shape;
  const [O] = read('w', w, undefined, D).shape;
  read('b', b, O);
  return { N, D, O, x: x.data, w: w.data, b: b.data };
}

const range = (count, value) => Array.from({ length: count }, (_, i) => value(i));
const sum = (count, term, start = 0) => range(count, term).reduce((a, b) => a + b, start);

function answer({ seq, layer, direction, inputs, options, dy }) {
  try {
    if (Object.keys(options).length > 0) throw new Error('no options');
    const numbers = Object.fromEntries(Object.entries(inputs).map(([k, each]) => [k, read(k, each)]));
    return { seq, outputs: layers[layer][direction](numbers, dy) };
  } catch ({ message }) {
    return { seq, error: message };
  }
}

const both = ['forward', 'backward'];
const introduction = {
  protocol: 1,
  name: 'misbehaving',
  language: 'JavaScript',
  dtype: 'float64',
  layers: { relu: both, linear: both },
};

// ── The misbehaviours ────────────────────────────────────────────────────────

const write = (text, stream = 1) => {
  for (let bytes = Buffer.from(text); bytes.length > 0;) bytes = bytes.subarray(writeSync(stream, bytes));
};
const sleep = (milliseconds) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
const hang = () => sleep(1e9);
const die = (signal) => {
  process.kill(process.pid, signal);
  hang();
};
const line = (value) => write(`${JSON.stringify(value)}\n`);
/** Of an answer with outputs: with other ones. Errors stay as they are. */
const outputs = (change) => (given) => line(given.outputs ? { ...given, outputs: change(given.outputs) } : given);
const first = (all, change) => {
  const [[k, value], ...others] = Object.entries(all);
  return Object.fromEntries([[k, change(value)], ...others]);
};

/** Instead of the answer to every third call. */
const answering = {
  crashes: () => process.exit(3),
  throws: () => {
    throw new Error('the third call is too much');
  },
  'dies-by-SIGSEGV': () => die('SIGSEGV'),
  'exits-0': () => process.exit(0),
  'exits-0-after': (given) => {
    line(given);
    process.exit(0);
  },
  hangs: hang,
  'hangs-in-the-line': (given) => {
    write(JSON.stringify(given)); // a line that is not ended, nor flushed
    hang();
  },
  'exits-in-the-line': (given) => {
    write(JSON.stringify(given).slice(0, 12));
    process.exit(0);
  },
  'answers-late': (given) => {
    sleep(1500);
    line(given);
  },
  garbage: () => write('\u0000\u001b[31mÆØ☃ segmentation fault\n'),
  'no-object': () => line([1, 2, 3]),
  'answers-empty': () => line({}),
  'logs-first': (given) => {
    write('loading weights…\n');
    line(given);
  },
  'empty-line-first': (given) => {
    write('\n');
    line(given);
  },
  'wrong-seq': (given) => line({ ...given, seq: given.seq + 1 }),
  'no-seq': ({ outputs }) => line({ outputs }),
  'answers-before': () => line(answers.at(-2)),
  'answers-twice': (given) => write(`${JSON.stringify(given)}\n`.repeat(2)),
  'outputs-null': (given) => line({ seq: given.seq, outputs: null }),
  'wrong-shape': outputs((all) => first(all, ({ shape, data }) => ({ shape: [...shape, 1], data }))),
  'wrong-rank': outputs((all) => first(all, ({ data }) => ({ shape: range(1e5, () => 1), data }))),
  'no-shape': outputs((all) => first(all, ({ data }) => ({ data }))),
  'no-tensor': outputs((all) => first(all, ({ data }) => data)),
  'negative-shape': outputs((all) => first(all, ({ data }) => ({ shape: [-1, -data.length], data }))),
  'wrong-length': outputs((all) => first(all, ({ shape, data }) => ({ shape, data: [...data, 0] }))),
  'nested-data': outputs((all) =>
    first(all, ({ shape, data }) => ({ shape, data: [data, ...range(data.length - 1, () => 0)] })),
  ),
  'null-for-NaN': outputs((all) => first(all, ({ shape, data }) => ({ shape, data: [null, ...data.slice(1)] }))),
  'text-for-numbers': outputs((all) => first(all, ({ shape, data }) => ({ shape, data: ['nan', ...data.slice(1)] }))),
  'bare-NaN': ({ seq }) => write(`{"seq":${seq},"outputs":{"y":{"shape":[1],"data":[NaN]}}}\n`),
  'extra-outputs': outputs((all) => ({ ...all, z: { shape: [], data: [1] } })),
  'no-outputs': outputs(() => ({})),
  'deep-seq': () => write(`{"seq":${'['.repeat(1e5)}${']'.repeat(1e5)}}\n`),
  'closes-stdout': () => {
    closeSync(1);
    hang();
  },
  'writes-100-MB': () => {
    for (let i = 0; i < 100; i++) write('x'.repeat(2 ** 20));
    hang();
  },
  'leaves-a-child': () => {
    spawn('sleep', ['600'], { stdio: 'inherit' });
    process.exit(3);
  },
  skips: ({ seq }) => line({ seq, skip: 'no third calls yet' }),
  refuses: ({ seq }) => line({ seq, error: 'out of memory' }),
  // These are well behaved, each in its own way.
  'in-many-writes': (given) => {
    for (const byte of Buffer.from(`${JSON.stringify({ ...given, note: 'ÆØ☃' })}\n`)) writeSync(1, Buffer.of(byte));
  },
  CRLF: (given) => write(`${JSON.stringify(given)}\r\n`),
  'writes-to-stderr': (given) => {
    for (let i = 0; i < 100; i++) write(`${'noise '.repeat(1000)}\n`, 2);
    line(given);
  },
  right: line,
  'slope-one-at-zero': line,
};

const introduced = (change) => () => line({ ...introduction, ...change });

/** Instead of the introduction. */
const starting = {
  'ends-at-once': () => process.exit(0),
  'says-why-it-ends': () => {
    write('there is no GPU\n', 2);
    process.exit(1);
  },
  'never-reads': hang,
  'starts-with-garbage': () => write('Hello!\n'),
  'starts-with-BOM': () => write(`\ufeff${JSON.stringify(introduction)}\n`),
  'starts-empty': () => line({}),
  'protocol-2': introduced({ protocol: 2 }),
  'no-name': introduced({ name: '' }),
  'no-layers': introduced({ layers: {} }),
  'layers-as-list': introduced({ layers: ['relu'] }),
  'unknown-layer': introduced({ layers: { relu: both, rleu: both } }),
  'unknown-direction': introduced({ layers: { relu: ['forwards'] } }),
  'wrong-dtype': introduced({ dtype: 'float16' }),
  'wrong-layout': introduced({ layout: 'CHWN' }),
};

/** Whoever starts twice does not do it well the second time: it is there from the first crash on. */
const restarting = { 'does-not-come-back': () => process.exit(4) };

// ── At random ────────────────────────────────────────────────────────────────

/** The n-th of some numbers below `below` that a text stands for: FNV-1a. */
const drawn = (text, below) => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(`${seed} ${text}`)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return ((hash ^ (hash >>> 15)) >>> 0) % below;
};

const someValues = [null, true, -1, 0.5, 1e308, '', 'NaN', 'text', [], {}, [[[]]], { shape: [2], data: [1] }];

/** The value with one part of it, at any depth, changed, left out or doubled. */
function mutated(value, text) {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || drawn(`${text} here`, 5) === 0) return someValues[drawn(`${text} value`, someValues.length)];
  const key = keys[drawn(`${text} key`, keys.length)];
  const copy = structuredClone(value);
  const kind = drawn(`${text} kind`, 6);
  if (kind === 0) Array.isArray(copy) ? copy.splice(key, 1) : delete copy[key];
  else if (kind === 1) Array.isArray(copy) ? copy.push(copy[key]) : (copy[`${key}${key}`] = copy[key]);
  else copy[key] = mutated(value[key], `${text}.`);
  return copy;
}

function misbehave(given, text) {
  const right = Buffer.from(`${JSON.stringify(given)}\n`);
  const at = drawn(`${text} at`, right.length);
  const bytes = (...parts) => write(Buffer.concat(parts.map((part) => Buffer.from(part))));
  const ways = [
    () => bytes(right.subarray(0, at)), // truncated, without its end
    () => bytes(right.subarray(0, at), '\n'),
    () => bytes(right, right),
    () => bytes(right.subarray(0, at), [drawn(`${text} byte`, 256)], right.subarray(at + 1)),
    () => bytes(right.subarray(0, at), right.subarray(at + 1)),
    () => bytes(right.subarray(0, at), '\n', right.subarray(at)),
    () =>
      bytes(
        range(at, (i) => drawn(`${text} ${i}`, 256)),
        '\n',
        right,
      ),
    () => bytes('warning: …\n', right),
    () => {}, // dropped
    () => process.exit(drawn(`${text} code`, 4)),
    () => {
      bytes(right.subarray(0, at));
      process.exit(1);
    },
    () => {
      bytes(right);
      process.exit(0);
    },
    () => die(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT'][drawn(`${text} signal`, 4)]),
    () => {
      closeSync(1);
      drawn(`${text} lives`, 2) ? hang() : process.exit(0);
    },
    () => {
      closeSync(0); // and answers once more
      bytes(right);
      hang();
    },
    hang,
    () => {
      sleep(250 + drawn(`${text} late`, 100));
      bytes(right);
    },
    () => {
      spawn('sleep', ['600'], { stdio: 'inherit' });
      drawn(`${text} after`, 2) ? process.exit(0) : bytes(right);
    },
    () => bytes('x'.repeat(2 ** 16)),
    ...range(12, (i) => () => line(mutated(given, `${text} ${i}`))),
  ];
  ways[drawn(`${text} way`, ways.length)]();
}

// ── The loop ─────────────────────────────────────────────────────────────────

const answers = [];
let starts = 0;
if (file) {
  appendFileSync(file, '.');
  starts = statSync(file).size;
}

function said(message) {
  if (message.cmd === 'stop') process.exit(0);
  if (message.cmd === 'start') {
    if (mode === 'random' && drawn(`start ${starts}`, 8) === 0) return misbehave(introduction, `start ${starts}`);
    if (starts > 1 && restarting[mode]) return restarting[mode]();
    return (starting[mode] ?? introduced({}))();
  }
  const given = answer(message);
  answers.push(given);
  if (mode === 'random')
    return drawn(`run ${message.seq}`, 5) === 0 ? misbehave(given, `run ${message.seq}`) : line(given);
  if (answers.length % 3 !== 0) return line(given);
  (answering[mode] ?? (restarting[mode] ? () => process.exit(3) : line))(given);
}

const known = [answering, starting, restarting].some((modes) => Object.hasOwn(modes, mode));
if (!known && mode !== 'random') throw new Error(`there is no mode ${mode}`);
if (mode === 'never-reads') hang();
if (mode === 'ends-at-once') process.exit(0);
let rest = '';
for (const chunk = Buffer.alloc(2 ** 16); ;) {
  const count = readSync(0, chunk);
  if (count === 0) break;
  rest += chunk.toString('utf8', 0, count); // what is asked is ASCII
  const lines = rest.split('\n');
  rest = lines.pop();
  for (const each of lines) said(JSON.parse(each));
}
