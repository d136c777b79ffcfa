import { implementations, type LayerName } from '../../src/layers.ts';
import { layerOf, type Call, type Case } from '../law.ts';
import type { Direction } from './protocol.ts';

/** The wording of errors is ours alone: of a call that the definition refuses too, its error; else the one that came. */
export function refusal(error: Error, name: LayerName, direction: Direction, call: Call | Case): Error {
  try {
    const definition = layerOf(implementations.naive, name);
    if (direction === 'forward') definition.forward(call);
    else definition.backward(call as Case);
  } catch (own) {
    return own as Error;
  }
  return error;
}
