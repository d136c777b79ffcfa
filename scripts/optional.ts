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

/**
 * A package that only pictures need, once they do.
 * @throws RangeError if it is not installed
 */
export async function optional<Name extends keyof typeof packages>(
  name: Name,
  load: () => Promise<unknown> = packages[name].load,
): Promise<Awaited<ReturnType<(typeof packages)[Name]['load']>>> {
  try {
    return (await load()) as never;
  } catch {
    throw new RangeError(
      `${packages[name].use} by the package ${name}, which is not installed: npm install --include=optional`,
    );
  }
}
