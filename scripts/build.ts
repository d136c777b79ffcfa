import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tellingEdits } from '../spec/arithmetic.ts';
import { parts, type Bug, type Part } from '../spec/bugs/bug.ts';
import { bugs } from '../spec/bugs/index.ts';
import { changedFiles, edited, type Edit } from '../spec/plant.ts';
import { variants } from '../spec/policies.ts';
import { layerNames } from '../spec/port/protocol.ts';
import { tracingEdits } from '../spec/tracingEdits.ts';
import { progressBar } from './progressBar.ts';
import { commandLine, RunError, script } from './script.ts';

const help = `Compiles what the package ships, into dist/. npm pack runs it.

  npx tsx scripts/build.ts

dist/src/    the sources as ES modules, with their types
dist/spec/   the oracle: every layer's laws, and what judges by them; dist/scripts/ the command cnn-spec
dist/bugs/   every known bug: bugs/<id>/ holds the modules that it changes, and bugs.json says which of them to import

  --help    this text
`;

const root = fileURLToPath(new URL('../', import.meta.url));

await script('build', async () => {
  const { values } = commandLine({ options: { help: { type: 'boolean', default: false } } });
  if (values.help) return void process.stdout.write(help);
  const bar = progressBar(process.stderr);
  const work = mkdtempSync(join(root, '.build-'));
  try {
    for (const part of ['src', 'spec', 'scripts']) cpSync(join(root, part), join(work, part), { recursive: true });
    const planted = bugs.filter(({ equivalent }) => equivalent === undefined);
    bar.show(0, 'building', ['the bugs are planted']);
    for (const bug of planted) writePlanted(bug.id, [bug], moduleOf(bug.subject), work);
    for (const name of layerNames)
      for (const { id, policies } of variants(name))
        writePlanted(id, policies.flatMap((policy) => policy.edits), `naive/${name}.ts`, work); // prettier-ignore
    writePlanted('tracing', await tracingEdits(), 'naive/index.ts', work);
    writePlanted('telling', tellingEdits, 'naive/index.ts', work);
    rmSync(join(root, 'dist'), { recursive: true, force: true });
    bar.show(0.2, 'building', ['the bugs are compiled']);
    compile(work, ['bugs'], ['--noCheck', '--removeComments']); // what a bug does to the types is no matter
    bar.show(0.6, 'building', ['the sources are compiled']);
    const laws = layerNames.map((name) => `spec/${name}.spec.ts`);
    compile(work, ['src', 'spec/index.ts', 'spec/port/bridgeWorker.ts', ...laws], ['--declaration']);
    bar.show(0.8, 'building', ['the commands are compiled']);
    compile(work, ['scripts/cnn-spec.ts', 'scripts/check-port.ts', 'scripts/explain.ts'], ['--noCheck']);
    for (const part of ['assembly', 'build'])
      // the kernels of src/simd, and what they are compiled from
      cpSync(join(root, 'src/simd', part), join(root, 'dist/src/simd', part), { recursive: true });
    const list = planted.map(({ id, subject, means, seen, file, within }) => ({
      ...{ id, subject, means, seen, file, within, module: `bugs/${id}/${moduleOf(subject).replace(/ts$/, 'js')}` },
    }));
    writeFileSync(join(root, 'dist', 'bugs', 'bugs.json'), `${JSON.stringify(list, null, 2)}\n`);
    bar.clear();
    console.log(`dist/: the sources, and ${planted.length} known bugs`);
  } finally {
    bar.clear();
    rmSync(work, { recursive: true });
  }
});

/** The module that a subject is judged by. */
function moduleOf(subject: Bug['subject']): string {
  return subject in parts ? parts[subject as Part][0] : `naive/${subject}.ts`;
}

/** The files that edits change, as far as a module needs them: bugs/<id>/naive/conv2d.ts. */
function writePlanted(id: string, edits: readonly Edit[], module: string, work: string): void {
  const files = changedFiles(edits, module);
  for (const file of files) {
    const original = readFileSync(join(root, 'src', file), 'utf8');
    const text = edits.filter((edit) => edit.file === file).reduce(edited, original);
    const here = dirname(join('bugs', id, file));
    const moved = text.replace(/(?<=from ')\.\.?\/[^']+/g, (path) => {
      const target = join(dirname(file), path);
      const way = relative(here, files.has(target) ? join('bugs', id, target) : join('src', target));
      return way.startsWith('.') ? way : `./${way}`;
    });
    mkdirSync(join(work, here), { recursive: true });
    writeFileSync(join(work, 'bugs', id, file), moved);
  }
}

/** @throws RunError with what tsc says */
function compile(work: string, include: readonly string[], options: readonly string[]): void {
  const config = join(work, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        outDir: join(root, 'dist'),
        rootDir: work,
        rewriteRelativeImportExtensions: true,
      },
      ...{ include, exclude: ['src/simd/assembly'] },
    }),
  );
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config, ...options], {
    ...{ cwd: work, encoding: 'utf8' },
  });
  if (tsc.status !== 0) throw new RunError(`tsc: ${tsc.stdout}${tsc.stderr}`);
}
