import { randomUUID } from 'node:crypto';
import type { ObjectKind, ObjectRef } from '../../core/object.js';

/*
 * Where a store's objects are, as kloset's own backends keep them. Pure functions: no other module composes a path.
 *
 *   CONFIG
 *   packfiles/<xx>/<64 hex digits>      xx: the first two
 *   states/<xx>/<64 hex digits>
 *   locks/<64 hex digits>
 *
 * and, for uploads in progress, in each kind's folder, with a prefix that kloset's backends skip in their lists, or in a bucket that is
 * on another disk:
 *
 *   tmp.kloset-gateway.<host>.<pid>.<16 hex digits>
 */

export const configPath = 'CONFIG';

const folders = { packfile: 'packfiles', state: 'states', lock: 'locks' } as const satisfies Record<ObjectKind, string>;

/** The folder of a kind. */
export function kindFolder(kind: ObjectKind): string {
  return folders[kind];
}

/** Whether a kind's objects are spread over 256 buckets. */
export function hasBuckets(kind: ObjectKind): boolean {
  return kind !== 'lock';
}

/** The folder that an object is in: its bucket's, or its kind's. */
export function objectFolder({ kind, mac }: ObjectRef): string {
  return hasBuckets(kind) ? bucketFolder(kind, mac.slice(0, 2)) : folders[kind];
}

/** The folders above an object, the outer one first. */
export function objectFolders(ref: ObjectRef): string[] {
  return hasBuckets(ref.kind) ? [folders[ref.kind], objectFolder(ref)] : [folders[ref.kind]];
}

export function objectPath(ref: ObjectRef): string {
  return `${objectFolder(ref)}/${ref.mac}`;
}

export function bucketFolder(kind: ObjectKind, bucket: string): string {
  return `${folders[kind]}/${bucket}`;
}

/** Whether a name in a kind's folder is a bucket's. */
export function isBucket(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name);
}

/** The process that a temporary file belongs to. */
export interface TemporaryOwner {
  readonly host: string;
  readonly pid: number;
}

/** A new, unique path in a folder, for an upload by a process. */
export function temporaryPath(folder: string, { host, pid }: TemporaryOwner): string {
  // A UUID, because Node draws random bytes for many of them at once. The parts used are entirely random.
  const uuid = randomUUID();
  const random = uuid.slice(0, 8) + uuid.slice(24, 32);
  return `${folder}/tmp.kloset-gateway.${nameOfHost(host)}.${pid}.${random}`;
}

/** Whose a temporary file is, by its name in its folder; undefined if it is not a gateway's. */
export function parseTemporary(name: string): TemporaryOwner | undefined {
  const [, host, pid] = /^tmp\.kloset-gateway\.([A-Za-z0-9-]+)\.(\d+)\.[0-9a-f]{16}$/.exec(name) ?? [];
  return host === undefined || pid === undefined ? undefined : { host, pid: Number(pid) };
}

/** A host's name as it is in the names of its temporary files. */
export function nameOfHost(host: string): string {
  return host.replaceAll(/[^A-Za-z0-9-]/g, '-') || 'unnamed';
}
