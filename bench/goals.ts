import { gatewayName, isGatewayOn } from './nodes.js';
import { contestantOf, type Result } from './result.js';

/** A limit: one for every Node, or one for Node 24 and later beside one, if any, for earlier versions. */
type Need = number | { readonly before24?: number; readonly from24: number };

/** A row of the table in results/README.md. Without needs it is measured, but has no goal. */
export interface Goal {
  readonly what: string;
  readonly case: string;
  /** The gateway's variant, where the case has several. */
  readonly variant?: string;
  /** Another contestant, or another variant of the gateway on the same Node. */
  readonly against: string;
  /** The least speed, as a multiple of the opponent's. */
  readonly speed?: Need;
  /** The most CPU time per operation, as a multiple of the opponent's. */
  readonly cpu?: Need;
}

function row(what: string, name: string, more: Partial<Goal> = {}): Goal {
  return { what, case: name, against: 'plakar', ...more };
}

/** At most 5 % longer. */
const sameTime = 1 / 1.05;

const fsync = { variant: 'fsync' };
const none = { variant: 'none' };
const workers = { variant: '4 workers' };
const manyStores = { variant: '50 stores' };
const grpcGo = { against: 'grpc-go' };
/** The S3 server itself, asked without a gateway. */
const s3 = { against: 'versitygw' };
/** Requests by the SDK's signer and HTTP handler: on two cores that a gateway shares with the S3 server, it can't have 0.8 of that server's rate. */
const requests = { against: 'requests', variant: 'its store' };
const replicas = { variant: '3 replicas' };
/** OpenSSH's client, which needs no gateway. */
const openSsh = { against: 'openssh sftp' };

export const goals: readonly Goal[] = [
  row('small ranges × 8', 'range-8', { speed: { before24: 1.4, from24: 1.9 } }),
  row("small ranges × 8, Go's default client", 'range-go-8', { speed: { before24: 1, from24: 1.4 } }),
  row('small ranges × 8, cold disk', 'range-cold-8'),
  row('get 1 MiB × 8', 'get-1m-8', { speed: 2.8 }),
  row('get 16 MiB × 8', 'get-16m-8', { speed: 1.9 }),
  row('get 256 MiB × 4', 'get-256m-4'),
  row('put 4 KiB × 8, durability none', 'put-4k-8', none),
  row('put 1 MiB × 8, durability none', 'put-1m-8', { ...none, speed: { from24: 0.8 } }),
  row('put 16 MiB × 8, durability none', 'put-16m-8', { ...none, speed: { from24: 0.8 } }),
  row('put 4 KiB × 8, synced (plakar never syncs)', 'put-4k-8', fsync),
  row('put 1 MiB × 8, synced', 'put-1m-8', fsync),
  row('put 16 MiB × 8, synced', 'put-16m-8', fsync),
  row('put 1 MiB × 8, synced, with digests', 'put-digests-1m-8', {
    variant: 'digests',
    against: 'no digests',
    speed: 0.8,
  }),
  row('list of 1,000,000, unchanged', 'list-1m-unchanged'),
  row('list of 1,000,000, after a start', 'list-1m-scratch'),

  row('TLS: small ranges × 8, HTTP/1.1', 'range-tls-8'),
  row("TLS: small ranges × 8, Go's default client, HTTP/1.1", 'range-tls-go-8'),
  row("TLS: small ranges × 8, Go's default client, HTTP/2", 'range-h2-8'),
  row('TLS: get 1 MiB × 8, HTTP/1.1', 'get-tls-1m-8'),
  row('TLS: get 1 MiB × 8, HTTP/2', 'get-h2-1m-8'),
  row('TLS: get 16 MiB × 8, HTTP/1.1', 'get-tls-16m-8'),
  row('TLS: get 16 MiB × 8, HTTP/2', 'get-h2-16m-8'),
  row('TLS: put 1 MiB × 8, durability none, HTTP/1.1', 'put-tls-1m-8', none),
  row('TLS: put 1 MiB × 8, durability none, HTTP/2', 'put-h2-1m-8', none),
  row('TLS: put 16 MiB × 8, durability none, HTTP/1.1', 'put-tls-16m-8', none),
  row('TLS: put 16 MiB × 8, durability none, HTTP/2', 'put-h2-16m-8', none),

  row("plakar's client over TLS: backup of 300 MiB", 'client-tls-backup', { speed: sameTime, cpu: 1.3 }),
  row("plakar's client over TLS: check", 'client-tls-check', { speed: sameTime, cpu: 1.3 }),
  row("plakar's client over TLS: restore", 'client-tls-restore', { speed: sameTime, cpu: 1.3 }),
  row("plakar's client: backup of 300 MiB", 'client-backup', { speed: sameTime, cpu: 1.5 }),
  row("plakar's client: check", 'client-check', { speed: sameTime, cpu: 0.8 }),
  row("plakar's client: restore", 'client-restore', { speed: sameTime, cpu: 0.8 }),
  row("plakar's client: backup of 2 GiB", 'client-backup-2g', { speed: sameTime, cpu: 1.5 }),
  row("plakar's client: restore of 20,000 files", 'client-restore-20k', { speed: sameTime, cpu: 0.8 }),

  row('4 workers: small ranges × 32', 'workers-range-32', workers),
  row('4 workers: get 1 MiB × 8', 'workers-get-1m-8', workers),
  row('4 workers: put 1 MiB × 8, durability none', 'workers-put-1m-8', workers),
  row('4 workers, TLS: small ranges × 32', 'workers-tls-range-32', workers),
  row('4 workers, TLS: get 1 MiB × 8', 'workers-tls-get-1m-8', workers),
  row('4 workers, TLS: put 1 MiB × 8, durability none', 'workers-tls-put-1m-8', workers),
  row('50 stores: small ranges × 8', 'stores-range-8', manyStores),
  row('50 stores: put 1 MiB × 8, durability none', 'stores-put-1m-8', manyStores),
  row('50 stores: their lists, of 20,000 each', 'list-1m-50-stores', manyStores),

  row('gRPC: get 16 MiB', 'grpc-get-16m-1', { ...grpcGo, speed: 0.95 }),
  row('gRPC: put 16 MiB, durability none', 'grpc-put-16m-1-none', { ...grpcGo, speed: 0.85 }),
  row('gRPC: put 16 MiB, synced', 'grpc-put-16m-1-fsync', { ...grpcGo, speed: 0.85 }),
  row('gRPC, round trip of 20 ms: get 16 MiB', 'grpc-20ms-get-16m-1', { ...grpcGo, speed: 0.95 }),
  row('gRPC, round trip of 20 ms: put 16 MiB, durability none', 'grpc-20ms-put-16m-1-none', {
    ...grpcGo,
    speed: 0.85,
  }),
  row('gRPC: ReadRanges, 10,000 on one stream', 'grpc-read-ranges', grpcGo),

  row('SFTP: small ranges × 8', 'sftp-range-8'),
  row('SFTP: get 16 MiB × 1', 'sftp-get-16m-1', openSsh),
  row('SFTP: put 16 MiB × 4, durability none', 'sftp-put-16m-4', { ...none, ...openSsh }),
  row('SFTP: put 16 MiB × 4, synced', 'sftp-put-16m-4', { ...fsync, ...openSsh }),
  row('S3: small ranges × 8', 's3-range-8', s3),
  row('S3: small ranges × 8, in the process', 's3-range-8-store', { ...requests, speed: 0.8 }),
  row('S3: get 16 MiB × 4', 's3-get-16m-4', s3),
  row('S3: put 16 MiB × 4', 's3-put-16m-4', s3),
  row('S3, three replicas: small ranges × 8', 's3-range-8', { ...s3, ...replicas }),
  row('S3, three replicas: get 16 MiB × 4', 's3-get-16m-4', { ...s3, ...replicas }),
  row('S3, three replicas: put 16 MiB × 4', 's3-put-16m-4', { ...s3, ...replicas }),
  row("plakar's client over SFTP: backup of 2 GiB", 'sftp-client-backup-2g'),
  row("plakar's client over SFTP: restore of 20,000 files", 'sftp-client-restore-20k'),
];

export function hasNeed({ speed, cpu }: Goal): boolean {
  return speed !== undefined || cpu !== undefined;
}

/** A row on one Node: what was measured and what is needed. */
export interface Verdict {
  readonly goal: Goal;
  readonly node: string;
  readonly speed: number;
  readonly speedNeed: number | undefined;
  readonly cpu: number | undefined;
  readonly cpuNeed: number | undefined;
  readonly peakMiB: number | undefined;
  readonly againstPeakMiB: number | undefined;
}

/** One for each row and Node of which the result has the case and the opponent. */
export function judge(result: Result): Verdict[] {
  return goals.flatMap((goal) =>
    result.nodes.flatMap((node) => {
      const gateway = contestantOf(result, goal.case, gatewayName(node, goal.variant));
      const against =
        contestantOf(result, goal.case, goal.against) ??
        contestantOf(result, goal.case, gatewayName(node, goal.against));
      if (gateway === undefined || against === undefined) return [];
      return {
        goal,
        node: node.major,
        speed: gateway.opsPerSecond / against.opsPerSecond,
        speedNeed: needOn(node.major, goal.speed),
        cpu: ratio(gateway.cpuMicros, against.cpuMicros),
        cpuNeed: needOn(node.major, goal.cpu),
        peakMiB: gateway.peakMiB,
        againstPeakMiB: against.peakMiB,
      };
    }),
  );
}

function needOn(major: string, need: Need | undefined): number | undefined {
  if (need === undefined || typeof need === 'number') return need;
  return Number(major) >= 24 ? need.from24 : need.before24;
}

export function isFastEnough({ speed, speedNeed }: Verdict): boolean {
  return speedNeed === undefined || speed >= speedNeed;
}

export function isCheapEnough({ cpu, cpuNeed }: Verdict): boolean {
  return cpuNeed === undefined || (cpu ?? Infinity) <= cpuNeed;
}

export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b;
}

/** The gateway's largest process in a group of cases, on one Node. */
export interface MemoryVerdict {
  readonly what: string;
  readonly node: string;
  readonly peakMiB: number;
  /** The peak has to be below it. */
  readonly limitMiB: number;
  /** The case that it occurred in. */
  readonly worst: string;
}

export function judgeMemory(result: Result): MemoryVerdict[] {
  const isLarge = (name: string): boolean => name.startsWith('list-1m');
  const groups = [
    { what: 'peak memory of a process', limitMiB: 150, has: (name: string) => !isLarge(name) },
    { what: 'peak memory of a process, lists of 1,000,000', limitMiB: 200, has: isLarge },
  ];
  return groups.flatMap(({ what, limitMiB, has }) =>
    result.nodes.flatMap(({ major }) => {
      const [worst] = result.cases
        .filter(({ name }) => has(name))
        .flatMap(({ name, contestants }) =>
          contestants
            .filter((one) => isGatewayOn(one.name, major))
            .map((one) => ({ worst: name, peakMiB: one.peakMiB ?? 0 })),
        )
        .sort((a, b) => b.peakMiB - a.peakMiB);
      return worst === undefined ? [] : [{ what, node: major, limitMiB, ...worst }];
    }),
  );
}
