import { compile, upToDate } from '../src/simd/compile.ts';
import { commandLine, script } from './script.ts';

const help = `Compiles the kernels of src/simd from AssemblyScript, where they are not as their sources are. npm install runs it.

  npx tsx scripts/compile.ts

They are compiled when missing, too: this is so that nobody waits for it later.

  --help    this text
`;

await script('compile', async () => {
  const { values } = commandLine({ options: { help: { type: 'boolean', default: false } } });
  if (values.help) return void process.stdout.write(help);
  for (const build of ['plain', 'fma'] as const) if (!upToDate(build)) await compile(build);
});
