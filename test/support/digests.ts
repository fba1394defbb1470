import { createHash, randomBytes } from 'node:crypto';
import type { Digest, DigestStorage, RecordedDigest } from '../../src/core/digests.js';
import { readDigests } from '../../src/integrity/digest-log.js';
import { DigestWriter, type DigestWriterOptions } from '../../src/integrity/digest-writer.js';
import { silent } from './gateway.js';
import { newRef } from './objects.js';
import { ctx } from './store.js';

/** A writer of a gateway. */
export function digestWriter(storage: DigestStorage, options: Partial<DigestWriterOptions> = {}): DigestWriter {
  return new DigestWriter(storage, { instance: 'one', host: 'test-host', log: silent, ...options });
}

/** Records the digest of an object, as a gateway does that ends after that. */
export async function recordOne(storage: DigestStorage, ref = newRef('state')): Promise<void> {
  const writer = digestWriter(storage);
  await writer.record(ref, randomDigest());
  await writer.close();
}

export function digestOf(bytes: Uint8Array): Digest {
  return { size: bytes.length, sha256: createHash('sha256').update(bytes).digest() };
}

export function randomDigest(): Digest {
  return digestOf(randomBytes(100));
}

/** All digests that were recorded, by `<kind> <mac>`; the last one of each. */
export async function recordedDigests(storage: DigestStorage): Promise<Map<string, RecordedDigest>> {
  const found = new Map<string, RecordedDigest>();
  for await (const digest of readDigests(storage, ctx)) found.set(`${digest.kind} ${digest.mac}`, digest);
  return found;
}
