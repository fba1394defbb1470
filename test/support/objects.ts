import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { parseMac, type Mac, type ObjectKind, type ObjectRef } from '../../src/core/object.js';

const types: Record<ObjectKind, number> = { lock: 2, state: 3, packfile: 4 };

/** Bytes that look random and are the same for the same seed. */
export function seededBytes(size: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size));
}

/** A serialized object's header, of 16 bytes. */
export function header(kind: ObjectKind, magic = '_KLOSET_'): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.write(magic, 'latin1');
  bytes.writeUInt32LE(types[kind], 8);
  bytes.writeUInt32LE(0x00010100, 12);
  return bytes;
}

/** An object of a kind with `size` bytes, at least 16. */
export function makeObject(kind: ObjectKind, size: number, seed = 'object'): Buffer {
  return Buffer.concat([header(kind), seededBytes(size - 16, seed)]);
}

export function randomMac(): Mac {
  return parseMac(randomBytes(32).toString('hex'));
}

/** A MAC that starts with a bucket's two digits. */
export function randomMacIn(bucket: string): Mac {
  return parseMac(`${bucket}${randomMac().slice(bucket.length)}`);
}

export function newRef(kind: ObjectKind): ObjectRef {
  return { kind, mac: randomMac() };
}

/** An upload's body: these bytes, in chunks of a size. */
export async function* inChunks(bytes: Uint8Array, chunkSize = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkSize) yield bytes.subarray(at, at + chunkSize);
}
