import { expect } from 'chai';
import { BufferPool } from '../../src/lib/buffer-pool.js';
import { dispose, freeNow, giveBackWhenDone, standIn } from '../../src/lib/disposable.js';

const KiB = 1024;

describe('The memory of a chunk', () => {
  it('is freed at once where that is asked for', () => {
    const chunk = Buffer.from(new ArrayBuffer(64 * KiB));
    freeNow(chunk);
    expect(chunk.length).to.equal(0);
  });

  it('stays where others have a part of it, or where it is too small to be worth it', () => {
    const shared = Buffer.from(new ArrayBuffer(64 * KiB)).subarray(1);
    const small = Buffer.from(new ArrayBuffer(KiB));
    for (const chunk of [shared, small]) {
      const { length } = chunk;
      freeNow(chunk);
      expect(chunk.length).to.equal(length);
    }
  });

  it('stays where nobody said that it may be used again', () => {
    const chunk = Buffer.alloc(64 * KiB, 'x');
    dispose(chunk);
    expect(chunk.equals(Buffer.alloc(64 * KiB, 'x'))).to.equal(true);
  });

  it('goes back to its pool once, also by way of a part that stands for the chunk', () => {
    const pool = new BufferPool();
    const buffer = pool.take(64 * KiB);
    const chunk = giveBackWhenDone(buffer.subarray(0, 100), buffer, pool);
    const part = standIn(chunk, chunk.subarray(10));
    expect(part).to.have.length(90);
    dispose(part);
    dispose(part);
    dispose(chunk);
    expect(pool.take(64 * KiB)).to.equal(buffer);
    expect(pool.take(64 * KiB)).to.not.equal(buffer);
  });
});

describe('BufferPool', () => {
  it('gives buffers again that are large enough, and keeps 16 MiB of them at most', () => {
    const pool = new BufferPool();
    const buffers = Array.from({ length: 20 }, () => pool.take(KiB * KiB));
    for (const buffer of buffers) pool.give(buffer);
    const again = Array.from({ length: 20 }, () => pool.take(KiB * KiB - 1));
    expect(again.filter((buffer) => buffers.includes(buffer))).to.have.length(16);
    expect(pool.take(100).length).to.equal(4 * KiB);
    expect(pool.take(3 * KiB * KiB).length).to.equal(3 * KiB * KiB);
  });
});
