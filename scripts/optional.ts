import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** What only pictures need, and what each is for; they belong to package.json here: `npm ci --no-workspaces` leaves them out. */
const packages = {
  sharp: {
    use: 'pictures are read and written',
    load: async () => {
      process.env.FONTCONFIG_FILE = fileURLToPath(new URL('fonts.conf', import.meta.url)); // sharp reads it at its first text
      return (await import('sharp')).default;
    },
  },
  echarts: { use: 'charts are drawn', load: () => import('echarts') },
  'd3-scale-chromatic': { use: 'pictures are coloured', load: () => import('d3-scale-chromatic') },
};

type Name = keyof typeof packages;

const absent = (name: Name) =>
  `${packages[name].use} by the package ${name}, which is not installed: npm install --include=optional`;

/**
 * A package that only pictures need, once they do.
 * @throws RangeError if it is not installed
 */
export async function optional<N extends Name>(
  name: N,
  load: () => Promise<unknown> = packages[name].load,
): Promise<Awaited<ReturnType<(typeof packages)[N]['load']>>> {
  try {
    return (await load()) as never;
  } catch {
    throw new RangeError(absent(name));
  }
}

/** What no picture can be drawn without: a sentence about the first package that is not there, before any is loaded. */
export function withoutPictures(): string | undefined {
  const { resolve } = createRequire(import.meta.url);
  const missing = (Object.keys(packages) as Name[]).find((name) => {
    try {
      return !resolve(name);
    } catch {
      return true;
    }
  });
  return missing && absent(missing);
}
