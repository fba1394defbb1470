import { expect } from 'chai';
import { BufferPool } from '../../src/lib/buffer-pool.js';

const MiB = 2 ** 20;

describe('BufferPool', () => {
  let pool: BufferPool;

  beforeEach(() => {
    pool = new BufferPool();
  });

  /** How many of these are handed out again for this length. */
  function reused(given: readonly Buffer[], length: number): number {
    const taken = given.map(() => pool.take(length));
    return taken.filter((buffer) => given.includes(buffer)).length;
  }

  it('gives a buffer that is large enough, and the same one again after its return', () => {
    for (const length of [1, 4096, 4097, 300_000, MiB]) {
      const buffer = pool.take(length);
      expect(buffer.length).to.be.within(length, Math.max(4096, 2 * length));
      pool.give(buffer);
      expect(pool.take(length)).to.equal(buffer);
    }
  });

  it('keeps no buffer that is larger than those of its sizes, or empty', () => {
    for (const length of [0, MiB + 1, 3 * MiB]) {
      const buffer = pool.take(length);
      expect(buffer.length).to.equal(length);
      pool.give(buffer);
      expect(pool.take(length)).to.not.equal(buffer);
    }
  });

  it('keeps 16 MiB at most', () => {
    const buffers = Array.from({ length: 20 }, () => pool.take(MiB));
    for (const buffer of buffers) pool.give(buffer);
    expect(reused(buffers, MiB)).to.equal(16);
  });

  it('drops what was not needed between two trims, and nothing else', () => {
    const buffers = Array.from({ length: 4 }, () => pool.take(MiB));
    for (const buffer of buffers) pool.give(buffer);
    pool.trim();
    const needed = pool.take(MiB);
    pool.give(needed);
    pool.trim();
    expect(reused(buffers, MiB)).to.equal(1);
  });

  it('ends up with nothing when it is idle', () => {
    const buffers = Array.from({ length: 4 }, (_, i) => pool.take(5000 * 2 ** i));
    for (const buffer of buffers) pool.give(buffer);
    pool.trim();
    pool.trim();
    for (const buffer of buffers) expect(pool.take(buffer.length)).to.not.equal(buffer);
  });
});
