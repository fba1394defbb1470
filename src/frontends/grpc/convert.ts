import {
  Access as WireAccess,
  ObjectKind as WireKind,
  type ByteRange as WireRange,
  type ObjectDetails,
  type ObjectRef as WireRef,
} from '../../../gen/kloset/store/v1/store.js';
import type { Access } from '../../core/access.js';
import { StoreError } from '../../core/errors.js';
import { eccUnimplemented, macFromBytes, type ObjectKind, type ObjectRef } from '../../core/object.js';
import { byteRange, type ByteRange } from '../../core/range.js';
import type { ObjectStat } from '../../core/store.js';

/* Between the messages of kloset.store.v1 and the types of the core. What comes in is checked here, once. */

const kinds: Readonly<Partial<Record<WireKind, ObjectKind>>> = {
  [WireKind.OBJECT_KIND_PACKFILE]: 'packfile',
  [WireKind.OBJECT_KIND_STATE]: 'state',
  [WireKind.OBJECT_KIND_LOCK]: 'lock',
};

/** The kinds that stores keep, as the API names them. */
export const wireKinds: readonly WireKind[] = [
  WireKind.OBJECT_KIND_PACKFILE,
  WireKind.OBJECT_KIND_STATE,
  WireKind.OBJECT_KIND_LOCK,
];

export const wireAccess = {
  none: WireAccess.ACCESS_NONE,
  'read-only': WireAccess.ACCESS_READ_ONLY,
  append: WireAccess.ACCESS_APPEND,
  full: WireAccess.ACCESS_FULL,
} as const satisfies Record<Access, WireAccess>;

/** Throws `invalid_argument` for a kind that is unspecified or unknown, `unimplemented` for the ecc kinds. */
export function parseKind(kind: WireKind): ObjectKind {
  const known = kinds[kind];
  if (known !== undefined) return known;
  if (kind === WireKind.OBJECT_KIND_ECC_PACKFILE || kind === WireKind.OBJECT_KIND_ECC_STATE) throw eccUnimplemented();
  throw new StoreError('invalid_argument', 'invalid kind: it has to be PACKFILE, STATE or LOCK');
}

/** Throws `invalid_argument` where the reference is missing or malformed. */
export function parseRef(ref: WireRef | undefined): ObjectRef {
  if (ref === undefined) throw new StoreError('invalid_argument', 'ref is missing: it names the object');
  return { kind: parseKind(ref.kind), mac: macFromBytes(ref.mac) };
}

/** Throws `invalid_argument` for a length of 0. */
export function parseRange(range: WireRange): ByteRange {
  return byteRange(range.offset, BigInt(range.length));
}

export function toDetails({ size, modifiedMs }: ObjectStat): ObjectDetails {
  return { size: BigInt(size), modifiedUnixMs: BigInt(Math.floor(modifiedMs)) };
}
