import {
  Access as WireAccess,
  ObjectKind as WireKind,
  type ByteRange as WireRange,
  type ObjectDetails,
  type ObjectRef as WireRef,
} from '../../gen/kloset/store/v1/store.js';
import type { Access } from '../core/access.js';
import { StoreError } from '../core/errors.js';
import {
  macFromBytes,
  macToBytes,
  requireObjectKind,
  type NamedKind,
  type ObjectKind,
  type ObjectRef,
} from '../core/object.js';
import { byteRange, type ByteRange } from '../core/range.js';
import type { ObjectStat } from '../core/store.js';

/* Conversions between the messages of kloset.store.v1 and the types of the core, for servers and clients. `to` makes messages. */

const wireKinds: Readonly<Record<NamedKind, WireKind>> = {
  packfile: WireKind.OBJECT_KIND_PACKFILE,
  state: WireKind.OBJECT_KIND_STATE,
  lock: WireKind.OBJECT_KIND_LOCK,
  'ecc-packfile': WireKind.OBJECT_KIND_ECC_PACKFILE,
  'ecc-state': WireKind.OBJECT_KIND_ECC_STATE,
};

const kinds = inverse(wireKinds);

const wireAccesses: Readonly<Record<Access, WireAccess>> = {
  none: WireAccess.ACCESS_NONE,
  'read-only': WireAccess.ACCESS_READ_ONLY,
  'write-only': WireAccess.ACCESS_WRITE_ONLY,
  append: WireAccess.ACCESS_APPEND,
  full: WireAccess.ACCESS_FULL,
};

const accesses = inverse(wireAccesses);

export function toKind(kind: ObjectKind): WireKind {
  return wireKinds[kind];
}

/** Throws `invalid_argument` for a kind that is unspecified or unknown, `unimplemented` for the kinds of error correction. */
export function fromKind(kind: WireKind): ObjectKind {
  const known = kinds.get(kind);
  if (known !== undefined) return requireObjectKind(known);
  throw new StoreError('invalid_argument', 'invalid kind: it has to be PACKFILE, STATE or LOCK');
}

export function toRef({ kind, mac }: ObjectRef): WireRef {
  return { kind: wireKinds[kind], mac: macToBytes(mac) };
}

/** Throws `invalid_argument` where the reference is missing or malformed. */
export function fromRef(ref: WireRef | undefined): ObjectRef {
  if (ref === undefined) throw new StoreError('invalid_argument', 'ref is missing: it names the object');
  return { kind: fromKind(ref.kind), mac: macFromBytes(ref.mac) };
}

export function toRange({ offset, length }: ByteRange): WireRange {
  return { offset: BigInt(offset), length };
}

/** Throws `invalid_argument` for a length of 0. */
export function fromRange({ offset, length }: WireRange): ByteRange {
  return byteRange(offset, BigInt(length));
}

export function toAccess(access: Access): WireAccess {
  return wireAccesses[access];
}

/** A level that this version doesn't know counts as none. */
export function fromAccess(access: WireAccess): Access {
  return accesses.get(access) ?? 'none';
}

export function toDetails({ size, modifiedMs }: ObjectStat): ObjectDetails {
  return { size: BigInt(size), modifiedUnixMs: BigInt(Math.floor(modifiedMs)) };
}

export function fromDetails(details: ObjectDetails | undefined): ObjectStat {
  return { size: Number(details?.size ?? 0n), modifiedMs: Number(details?.modifiedUnixMs ?? 0n) };
}

function inverse<K extends string, V>(record: Readonly<Record<K, V>>): ReadonlyMap<V, K> {
  return new Map((Object.entries(record) as [K, V][]).map(([key, value]) => [value, key]));
}
