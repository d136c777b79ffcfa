import { format } from 'node:util';
import fc from 'fast-check';

/** Under vitest laws become tests; any other program imports a spec file for its laws. */
const vitest = process.env.VITEST ? await import('vitest') : undefined;

/** What tests are written with. */
export type Tests = Pick<typeof import('vitest'), 'describe' | 'it' | 'beforeEach' | 'afterEach'>;

/** The laws of a module of src/ as tests of whatever module is given: the real one, or one with a bug. */
type Spec<Module> = (module: Module, tests: Tests) => void;

const specs = new Map<string, Spec<never>>();

/** Makes tests of the real module, and remembers the laws for others. Tests called golden lean on the fixtures. */
export function specifyModule<Module>(name: string, module: Module, spec: Spec<Module>): void {
  specs.set(name, spec);
  vitest?.describe(name, () => spec(module, vitest));
}

/** A law of a module: what it says, and a check that throws if it is broken on random cases drawn from a seed. */
export interface ModuleLaw {
  readonly sentence: string;
  readonly check: (seed: number) => Promise<void>;
}

/** The laws of a module that has been specified, asked of `module`. Those that lean on the fixtures are left out. */
export function lawsOf(name: string, module: unknown): readonly ModuleLaw[] {
  type Step = () => unknown;
  type Scope = { readonly title: string; readonly before: Step[]; readonly after: Step[] };
  const laws: ModuleLaw[] = [];
  let scopes: readonly Scope[] = [];

  const describe = (title: string, body: Step) => {
    const outer = scopes;
    scopes = [...outer, { title, before: [], after: [] }];
    try {
      body();
    } catch (error) {
      if (!/golden/.test(title)) laws.push({ sentence: title, check: () => Promise.reject(error) }); // so wrong that the laws cannot be written down
    }
    scopes = outer;
  };
  const it = (title: string, body: (test: { task: { name: string } }) => unknown) => {
    const around = scopes;
    const sentence = [...around.slice(1).map((scope) => scope.title), title].join(' > ');
    if (/golden/.test(sentence)) return;
    const check = async (seed: number) => {
      fc.configureGlobal({ seed });
      for (const step of around.flatMap(({ before }) => before)) await step();
      try {
        await body({ task: { name: title } });
      } finally {
        for (const step of around.flatMap(({ after }) => after)) await step();
      }
    };
    laws.push({ sentence, check });
  };
  const each =
    (one: (title: string, body: Step) => void) =>
    (rows: readonly unknown[]) =>
    (title: string, body: (...args: unknown[]) => unknown) => {
      for (const row of rows) {
        const args = Array.isArray(row) ? row : [row];
        const named = title.replace(/\$(\w+)/g, (_, key: string) => `${(args[0] as Record<string, unknown>)[key]}`);
        const places = named.split(/%\w/).length - 1;
        one(format(named, ...args.slice(0, places)), () => body(...args));
      }
    };
  const tests = {
    describe: Object.assign(describe, { each: each(describe) }),
    it: Object.assign(it, { each: each(it) }),
    beforeEach: (step: Step) => scopes.at(-1)!.before.push(step),
    afterEach: (step: Step) => scopes.at(-1)!.after.push(step),
  };
  const spec = specs.get(name);
  if (!spec) throw new Error(`nothing is specified of ${name}`);
  describe(name, () => spec(module as never, tests as unknown as Tests));
  return laws;
}
