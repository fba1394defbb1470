import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** The peak resident memory of a group of processes, in MiB. */
export interface Peak {
  /** The largest process's. */
  readonly largestMiB: number;
  /** The sum of all; they may have been reached at different times. */
  readonly totalMiB: number;
}

/**
 * The processes of a server: the one with this id, its descendants, and those with `tag` in their environment, which includes
 * daemons that have left the process tree, as ssh's master process does.
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
  // Each pass finds one more generation.
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [child, parent] of parents) if (found.has(parent)) found.add(child);
  }
  return [...found];
}

/** The CPU time so far, in seconds, of all threads of these processes and of their exited children. */
export function cpuSeconds(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    // utime, stime, cutime and cstime are fields 14 to 17 in proc(5); these fields start with the third.
    for (const field of statOf(pid)?.slice(11, 15) ?? []) ticks += Number(field);
  }
  return ticks / ticksPerSecond;
}

/** Resets the peak memory of these processes. */
export function resetPeak(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
    } catch {
      // It has exited, or belongs to another user: then the peak is the one since its start.
    }
  }
}

/** The peak memory since the last reset. */
export function peak(pids: readonly number[]): Peak {
  const each = pids.map((pid) => Number(/VmHWM:\s+(\d+) kB/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1024);
  return { largestMiB: Math.max(0, ...each), totalMiB: each.reduce((sum, one) => sum + one, 0) };
}

/** The fields of /proc/PID/stat from the third on; undefined if the process has exited. */
function statOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The second field, the program's name in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return stat === '' ? undefined : fields;
}

function environment(pid: string): string {
  return read(`/proc/${pid}/environ`);
}

/** Returns an empty string if the process has exited or belongs to another user. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
