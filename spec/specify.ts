import { implementations, unitRoundoff, type LayerName } from '../src/layers.ts';
import { lawsOfEveryLayer, type Specification } from './every-layer.ts';
import { layerOf, type Law, type Layer } from './law.ts';
import { Port } from './port/port.ts';
import { uphold } from './uphold.ts';

/** In the package nobody tests our own implementations. */
const inPackage = !import.meta.url.endsWith('.ts');

/** Under vitest the laws become tests; any other program imports a spec file for its laws. */
const vitest = !inPackage && process.env.VITEST ? await import('vitest') : undefined;

/** What has been specified: the parts that the laws of each layer are made of. */
export const specifications = new Map<LayerName, Specification>();

/** A foreign program that is judged beside our implementations: PORT='./my-port arguments…', read by the shell. */
const port = vitest && process.env.PORT ? new Port(['sh', '-c', process.env.PORT]) : undefined;

/** Who is judged, by name, and the layer `name` as each of them computes it. */
function judged(name: LayerName): readonly (readonly [string, Layer])[] {
  const own = Object.entries(implementations).map(
    ([implementation, layers]) =>
      [implementation, layerOf(layers, name, unitRoundoff[implementation as keyof typeof implementations])] as const,
  );
  return port && name in port.introduction.layers ? [...own, [port.name, port.layer(name)]] : own;
}

/** The laws that a layer is asked, of its type of numbers. */
export const asked = (laws: readonly Law[], { u }: Layer, definition = false): readonly Law[] =>
  laws.filter(
    ({ float64, definitionOnly }) => (float64 === undefined || u === 2 ** -53) && (!definitionOnly || definition),
  );

/** Every law of a layer; tests of every implementation: 'conv2d > vectorized > …'. */
export function specify(name: LayerName, specification: Specification): readonly Law[] {
  specifications.set(name, specification);
  const laws = [...specification.laws, ...lawsOfEveryLayer(name, specification)];
  for (const [implementation, layer] of judged(name))
    vitest?.describe(`${name} > ${implementation}`, () => {
      const { cases, precision } = specification;
      for (const law of asked(laws, layer, implementation === 'naive'))
        vitest.it(law.sentence, async ({ skip }) => {
          const done = await uphold(law, { name, implementation, layer, cases, ...precision });
          if (done) skip(done.skipped);
        });
    });
  return laws;
}
