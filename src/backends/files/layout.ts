import type { ObjectKind, ObjectRef } from '../../core/object.js';

/*
 * Where a store's objects are, as kloset's own backends keep them. Pure functions: no other module composes a path.
 *
 *   CONFIG
 *   packfiles/<xx>/<64 hex digits>      xx: the first two
 *   states/<xx>/<64 hex digits>
 *   locks/<64 hex digits>
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
