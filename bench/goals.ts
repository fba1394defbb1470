import { contestantOf, type Result } from './result.js';

/** What has to be reached in one case. */
export interface Goal {
  readonly what: string;
  readonly case: string;
  readonly subject: string;
  readonly against: string;
  /** How many times as fast as `against`, at least. */
  readonly speed?: number;
  /** What part of its CPU time for an operation, at most. */
  readonly cpu?: number;
  /** The first byte, in milliseconds, at most. */
  readonly firstByteMs?: number;
}

function goal(what: string, name: string, speed: number, more: Partial<Goal> = {}): Goal {
  return { what, case: name, subject: 'gateway', against: 'plakar', speed, ...more };
}

const synced = { subject: 'gateway fsync' };
const unsynced = { subject: 'gateway none' };
const grpcGo = { against: 'grpc-go' };

export const goals: readonly Goal[] = [
  goal('small ranges × 8', 'range-8', 2, { cpu: 0.5 }),
  goal("small ranges × 8, Go's default client", 'range-go-8', 1.7),
  goal('small ranges × 8, cold disk', 'range-cold-8', 3),
  goal('get 1 MiB × 8', 'get-1m-8', 2.8),
  goal('get 16 MiB × 8', 'get-16m-8', 2.2),
  goal('get 256 MiB × 1', 'get-256m-1', 2),
  goal('get 256 MiB × 4', 'get-256m-4', 8),
  goal('put 1 MiB × 8, synced (plakar never syncs)', 'put-1m-8', 0.95, synced),
  goal('put 16 MiB × 8, synced', 'put-16m-8', 0.9, synced),
  goal('put 4 KiB × 8, synced', 'put-4k-8', 0.8, synced),
  goal('put 1 MiB × 8, durability none', 'put-1m-8', 1.2, unsynced),
  goal('put 16 MiB × 8, durability none', 'put-16m-8', 1, unsynced),
  goal('put 4 KiB × 8, durability none', 'put-4k-8', 1, unsynced),
  goal('list of 1,000,000, nothing changed', 'list-1m-unchanged', 20, { firstByteMs: 50 }),
  goal('list of 1,000,000, from scratch', 'list-1m-scratch', 1.5),
  goal('gRPC get 16 MiB', 'grpc-get-16m-1', 0.95, grpcGo),
  goal('gRPC put 16 MiB, durability none', 'grpc-put-16m-1-none', 0.95, grpcGo),
  goal('gRPC put 16 MiB, synced', 'grpc-put-16m-1-fsync', 0.95, grpcGo),
  goal('ReadRanges, 10,000 on one stream', 'grpc-read-ranges', 2, { against: 'gateway HTTP' }),
  goal('SFTP: small ranges × 8', 'sftp-range-8', 5),
  goal('SFTP: get 16 MiB × 1', 'sftp-get-16m-1', 2.5),
  goal('SFTP: put 16 MiB × 4, durability none', 'sftp-put-16m-4', 1.4, unsynced),
  goal('SFTP: put 16 MiB × 4, synced', 'sftp-put-16m-4', 1.4, synced),
  goal("plakar's client: restore of small files", 'client-restore', 1),
  goal("plakar's client: backup of large files", 'client-backup', 1),
  goal("plakar's client over SFTP: restore", 'sftp-client-restore', 1),
  goal("plakar's client over SFTP: backup", 'sftp-client-backup', 1),
];

/** A goal beside what was measured. Undefined values: the case, or the opponent, wasn't there. */
export interface Verdict {
  readonly goal: Goal;
  readonly speed: number;
  readonly cpu: number | undefined;
  readonly firstByteMs: number | undefined;
  readonly peakMiB: number | undefined;
  readonly againstPeakMiB: number | undefined;
  readonly reached: boolean;
}

/** One for each goal that the result can tell of. */
export function judge(result: Result): Verdict[] {
  return goals.flatMap((goal) => {
    const subject = contestantOf(result, goal.case, goal.subject);
    const against = contestantOf(result, goal.case, goal.against);
    if (subject === undefined || against === undefined) return [];
    const speed = subject.opsPerSecond / against.opsPerSecond;
    const cpu = ratio(subject.cpuMicros, against.cpuMicros);
    const { firstByteMs, peakMiB } = subject;
    const reached =
      speed >= (goal.speed ?? 0) &&
      (goal.cpu === undefined || (cpu ?? Infinity) < goal.cpu) &&
      (goal.firstByteMs === undefined || (firstByteMs ?? Infinity) <= goal.firstByteMs);
    return [{ goal, speed, cpu, firstByteMs, peakMiB, againstPeakMiB: against.peakMiB, reached }];
  });
}

export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}

/** The gateway's largest process in any case, in MiB: below 150, and below 200 where a million objects are listed. */
export function judgeMemory(result: Result): { what: string; peakMiB: number; limitMiB: number; worst: string }[] {
  const groups = [
    { what: 'memory of a process', limitMiB: 150, has: (name: string) => !name.startsWith('list-1m') },
    {
      what: 'memory of a process, lists of 1,000,000',
      limitMiB: 200,
      has: (name: string) => name.startsWith('list-1m'),
    },
  ];
  return groups.flatMap(({ what, limitMiB, has }) => {
    const peaks = result.cases
      .filter(({ name }) => has(name))
      .flatMap(({ name, contestants }) =>
        contestants
          .filter((one) => one.name.startsWith('gateway'))
          .map((one) => ({ worst: `${name}, ${one.name}`, peakMiB: one.peakMiB ?? 0 })),
      )
      .sort((a, b) => b.peakMiB - a.peakMiB);
    return peaks[0] === undefined ? [] : [{ what, limitMiB, ...peaks[0] }];
  });
}
