import { StoreError } from './errors.js';
import type { ObjectKind, ObjectRef } from './object.js';
import { watched } from '../lib/watched.js';

/** The shortest serialized object: a header of 16 bytes and a MAC of 32, with nothing between. */
export const minObjectBytes = 48;

/** The largest lock: a real one has some 124 bytes. */
export const maxLockBytes = 64 * 1024;

/** The largest object of a kind in bytes, where packfiles and states may have `maxObjectBytes`. */
export function maxBytes(kind: ObjectKind, maxObjectBytes: number): number {
  return kind === 'lock' ? maxLockBytes : maxObjectBytes;
}

/** What is said of an object that is larger. */
export function tooLarge(kind: ObjectKind, limit: number): StoreError {
  return new StoreError('too_large', `a ${kind} may have ${limit} bytes at most`);
}

const headerBytes = 16;

/** The first 8 bytes of every serialized object; the second is that of old stores. */
const magics = ['_KLOSET_', '_PLAKAR_'];

/** Bytes 8 to 11, uint32 little-endian: kloset's resource types. */
const resourceTypes = { config: 1, lock: 2, state: 3, packfile: 4 } as const satisfies Record<
  ObjectKind | 'config',
  number
>;

/**
 * Passes an upload on, and fails where it can't be the object that it is said to be: `invalid_argument` for a foreign
 * header or less than 48 bytes, `too_large` beyond the limit. The chunk that completes a foreign header isn't passed on, so a
 * backend that gathers 16 bytes before it starts writing leaves no trace of garbage. The rest is encrypted, and not ours to check.
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
  /** What came of the header; undefined once all of it did. */
  let head: Uint8Array | undefined = new Uint8Array();
  return watched(body, {
    chunk: (chunk) => {
      size += chunk.length;
      if (size > limit) throw tooLarge(ref.kind, limit);
      if (head === undefined) return;
      // Copied where more has to come: the chunk is somebody else's then.
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

/** Whether `bytes` can be a store's CONFIG, by its length and header. */
export function isConfig(bytes: Uint8Array): boolean {
  return bytes.length >= minObjectBytes && hasMagic(bytes) && resourceType(bytes) === resourceTypes.config;
}

/** What is between the header and the trailing MAC. */
export function payload(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(headerBytes, bytes.length - (minObjectBytes - headerBytes));
}

function checkHeader(kind: ObjectKind, head: Uint8Array): void {
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
