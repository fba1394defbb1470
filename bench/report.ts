import { groupBy } from './case.js';
import { isCheapEnough, isFastEnough, judge, judgeMemory, ratio, type Goal, type Verdict } from './goals.js';
import { isGateway } from './nodes.js';
import type { CaseResult, ContestantResult, Result } from './result.js';

/** The lines that describe a case: each contestant's figures, and each gateway's ratios to the first opponent. */
export function caseLines({ name, contestants }: CaseResult): string[] {
  const opponent = opponentOf(contestants);
  const against = opponent === undefined ? '' : ` / ${opponent.name}`;
  const columns = [
    '',
    'ops/s',
    `speed${against}`,
    'MiB/s',
    'CPU us/op',
    `CPU${against}`,
    'p50 ms',
    'p99 ms',
    'first ms',
    'peak MiB',
  ];
  const rows = contestants.map((one) => [
    one.name,
    number(one.opsPerSecond),
    isGateway(one.name) ? times(ratio(one.opsPerSecond, opponent?.opsPerSecond)) : '',
    number(one.mibPerSecond),
    number(one.cpuMicros),
    isGateway(one.name) ? times(ratio(one.cpuMicros, opponent?.cpuMicros)) : '',
    number(one.p50Ms),
    number(one.p99Ms),
    number(one.firstByteMs),
    peaks(one),
  ]);
  return ['', name, ...table([columns, ...rows]).map((line) => `  ${line}`)];
}

/** The contestant that the gateway is compared with: the first other server. */
export function opponentOf(contestants: readonly ContestantResult[]): ContestantResult | undefined {
  return contestants.find(({ name }) => !isGateway(name));
}

/** What was measured and what is needed, with a line for each goal and Node. */
export function goalLines(result: Result): string[] {
  const speeds = judge(result).map((verdict) => [
    verdict.goal.what,
    verdict.goal.against,
    verdict.node,
    times(verdict.speed),
    need('≥', verdict.speedNeed),
    times(verdict.cpu),
    need('≤', verdict.cpuNeed),
    `${number(verdict.peakMiB)} / ${number(verdict.againstPeakMiB)}`,
    missed(verdict),
  ]);
  const memory = judgeMemory(result).map(({ what, node, peakMiB, limitMiB, worst }) => [
    what,
    worst,
    node,
    '',
    '',
    '',
    '',
    `${number(peakMiB)} (< ${limitMiB})`,
    peakMiB < limitMiB ? '' : 'MISSED: memory',
  ]);
  const columns = ['goal', 'against', 'Node', 'speed', 'need', 'CPU per op', 'need', 'peak MiB', ''];
  return speeds.length + memory.length === 0 ? [] : ['', ...table([columns, ...speeds, ...memory])];
}

function missed(verdict: Verdict): string {
  const what = [...(isFastEnough(verdict) ? [] : ['speed']), ...(isCheapEnough(verdict) ? [] : ['CPU'])];
  return what.length === 0 ? '' : `MISSED: ${what.join(', ')}`;
}

/** The same as a table in Markdown, with a row for each goal and columns for each Node. What misses a goal is bold. */
export function markdownLines(result: Result): string[] {
  const majors = result.nodes.map(({ major }) => major);
  const columns = ['', 'against', ...majors.map((major) => `speed, Node ${major}`)];
  columns.push(...majors.map((major) => `CPU per operation, Node ${major}`), 'peak memory, MiB');
  const byGoal = groupBy(judge(result), ({ goal }) => goal);
  const rows = [...byGoal].map(([goal, verdicts]) => markdownRow(goal, verdicts, majors));
  const memory = judgeMemory(result).map(({ what, node, peakMiB, limitMiB, worst }) => {
    const peak = emphasized(`${number(peakMiB)} MiB`, peakMiB < limitMiB);
    return `Highest ${what}, Node ${node}: ${peak} (${worst}; goal: below ${limitMiB}).`;
  });
  return [
    machineLine(result),
    '',
    markdownLine(columns),
    markdownLine(columns.map(() => '---')),
    ...rows,
    '',
    ...memory,
  ];
}

function markdownRow(goal: Goal, verdicts: readonly Verdict[], majors: readonly string[]): string {
  const on = (major: string): Verdict | undefined => verdicts.find(({ node }) => node === major);
  const speeds = majors.map((major) => {
    const verdict = on(major);
    if (verdict === undefined) return '-';
    return `${emphasized(times(verdict.speed), isFastEnough(verdict))} ${goalNote('≥', verdict.speedNeed)}`;
  });
  const cpus = majors.map((major) => {
    const verdict = on(major);
    if (verdict === undefined) return '-';
    return `${emphasized(times(verdict.cpu), isCheapEnough(verdict))} ${goalNote('≤', verdict.cpuNeed)}`;
  });
  const peaks = majors.map((major) => number(on(major)?.peakMiB)).join(', ');
  const memory = `${peaks} / ${number(verdicts[0]?.againstPeakMiB)}`;
  return markdownLine([goal.what, goal.against, ...speeds, ...cpus, memory]);
}

function markdownLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.trim()).join(' | ')} |`.replace(/^\| {2}\|/, '| |');
}

function emphasized(text: string, isMet: boolean): string {
  return isMet ? text : `**${text}**`;
}

function goalNote(sign: string, value: number | undefined): string {
  return value === undefined ? '' : `(${need(sign, value)})`;
}

function need(sign: string, value: number | undefined): string {
  return value === undefined ? '' : `${sign} ${Number(value.toFixed(2))} ×`;
}

function machineLine({ date, machine, nodes, versions, rounds }: Result): string {
  const { cores, model, kernel } = machine;
  const parts = [...nodeNames(nodes), ...Object.entries(versions).map(([name, version]) => `${name} ${version}`)];
  const where = `${cores} cores shared with the load, ${model}, Linux ${kernel}; ${parts.join(', ')}`;
  return `Measured on ${date.slice(0, 10)} (${where}): medians of ${rounds} rounds, in turns.`;
}

function nodeNames(nodes: Result['nodes']): string[] {
  return nodes.map(({ version }) => `Node ${version}`);
}

/** When, where and with which versions it was measured. */
export function headLines({ date, mode, seconds, rounds, machine, nodes, versions, absent }: Result): string[] {
  const { cores, model, memoryGiB, kernel, fileSystem, go } = machine;
  return [
    `${date}, ${mode} mode: ${rounds} rounds, ${seconds} s a run`,
    `${cores} cores, ${model}, ${memoryGiB} GiB, Linux ${kernel}, ${fileSystem}, ${nodeNames(nodes).join(', ')}, ${go}`,
    ...Object.entries(versions).map(([name, version]) => `${name}: ${version}`),
    ...Object.entries(absent).map(([name, help]) => `${name}: absent (${help})`),
  ];
}

export function times(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? '-' : `${value.toFixed(2)} ×`;
}

/** Formats a number with three significant digits, or with all digits before the point where those are more. */
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
