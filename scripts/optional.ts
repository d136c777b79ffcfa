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

/**
 * A sentence about the first package without which no picture can be drawn. Those of JavaScript alone are not loaded for it;
 * sharp is, since it may be there without its part for this machine.
 */
export async function withoutPictures(): Promise<string | undefined> {
  const { resolve } = createRequire(import.meta.url);
  for (const name of Object.keys(packages) as Name[])
    try {
      if (name === 'sharp') await packages.sharp.load();
      else resolve(name);
    } catch {
      return absent(name);
    }
  return undefined;
}
