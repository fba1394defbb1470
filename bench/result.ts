import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Machine } from './machine.js';
import type { NodeProgram } from './nodes.js';
import type { CaseRuns, Run } from './rounds.js';

/** The outcome of a run of the benchmark, as it is kept in bench/results/. */
export interface Result {
  readonly date: string;
  readonly mode: 'short' | 'goals' | 'full';
  readonly seconds: number;
  readonly rounds: number;
  readonly machine: Machine;
  /** What the gateway ran with. */
  readonly nodes: readonly Pick<NodeProgram, 'major' | 'version'>[];
  readonly versions: Readonly<Record<string, string>>;
  /** Opponents that weren't there, and how to get them. */
  readonly absent: Readonly<Record<string, string>>;
  /** Options of the gateway and its Node, if there were any. */
  readonly gatewayArgs?: string;
  readonly cases: readonly CaseResult[];
}

export interface CaseResult {
  readonly name: string;
  readonly contestants: readonly ContestantResult[];
}

/** Medians over the rounds; of the peaks, the highest. */
export interface ContestantResult {
  readonly name: string;
  readonly opsPerSecond: number;
  readonly mibPerSecond?: number;
  /** The server's CPU time for one operation, in microseconds. */
  readonly cpuMicros?: number;
  /** The same of the load generator. */
  readonly clientCpuMicros?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly firstByteMs?: number;
  /** The peak memory of the server's largest process, and the sum over all of them. */
  readonly peakMiB?: number;
  readonly peakTotalMiB?: number;
  /** Operations per second of each round: their spread says how reliable the median is. */
  readonly each: readonly number[];
}

export function summarize({ name, contestants }: CaseRuns): CaseResult {
  return { name, contestants: contestants.map((one) => summarizeRuns(one.name, one.runs)) };
}

function summarizeRuns(name: string, runs: readonly Run[]): ContestantResult {
  const each = runs.map(({ ops, seconds }) => round(ops / seconds));
  const middle = (of: (run: Run) => number | undefined): number | undefined => {
    const values = runs.map(of).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : round(median(values));
  };
  const highest = (of: (run: Run) => number | undefined): number | undefined => {
    const values = runs.map(of).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : round(Math.max(...values));
  };
  const perOp = (seconds: number | undefined, { ops }: Run) => seconds && (seconds * 1e6) / ops;
  return defined({
    name,
    opsPerSecond: round(median(each)),
    mibPerSecond: middle(({ bytes, seconds }) => bytes && bytes / seconds / 2 ** 20),
    cpuMicros: middle((run) => perOp(run.cpuSeconds, run)),
    clientCpuMicros: middle((run) => perOp(run.clientCpuSeconds, run)),
    p50Ms: middle((run) => run.p50Ms),
    p99Ms: middle((run) => run.p99Ms),
    firstByteMs: middle((run) => run.firstByteMs),
    peakMiB: highest((run) => run.peakMiB),
    peakTotalMiB: highest((run) => run.peakTotalMiB),
    each,
  }) as ContestantResult;
}

function defined<T extends object>(value: T): object {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

/** Rounds to four significant digits, more than the measurement has. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

export async function writeResult(path: string, result: Result): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Formatted as the linter wants it, since results are committed.
  await writeFile(path, await format(JSON.stringify(result), { ...(await resolveConfig(path)), parser: 'json' }));
}

export async function readResult(path: string): Promise<Result> {
  return JSON.parse(await readFile(path, 'utf8')) as Result;
}

export function contestantOf(result: Result, caseName: string, name: string): ContestantResult | undefined {
  return result.cases.find((one) => one.name === caseName)?.contestants.find((one) => one.name === name);
}
