import {
  Access as WireAccess,
  ObjectKind as WireKind,
  type ByteRange as WireRange,
  type ObjectDetails,
  type ObjectRef as WireRef,
  type PutObjectRequest,
} from '../../gen/kloset/store/v1/store.js';
import type { Access } from '../core/access.js';
import { macToBytes, type ObjectKind, type ObjectRef } from '../core/object.js';
import type { ByteRange } from '../core/range.js';
import type { ObjectStat } from '../core/store.js';

/* From the core's types to the messages of kloset.store.v1, and back. */

const wireKinds = {
  packfile: WireKind.OBJECT_KIND_PACKFILE,
  state: WireKind.OBJECT_KIND_STATE,
  lock: WireKind.OBJECT_KIND_LOCK,
} as const satisfies Record<ObjectKind, WireKind>;

const accesses: Readonly<Partial<Record<WireAccess, Access>>> = {
  [WireAccess.ACCESS_READ_ONLY]: 'read-only',
  [WireAccess.ACCESS_APPEND]: 'append',
  [WireAccess.ACCESS_FULL]: 'full',
};

/** Bytes of an upload go out in messages of this size at most. */
const chunkBytes = 1024 * 1024;

export function toWireKind(kind: ObjectKind): WireKind {
  return wireKinds[kind];
}

export function toWireRef({ kind, mac }: ObjectRef): WireRef {
  return { kind: wireKinds[kind], mac: macToBytes(mac) };
}

export function toWireRange({ offset, length }: ByteRange): WireRange {
  return { offset: BigInt(offset), length };
}

/** What a later version may add is nothing that this one could make use of. */
export function fromWireAccess(access: WireAccess): Access {
  return accesses[access] ?? 'none';
}

export function fromDetails(details: ObjectDetails | undefined): ObjectStat {
  return { size: Number(details?.size ?? 0n), modifiedMs: Number(details?.modifiedUnixMs ?? 0n) };
}

/** An upload's messages: its header, its bytes, and the finish without which nothing is stored. */
export async function* putMessages(
  store: string,
  ref: ObjectRef,
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<PutObjectRequest, void, undefined> {
  yield { part: { $case: 'header', value: { store, ref: toWireRef(ref) } } };
  let length = 0;
  for await (const bytes of body) {
    length += bytes.length;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield { part: { $case: 'chunk', value: bytes.subarray(at, at + chunkBytes) } };
    }
  }
  yield { part: { $case: 'finish', value: { length: BigInt(length) } } };
}
