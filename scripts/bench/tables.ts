import type { ImplementationName } from './competitors.ts';
import { peers, type PeerName } from './peer.ts';
import type { Basis, Measured } from './statistics.ts';
import type { WorkName } from './works.ts';

type Ratios<Value> = Readonly<Partial<Record<ImplementationName, Value>>>;

/** How fast an implementation trains a network, as --json says it. */
export interface Result extends Omit<Measured, 'value'> {
  readonly work: WorkName;
  readonly implementation: ImplementationName;
  readonly threads: number;
  readonly fma: boolean | null;
  /** Images of a step. */
  readonly batch: number;
  readonly imagesPerSecond: number;
  readonly turns: number;
  /** How many times as fast as another implementation, with the number of threads that suits that one best. */
  readonly ratioTo: Ratios<number>;
  readonly ratioBasis: Ratios<Basis>;
  /** The same, with as many threads as this one. */
  readonly ratioToSameThreads: Ratios<number>;
  readonly sameThreadsBasis: Ratios<Basis>;
}

/** How fast a kernel is, as --json says it. */
export interface KernelResult extends Omit<Measured, 'value'> {
  readonly name: string;
  readonly fma: boolean;
  /** 10⁹ operations in a second. */
  readonly gflops: number;
  readonly percentOfLimit: number;
  readonly turns: number;
}

const MARK = { quiet: ' ', cpu: 'c', all: 'a' } as const satisfies Record<Basis, string>;

/** A line for each competitor, the fastest first. */
export function tableOf(results: readonly Result[]): string {
  const there = (name: ImplementationName) => results.some(({ implementation }) => implementation === name);
  const running = (Object.keys(peers) as PeerName[]).filter(there);
  const references: readonly ImplementationName[] =
    running.length > 0 ? running : (['vectorized', 'naive'] as const).filter(there);
  const heads = ['', 'threads', 'images/s', 'spread', 'quiet', ...references.map((name) => `× ${name}`)];
  const alike = running.includes('pytorch');
  const rows = results
    .toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond)
    .map(({ implementation, fma, threads, imagesPerSecond, basis, quiet, turns, ...result }) => [
      `${implementation}${implementation === 'simd' ? (fma ? ' fma' : ' plain') : ''}`,
      `${threads}`,
      `${speed(imagesPerSecond)}${MARK[basis]}`,
      plusMinus(result.spread),
      `${quiet}/${turns}`,
      ...references.map((name) => ratio(result.ratioTo[name], result.ratioBasis[name])),
      ...(alike ? [ratio(result.ratioToSameThreads.pytorch, result.sameThreadsBasis.pytorch)] : []),
    ]);
  return grid([alike ? [...heads, 'threads alike'] : heads, ...rows]);
}

/** A line for each kernel. */
export function kernelTable(kernels: readonly KernelResult[]): string {
  const rows = kernels.map(({ name, fma, gflops, percentOfLimit, spread, quiet, turns, basis }) => [
    `${name}, ${fma ? 'fma' : 'plain'}`,
    `${gflops.toFixed(1)}${MARK[basis]}`,
    plusMinus(spread),
    `${quiet}/${turns}`,
    `${percentOfLimit.toFixed(0)} %`,
  ]);
  return [
    'kernels: one thread, a multiply-add is two operations',
    grid([['', 'GFLOP/s', 'spread', 'quiet', 'of the limit'], ...rows]),
    'Winograd is counted with the operations of the direct convolution, sparse',
    'gradients with their own.',
  ].join('\n');
}

/** Three digits below 100, whole numbers above. */
const speed = (value: number) => (value < 100 ? value.toPrecision(3) : Math.round(value).toLocaleString('en'));

function ratio(value: number | undefined, basis: Basis = 'quiet'): string {
  if (value === undefined) return '';
  return `${value < 1 ? value.toPrecision(2) : value < 10 ? value.toFixed(2) : speed(value)}${MARK[basis]}`;
}

const plusMinus = (share: number) => `±${(100 * share).toFixed(0)} %`;

/** Columns as wide as they need be, the first to the left and the others to the right. */
function grid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text: string, i: number) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i]));
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}
