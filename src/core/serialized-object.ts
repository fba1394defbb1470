import { StoreError } from './errors.js';
import type { ObjectKind, ObjectRef } from './object.js';
import { watched } from '../lib/watched.js';

/** The size of the smallest serialized object: a header of 16 bytes and a MAC of 32, with an empty payload. */
export const minObjectBytes = 48;

/** The size limit of locks; plakar's have about 124 bytes. */
export const maxLockBytes = 64 * 1024;

/** The size limit of a kind, in bytes. `maxObjectBytes` is the one of packfiles and states. */
export function maxBytes(kind: ObjectKind, maxObjectBytes: number): number {
  return kind === 'lock' ? maxLockBytes : maxObjectBytes;
}

/** The error for an object over its size limit. */
export function tooLarge(kind: ObjectKind, limit: number): StoreError {
  return new StoreError('too_large', `a ${kind} may have ${limit} bytes at most`);
}

/** The size of the header that serialized objects start with, and of the MAC that they end with. */
export const headerBytes = 16;
export const trailerBytes = minObjectBytes - headerBytes;

/** The first 8 bytes of serialized objects; the second is that of old stores. */
const magics = ['_KLOSET_', '_PLAKAR_'];

/** Bytes 8 to 11, uint32 little-endian: kloset's resource types. */
const resourceTypes = { config: 1, lock: 2, state: 3, packfile: 4 } as const satisfies Record<
  ObjectKind | 'config',
  number
>;

/**
 * Passes an upload on and validates its size and header: `invalid_argument` for a wrong header or less than 48 bytes, `too_large` over the
 * limit. The chunk that completes a wrong header is not passed on, so a backend that waits for 16 bytes before it writes leaves no trace
 * of garbage. The payload is encrypted and can't be validated.
 *
 * @param maxObjectBytes the limit for packfiles and states, in bytes; locks have their own
 */
export function verifiedObject(
  ref: ObjectRef,
  body: AsyncIterable<Uint8Array>,
  maxObjectBytes: number,
): AsyncIterable<Uint8Array> {
  const limit = maxBytes(ref.kind, maxObjectBytes);
  let size = 0;
  /** The header bytes so far; undefined once the header is checked. */
  let head: Uint8Array | undefined = new Uint8Array();
  return watched(body, {
    chunk: (chunk) => {
      size += chunk.length;
      if (size > limit) throw tooLarge(ref.kind, limit);
      if (head === undefined) return;
      // An incomplete header is copied: the chunk belongs to the store once it is passed on.
      head = head.length === 0 && chunk.length >= headerBytes ? chunk : Buffer.concat([head, chunk]);
      if (head.length < headerBytes) return;
      checkHeader(ref.kind, head);
      head = undefined;
    },
    end: () => {
      if (size >= minObjectBytes) return;
      throw new StoreError(
        'invalid_argument',
        `not a ${ref.kind}: it has ${size} bytes, and the shortest has ${minObjectBytes}; was the upload cut off?`,
      );
    },
  });
}

/** Whether `bytes` can be a store's CONFIG, judging by length and header. */
export function isConfig(bytes: Uint8Array): boolean {
  return bytes.length >= minObjectBytes && hasMagic(bytes) && resourceType(bytes) === resourceTypes.config;
}

/** The bytes between the header and the trailing MAC. */
export function payload(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(headerBytes, bytes.length - trailerBytes);
}

/** The version of the format that a header names: `1.1` for what plakar 1.1 writes. Bytes 12 to 15: patch, minor, major as uint16. */
export function formatVersion(header: Uint8Array): string {
  const bytes = asBuffer(header);
  return `${bytes.readUInt16LE(14)}.${bytes.readUInt8(13)}`;
}

/** Throws `invalid_argument` unless `head`, of 16 bytes or more, is the start of an object of this kind. */
export function checkHeader(kind: ObjectKind, head: Uint8Array): void {
  if (!hasMagic(head)) {
    throw new StoreError('invalid_argument', `not a ${kind}: it doesn't start like an object of a Kloset store`);
  }
  const type = resourceType(head);
  if (type !== resourceTypes[kind]) {
    throw new StoreError('invalid_argument', `not a ${kind}: its header says that it is of type ${type}`);
  }
}

function hasMagic(bytes: Uint8Array): boolean {
  return magics.includes(asBuffer(bytes).toString('latin1', 0, 8));
}

function resourceType(bytes: Uint8Array): number {
  return asBuffer(bytes).readUInt32LE(8);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
