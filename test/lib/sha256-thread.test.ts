import { createHash, randomBytes } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { expect } from 'chai';
import { Sha256Thread, type Sha256 } from '../../src/lib/sha256-thread.js';
import { eventually } from '../support/store.js';

const kib = 1024;

/** Adds bytes in chunks whose memory is overwritten as soon as they may be. */
async function update(hash: Sha256, bytes: Buffer, chunkBytes: number): Promise<void> {
  const chunk = Buffer.alloc(chunkBytes);
  for (let from = 0; from < bytes.length; from += chunkBytes) {
    const length = bytes.copy(chunk, 0, from);
    await hash.update(chunk.subarray(0, length));
    chunk.fill(0);
  }
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('Sha256Thread', () => {
  for (const size of [0, 1, 64 * kib - 1, 64 * kib, 1024 * kib - 1, 1024 * kib, 1024 * kib + 1, 5000 * kib + 3]) {
    for (const chunkBytes of [1000, 64 * kib, 3000 * kib]) {
      it(`makes the digest of ${size} bytes in chunks of ${chunkBytes}`, async () => {
        const hash = new Sha256Thread().newHash();
        const bytes = randomBytes(size);
        await update(hash, bytes, chunkBytes);
        expect((await hash.digest()).toString('hex')).to.equal(digestOf(bytes));
      });
    }
  }

  it('makes the digests of many at once, some of which are discarded', async () => {
    const thread = new Sha256Thread();
    const digests = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const hash = thread.newHash();
        const bytes = randomBytes(1700 * kib + index);
        const updated = update(hash, bytes, 64 * kib);
        if (index % 4 === 3) hash.discard();
        await updated;
        if (index % 4 === 3) return true;
        return (await hash.digest()).toString('hex') === digestOf(bytes);
      }),
    );
    expect(digests.every(Boolean)).to.equal(true);
  });

  it('waits while the thread is behind, rather than take all of an object into memory', async () => {
    const hash = new Sha256Thread().newHash();
    const waiting = hash.update(Buffer.alloc(64 * 1024 * kib));
    expect(waiting).to.be.instanceOf(Promise);
    await waiting;
    expect((await hash.digest()).toString('hex')).to.equal(digestOf(Buffer.alloc(64 * 1024 * kib)));
  });

  it('goes on with another thread after a crash, which fails the hashes that it had', async () => {
    const thread = new Sha256Thread();
    const workers: Worker[] = [];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (this: Worker, ...args: Parameters<typeof postMessage>) {
      workers.push(this);
      return postMessage.apply(this, args);
    };
    try {
      const lost = thread.newHash();
      await lost.update(Buffer.alloc(1100 * kib));
      workers[0]?.emit('error', new Error('out of memory'));
      let message = '';
      await lost.digest().catch((error: unknown) => (message = String(error)));
      expect(message).to.include('out of memory');
      const next = thread.newHash();
      await next.update(Buffer.alloc(1100 * kib));
      expect((await next.digest()).toString('hex')).to.equal(digestOf(Buffer.alloc(1100 * kib)));
      await eventually(async () => new Set(workers).size === 2, 'there is another thread');
      await workers[0]?.terminate();
    } finally {
      Worker.prototype.postMessage = postMessage;
    }
  });
});
