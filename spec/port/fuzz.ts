import { rmSync } from 'node:fs';
import { check, kinds, type Judgeable } from './check.ts';
import { Port } from './port.ts';
import { PortError } from './protocol.ts';

// Judges ports that misbehave at random: tsx spec/port/fuzz.ts MARK FIRST COUNT. A line of JSON for each says what became of it.

const [mark, first, count] = process.argv.slice(2);

/** Calls of one port: then it is enough. */
const MOST = 12;

/** A port that is asked so often and not more, however small a case is to become. */
function limited(port: Port): Judgeable & { readonly asked: () => number } {
  let asked = 0;
  const ask = <T>(run: () => T): T => {
    if (asked === MOST) throw new PortError('skip', 'that is enough');
    asked++;
    return run();
  };
  return {
    ...{ name: port.name, u: port.u, has: port.has.bind(port), asked: () => asked },
    layer(name) {
      const { u, forward, backward } = port.layer(name);
      return { u, forward: (call) => ask(() => forward(call)), backward: (call) => ask(() => backward(call)) };
    },
  };
}

async function judge(seed: number): Promise<object> {
  const file = `${mark}-${seed}`;
  let port: Port | undefined;
  try {
    port = new Port(
      [process.execPath, new URL('misbehaving.js', import.meta.url).pathname, 'random', file, `${seed}`],
      0.4,
    );
    const judged = limited(port);
    const options = {
      layers: ['relu', 'linear'] as const,
      kinds,
      cases: 2,
      seed,
      asked: () => true,
      progress: () => {},
    };
    const verdicts = [];
    for await (const { counts, failures, report, broken } of check(judged, options))
      verdicts.push({ counts, failures, report, broken });
    return { seed, asked: judged.asked(), verdicts };
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    return { seed, failure: error.failure, message: error.message };
  } finally {
    await port?.close();
    rmSync(file, { force: true });
  }
}

for (let seed = Number(first); seed < Number(first) + Number(count); seed++)
  process.stdout.write(`${JSON.stringify(await judge(seed))}\n`);
