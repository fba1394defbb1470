import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The memory of a group of processes at its highest, in MiB. */
export interface Peak {
  /** Of the largest process. */
  readonly largestMiB: number;
  /** Of all together; each may have had its highest at another time. */
  readonly totalMiB: number;
}

/**
 * The processes of a server: the one with this id, those that came from it, and those with `tag` in their environment, which
 * finds what has cut itself loose (ssh's master does), too.
 */
export function processesOf(pid: number, tag: string): number[] {
  const parents = new Map<number, number>();
  const found = new Set([pid]);
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(Number(name));
    if (fields === undefined) continue;
    parents.set(Number(name), Number(fields[1]));
    if (environment(name).includes(tag)) found.add(Number(name));
  }
  // Each pass finds the next generation; ids don't tell who came first.
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  return [...found];
}

/** CPU time so far, in seconds: all threads of these processes, and their children that have ended. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // utime, stime, cutime, cstime are fields 14 to 17 of proc(5); ours begin with the third.
    for (const field of statOf(pid)?.slice(11, 15) ?? []) ticks += Number(field);
  }
  return ticks / ticksPerSecond;
}

/** Has the highest memory counted from now on. */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // It has ended, or is somebody else's: its highest is from its start then.
    }
  }
}

/** The highest memory since the last reset. */
export function peak(pids: readonly number[]): Peak {
  const each = pids.map((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);
  return { largestMiB: Math.max(0, ...each), totalMiB: each.reduce((sum, one) => sum + one, 0) };
}

/** The fields of /proc/PID/stat from the state on: the name before them, in parentheses, may have spaces. */
function statOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // What has ended stays until its parent asks for it; its time is its parent's from then on.
  return stat === '' ? undefined : fields;
}

function environment(pid: string): string {
  return read(`/proc/${pid}/environ`);
}

/** Empty where the process has ended or is somebody else's. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
