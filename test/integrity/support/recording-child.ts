import { createHash } from 'node:crypto';
import { FileStore } from '../../../src/backends/files/file-store.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { DigestWriter } from '../../../src/integrity/digest-writer.js';
import { Digested } from '../../../src/layers/digested.js';
import { inChunks, makeObject, newRef } from '../../support/objects.js';

/*
 * Puts packfiles into the store in a folder, eight at once, for ever, with their digests, and says what was acknowledged. It imports little, so that
 * it starts soon.
 */

const [folder = ''] = process.argv.slice(2);
const ctx = { signal: new AbortController().signal };
const log = { warn: () => undefined };
const host = { name: 'test-host', pid: process.pid, startedMs: Date.now(), isAlive: () => true };
const files = await FileStore.open(new LocalFileSystem(folder), { durable: false, maxObjectBytes: 1e6, host });
const recorder = new DigestWriter(files.digests, { instance: 'one', host: host.name, log });
const store = new Digested(files, { recorder, name: '', log });

async function putForEver(): Promise<never> {
  for (;;) {
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 1000, ref.mac);
    await store.put(ref, inChunks(bytes), ctx);
    process.stdout.write(`${ref.mac} ${createHash('sha256').update(bytes).digest('hex')}\n`);
  }
}

await Promise.all(Array.from({ length: 8 }, putForEver));
