import { judge, judgeMemory, ratio } from './goals.js';
import type { CaseResult, ContestantResult, Result } from './result.js';

/** The lines of one case: who did how much, and how many times that of each other the first one did. */
export function caseLines({ name, contestants }: CaseResult): string[] {
  const first = contestants[0];
  if (first === undefined) return [];
  const columns = ['', 'ops/s', 'MiB/s', 'speed', 'CPU us/op', 'CPU', 'p50 ms', 'p99 ms', 'first ms', 'peak MiB'];
  const rows = contestants.map((one) => [
    one.name,
    number(one.opsPerSecond),
    number(one.mibPerSecond),
    one === first ? '' : times(first.opsPerSecond / one.opsPerSecond),
    number(one.cpuMicros),
    one === first ? '' : times(ratio(first.cpuMicros, one.cpuMicros)),
    number(one.p50Ms),
    number(one.p99Ms),
    number(one.firstByteMs),
    peaks(one),
  ]);
  return ['', name, ...table([columns, ...rows]).map((line) => `  ${line}`)];
}

/** What was to be reached, and whether it was. */
export function goalLines(result: Result): string[] {
  const speeds = judge(result).map(({ goal, speed, cpu, firstByteMs, peakMiB, againstPeakMiB, reached }) => [
    goal.what,
    `${times(speed)} (at least ${times(goal.speed)})`,
    `${times(cpu)}${goal.cpu === undefined ? '' : ` (below ${times(goal.cpu)})`}`,
    goal.firstByteMs === undefined ? '' : `${number(firstByteMs)} ms (at most ${goal.firstByteMs})`,
    `${number(peakMiB)} / ${number(againstPeakMiB)}`,
    goal.against,
    reached ? 'reached' : 'NOT REACHED',
  ]);
  const memory = judgeMemory(result).map(({ what, peakMiB, limitMiB, worst }) => [
    what,
    `${number(peakMiB)} MiB (below ${limitMiB})`,
    '',
    '',
    '',
    `highest: ${worst}`,
    peakMiB < limitMiB ? 'reached' : 'NOT REACHED',
  ]);
  const columns = ['to be reached', 'speed', 'CPU per op', 'first byte', 'peak MiB', 'against', ''];
  return speeds.length + memory.length === 0 ? [] : ['', ...table([columns, ...speeds, ...memory])];
}

/** Where and with what it was measured. */
export function headLines({ date, mode, seconds, rounds, machine, versions, absent }: Result): string[] {
  const { cores, model, memoryGiB, kernel, fileSystem, node, go } = machine;
  return [
    `${date}, ${mode} mode: ${rounds} rounds, ${seconds} s a run`,
    `${cores} cores, ${model}, ${memoryGiB} GiB, Linux ${kernel}, ${fileSystem}, Node ${node}, ${go}`,
    ...Object.entries(versions).map(([name, version]) => `${name}: ${version}`),
    ...Object.entries(absent).map(([name, help]) => `${name}: absent (${help})`),
  ];
}

export function times(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '-' : `${value.toFixed(2)} ×`;
}

/** Three digits, or all of those before the point. */
export function number(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function peaks({ peakMiB, peakTotalMiB }: ContestantResult): string {
  const several = peakMiB !== undefined && peakTotalMiB !== undefined && peakTotalMiB > peakMiB * 1.01;
  return several ? `${number(peakMiB)} (all ${number(peakTotalMiB)})` : number(peakMiB);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
