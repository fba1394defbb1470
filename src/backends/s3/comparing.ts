import { createHash } from 'node:crypto';
import { ifPresent } from '../../core/errors.js';
import type { S3Bucket } from './client.js';

/** What is stored by an object's name, compared with other bytes. */
export type Stored = 'same' | 'other' | 'nothing';

/** Stands for bytes that are not at hand any more. */
export interface Digest {
  /** In bytes. */
  readonly size: number;
  readonly sha256: Buffer;
}

export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest() };
}

/** Reads what is stored by a key, or a version of it, and compares it. ETags don't tell: they depend on the parts by which an object was uploaded. */
export async function compareStored(
  bucket: S3Bucket,
  key: string,
  { size, sha256 }: Digest,
  signal: AbortSignal,
  versionId?: string,
): Promise<Stored> {
  const stored = await ifPresent(bucket.get(key, undefined, signal, versionId));
  if (stored === undefined) return 'nothing';
  try {
    if (stored.objectSize !== size) return 'other';
    const hash = createHash('sha256');
    for await (const chunk of stored.body) hash.update(chunk);
    return hash.digest().equals(sha256) ? 'same' : 'other';
  } finally {
    stored.cancel();
  }
}
