import { randomBytes, randomUUID } from 'node:crypto';
import { posix } from 'node:path';
import { objectKinds, type Mac, type ObjectKind, type ObjectRef } from '../../core/object.js';
import type { TrashedObject } from '../../core/trash.js';
import { nameOfHost } from '../../lib/name-of-host.js';

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
 *
 * and, for what was deleted from a store with a trash, below the hour of the delete, as in 2026-11-29T21Z:
 *
 *   .kloset-gateway/trash/<hour>/packfiles/<64 hex digits>.<milliseconds since 1970 at the delete>.<4 hex digits>
 *   .kloset-gateway/trash/<hour>/states/<the same>
 *
 * where `<hour>/packfiles/<…>` is the object's id. The file is the object's, and keeps its modification time.
 *
 * And segments of digests, which `../../core/digests.ts` names:
 *
 *   .kloset-gateway/digests/<segment>
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

/** The names of all buckets: `00` to `ff`. */
export const bucketNames: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

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

/** Whether a name in a kind's folder is a temporary file's: a gateway's, or plakar's, `tmp.<random>`. */
export function isTemporary(name: string): boolean {
  return name.startsWith('tmp.');
}

/** Whose a temporary file is, by its name in its folder; undefined if it is not a gateway's. */
export function parseTemporary(name: string): TemporaryOwner | undefined {
  const [, host, pid] = /^tmp\.kloset-gateway\.([A-Za-z0-9-]+)\.(\d+)\.[0-9a-f]{16}$/.exec(name) ?? [];
  return host === undefined || pid === undefined ? undefined : { host, pid: Number(pid) };
}

/** The kinds that have a trash. */
export const trashedKinds = objectKinds.filter((kind) => kind !== 'lock');

export const trashFolder = '.kloset-gateway/trash';

/** The trash's folder of what was deleted in an hour. */
export function hourFolder(hour: string): string {
  return `${trashFolder}/${hour}`;
}

/** The folder in it of a kind. */
export function trashedFolder(hour: string, kind: ObjectKind): string {
  return `${hourFolder(hour)}/${folders[kind]}`;
}

/** The folders above an object in the trash, the outer one first. */
export function trashedFolders({ ref, id }: TrashedObject): string[] {
  const [hour = ''] = id.split('/');
  return [posix.dirname(trashFolder), trashFolder, hourFolder(hour), trashedFolder(hour, ref.kind)];
}

/** The id of what has this name in an hour's folder of a kind. */
export function trashedId(hour: string, kind: ObjectKind, name: string): string {
  return `${hour}/${folders[kind]}/${name}`;
}

export function trashedPath({ id }: TrashedObject): string {
  return `${trashFolder}/${id}`;
}

/** An object as it will be in the trash, with a new id. @param deletedMs in milliseconds since 1970-01-01 UTC */
export function newTrashed(ref: ObjectRef, deletedMs: number): TrashedObject {
  const name = `${ref.mac}.${deletedMs}.${randomBytes(2).toString('hex')}`;
  return { ref, deletedMs, id: trashedId(hourOf(deletedMs), ref.kind, name) };
}

/** The object in the trash with this id; undefined if it is none. */
export function parseTrashed(id: string): TrashedObject | undefined {
  const [, hour = '', folder, mac, deleted] =
    /^([^/]+)\/(\w+)\/([0-9a-f]{64})\.(\d{1,15})\.[0-9a-f]{4}$/.exec(id) ?? [];
  const kind = trashedKinds.find((each) => folders[each] === folder);
  if (kind === undefined || !isHour(hour)) return undefined;
  return { ref: { kind, mac: mac as Mac }, deletedMs: Number(deleted), id };
}

/** The name of an hour's folder in the trash. By their names, later hours sort after earlier ones. */
export function hourOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 'yyyy-mm-ddThh'.length)}Z`;
}

/** When an hour began, in milliseconds since 1970-01-01 UTC; NaN if there is none of this name. */
export function startOfHour(hour: string): number {
  return Date.parse(hour.replace('Z', ':00Z'));
}

/** Whether a name in the trash is an hour's. */
export function isHour(name: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}Z$/.test(name);
}

/** The folder of the segments of digests. */
export const digestsFolder = '.kloset-gateway/digests';

/** The folders above a segment, the outer one first. */
export const digestsFolders = [posix.dirname(digestsFolder), digestsFolder];

export function segmentPath(name: string): string {
  return `${digestsFolder}/${name}`;
}

/** Whether the files of this path never change: packfiles and states, in the trash, too. */
export function isImmutable(path: string): boolean {
  return immutable.test(path);
}

/** Temporary files are not in a bucket. */
const immutable = /^(?:(?:packfiles|states)\/[^/]+|\.kloset-gateway\/trash\/[^/]+\/(?:packfiles|states))\//;
