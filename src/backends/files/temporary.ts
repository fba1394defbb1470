import { randomUUID } from 'node:crypto';

/** The process that writes: part of the names of temporary files, so that a later process can tell whose they were. */
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

/** A file of another host is a leftover at this age: no upload goes a day without a byte. */
const maxAgeMs = 24 * 3600 * 1000;

/** A new, unique name for a temporary file. It starts with `tmp.`, which kloset's own backends skip in their lists. */
export function temporaryName(host: Host): string {
  // A UUID, because Node draws random bytes for many of them at once. The parts used are entirely random.
  const uuid = randomUUID();
  return `${prefix}.${sanitized(host.name)}.${host.pid}.${uuid.slice(0, 8)}${uuid.slice(24, 32)}`;
}

/** Which process a temporary file belongs to; undefined if it is not a gateway's. */
export function parseTemporary(name: string): TemporaryFile | undefined {
  const [, host, pid] = pattern.exec(name) ?? [];
  return host === undefined || pid === undefined ? undefined : { host, pid: Number(pid) };
}

/**
 * Whether a temporary file, last written at `modifiedMs`, was left by a process that is gone. Processes of this host can be looked up; a
 * file from another host, on a shared disk for instance, has to be a day old. If an active upload's file is ever mistaken for a leftover
 * (two containers with the same host name), that upload fails and its client is told: nothing is lost silently.
 */
export function isLeftover(file: TemporaryFile, modifiedMs: number, host: Host, nowMs: number): boolean {
  if (nowMs - modifiedMs > maxAgeMs) return true;
  if (file.host !== sanitized(host.name)) return false;
  // In a container an earlier process may have had the same number: its files are older than this process.
  return file.pid === host.pid ? modifiedMs < host.startedMs : !host.isAlive(file.pid);
}

function sanitized(hostName: string): string {
  return hostName.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'unnamed';
}
