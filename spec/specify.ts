import { implementations, unitRoundoff, type LayerName } from '../src/layers.ts';
import { lawsOfEveryLayer, type Specification } from './every-layer.ts';
import { layerOf, type Law } from './law.ts';
import { uphold } from './uphold.ts';

/** Under vitest the laws become tests; any other program imports a spec file for its laws. */
const vitest = process.env.VITEST ? await import('vitest') : undefined;

/** What has been specified: the parts that the laws of each layer are made of. */
export const specifications = new Map<LayerName, Specification>();

/** Every law of a layer; tests of every implementation: 'conv2d > vectorized > …'. */
export function specify(name: LayerName, specification: Specification): readonly Law[] {
  specifications.set(name, specification);
  const laws = [...specification.laws, ...lawsOfEveryLayer(name, specification)];
  for (const [implementation, layers] of Object.entries(implementations))
    vitest?.describe(`${name} > ${implementation}`, () => {
      const layer = layerOf(layers, name, unitRoundoff[implementation as keyof typeof implementations]);
      const { cases, precision } = specification;
      const asked = ({ float64, definitionOnly }: Law) =>
        (float64 === undefined || layer.u === 2 ** -53) && (!definitionOnly || implementation === 'naive');
      for (const law of laws.filter(asked))
        vitest.it(law.sentence, () => uphold(law, { name, implementation, layer, cases, ...precision }));
    });
  return laws;
}
