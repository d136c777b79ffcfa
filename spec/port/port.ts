import type { LayerName } from '../../src/layers.ts';
import { permute } from '../../src/ndarray.ts';
import type { Tensor } from '../../src/tensor.ts';
import { explicitOptions, nearlyExplicit } from '../explicitOptions.ts';
import type { Call, Case, Layer } from '../law.ts';
import type { Judgeable } from './check.ts';
import { Bridge, type Reply } from './bridge.ts';
import {
  introduction,
  parse,
  PortError,
  quoted,
  read,
  request,
  roundings,
  written,
  type Direction,
  type Introduction,
} from './protocol.ts';
import { refusal } from './refusal.ts';

/** A foreign program as one more implementation: its layers have the functions that those of naive have. */
export class Port implements Judgeable {
  readonly introduction: Introduction;
  readonly #bridge: Bridge;
  #seq = 0;
  #runs = false;

  /**
   * @param command the program and its arguments
   * @param timeout seconds to wait for an answer
   * @throws PortError if it does not start, or does not introduce itself as the protocol has it
   */
  constructor(command: readonly string[], timeout = 10) {
    this.#bridge = new Bridge(command, timeout);
    try {
      this.introduction = this.#start();
    } catch (error) {
      void this.#bridge.close();
      throw error;
    }
  }

  get name(): string {
    return this.introduction.name;
  }

  /** The unit roundoff of its numbers. */
  get u(): number {
    return roundings[this.introduction.dtype].u;
  }

  has(name: LayerName, direction: Direction): boolean {
    return this.introduction.layers[name]?.includes(direction) ?? false;
  }

  layer(name: LayerName): Layer {
    return {
      u: this.u,
      forward: (call) => this.run(name, 'forward', call).y,
      backward: (call) => this.run(name, 'backward', call),
    };
  }

  /**
   * What the program makes of a call.
   * @throws PortError if it has no answer
   */
  run(name: LayerName, direction: Direction, call: Call | Case): Readonly<Record<string, Tensor>> {
    if (!this.has(name, direction)) throw new PortError('skip', `does not claim ${name} ${direction}`);
    try {
      if (!this.#runs) this.#start();
      const seq = ++this.#seq;
      const reply = this.#bridge.ask(this.#requestOf(seq, name, direction, call));
      return this.#outputs(reply, seq, name, direction, call);
    } catch (error) {
      if (error instanceof PortError && error.failure === 'broken') this.#restart();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#bridge.close();
  }

  #start(): Introduction {
    const said = introduction(this.#lineOf(this.#bridge.ask('{"cmd":"start","protocol":1}')));
    this.#runs = true;
    return said;
  }

  /** Whoever has said something else than an answer may go on with what is the answer to an earlier question. */
  #restart(): void {
    this.#bridge.end();
    this.#runs = false;
  }

  #lineOf(reply: Reply): string {
    if ('line' in reply) return reply.line;
    this.#runs = false;
    if ('endless' in reply)
      throw new PortError('broken', `wrote ${reply.endless} bytes without the end of a line, and was ended`);
    const wrote = reply.unfinished && `wrote ${quoted(reply.unfinished)} without the end of a line, `;
    if ('silent' in reply)
      throw new PortError(
        'hung',
        `${wrote || 'said '}nothing ${wrote && 'more '}for ${reply.silent} s, and was ended: does it flush stdout after each line?`,
      );
    const last = reply.last.trim().slice(-60);
    throw new PortError('crashed', `${wrote}ended ${reply.ended}${last && `; its last words: ${quoted(last)}`}`);
  }

  #requestOf(seq: number, name: LayerName, direction: Direction, call: Call | Case): string {
    const all = (tensors: Call['inputs']) =>
      Object.fromEntries(Object.entries(tensors).map(([k, tensor]) => [k, this.#sent(k, tensor)]));
    const tensors = {
      ...(direction === 'backward' && 'dy' in call && { dy: this.#sent('dy', call.dy) }),
      inputs: all(call.inputs),
      ...(call.constants && { constants: all(call.constants) }),
    };
    return request(seq, name, direction, tensors as never, optionsOf(name, call));
  }

  /** A tensor as the port wants it. What is no tensor is sent as it is: the call is to be refused. */
  #sent(k: string, tensor: Tensor): unknown {
    if (!tensor?.shape || !tensor.data) return tensor;
    const axes = tensor.shape.length === 4 ? this.#axes(k) : undefined;
    const whole = tensor.data.length === tensor.shape.reduce((a, b) => a * b, 1);
    return written(axes && whole ? permute(tensor, axes) : tensor);
  }

  /** In the port's order of the four axes, where each stands in ours; undefined if they are the same. */
  #axes(k: string): readonly number[] | undefined {
    const { layout, weights } = this.introduction;
    if (k === 'w' || k === 'dw') return { OIHW: undefined, OHWI: [0, 2, 3, 1], HWIO: [2, 3, 1, 0] }[weights];
    return { NCHW: undefined, NHWC: [0, 2, 3, 1] }[layout];
  }

  #outputs(reply: Reply, seq: number, name: LayerName, direction: Direction, call: Call | Case) {
    const said = parse(this.#lineOf(reply));
    if (said.seq !== seq)
      throw new PortError('broken', `answers seq ${quoted(said.seq)}, expected ${seq}, what it was asked last`);
    if (typeof said.skip === 'string') throw new PortError('skip', said.skip);
    if (typeof said.error === 'string') throw refusal(new PortError('refused', said.error), name, direction, call);
    const { outputs } = said;
    if (typeof outputs !== 'object' || outputs === null)
      throw new PortError('broken', `answers ${quoted(said)}, expected outputs, or an error, or a skip`);
    const names = direction === 'forward' ? ['y'] : Object.keys(call.inputs).map((k) => `d${k}`);
    const missing = names.find((k) => !(k in outputs));
    if (missing) throw new PortError('broken', `answers without ${missing}, expected ${names.join(', ')}`);
    const extra = Object.keys(outputs).find((k) => !names.includes(k));
    if (extra) throw new PortError('broken', `answers with ${extra} too, expected ${names.join(', ')} alone`);
    const { round } = roundings[this.introduction.dtype];
    return Object.fromEntries(
      names.map((k) => {
        const tensor = read(k, (outputs as Record<string, unknown>)[k], round);
        const axes = tensor.shape.length === 4 ? this.#axes(k) : undefined;
        return [k, axes ? permute(tensor, inverse(axes)) : tensor];
      }),
    );
  }
}

/** Every option; of a call that the definition refuses, as far as it can be said. */
export function optionsOf(name: LayerName, call: Call): object {
  if (typeof call.options !== 'object' || call.options === null) return call.options;
  try {
    return explicitOptions(name, call);
  } catch {
    return nearlyExplicit(name, call);
  }
}

const inverse = (axes: readonly number[]) => axes.map((_, axis) => axes.indexOf(axis));
