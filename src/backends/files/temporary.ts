import { randomUUID } from 'node:crypto';

/** Who is writing: goes into the names of temporary files, so that a later process can tell whose they were. */
export interface Host {
  readonly name: string;
  readonly pid: number;
  /** When this process started, in milliseconds since 1970-01-01 UTC. */
  readonly startedMs: number;
  /** Whether a process of this host is running. */
  isAlive(pid: number): boolean;
}

export interface TemporaryFile {
  readonly host: string;
  readonly pid: number;
}

const prefix = 'tmp.kloset-gateway';
const pattern = /^tmp\.kloset-gateway\.([A-Za-z0-9-]+)\.(\d+)\.[0-9a-f]{16}$/;

/** Leftovers whose writer can't be looked for are swept at this age: no upload goes a day without a byte. */
const maxAgeMs = 24 * 3600 * 1000;

/** A new, unique name for a temporary file. It starts with `tmp.`, which kloset's own backends pass over in their lists. */
export function temporaryName(host: Host): string {
  // Node makes many of these at once; random bytes are asked of the system each time. Both parts are random as a whole.
  const uuid = randomUUID();
  return `${prefix}.${plain(host.name)}.${host.pid}.${uuid.slice(0, 8)}${uuid.slice(24, 32)}`;
}

/** Whose temporary file this is; undefined where it isn't one of a gateway's. */
export function parseTemporary(name: string): TemporaryFile | undefined {
  const [, host, pid] = pattern.exec(name) ?? [];
  return host === undefined || pid === undefined ? undefined : { host, pid: Number(pid) };
}

/**
 * Whether a temporary file, last written at `modifiedMs`, was left by a process that is gone. A process of this host is looked
 * for; a file from another host, say on a shared disk, has to be a day old. Should a live upload's file ever be taken for a
 * leftover (two containers with one host name), that upload fails and its client sees it: nothing is lost silently.
 */
export function isLeftover(file: TemporaryFile, modifiedMs: number, host: Host, nowMs: number): boolean {
  if (nowMs - modifiedMs > maxAgeMs) return true;
  if (file.host !== plain(host.name)) return false;
  // In a container every process may have had our number: then it is older than we are.
  return file.pid === host.pid ? modifiedMs < host.startedMs : !host.isAlive(file.pid);
}

function plain(hostName: string): string {
  return hostName.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'unnamed';
}
