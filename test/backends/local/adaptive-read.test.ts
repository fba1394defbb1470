import { expect } from 'chai';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AdaptiveReader } from '../../../src/backends/local/adaptive-read.js';
import { seededBytes } from '../../support/objects.js';
import { tempFolder } from '../../support/temp.js';

/** Reads that take as long as the clock says, on a real file. */
async function reads(durations: readonly number[], count: number): Promise<('loop' | 'pool')[]> {
  const path = join(await tempFolder(), 'file');
  const bytes = seededBytes(1000, 'adaptive');
  await writeFile(path, bytes);
  const file = await open(path);
  let now = 0;
  let call = 0;
  // Asked before and after each read on the event loop.
  const reader = new AdaptiveReader(() => (call++ % 2 === 1 ? (now += durations[(call - 2) / 2] ?? 0) : now));
  const ways: ('loop' | 'pool')[] = [];
  for (let i = 0; i < count; i++) {
    const target = Buffer.alloc(100);
    const result = reader.read(file, target, 0, 100, i);
    ways.push(typeof result === 'number' ? 'loop' : 'pool');
    expect(await result).to.equal(100);
    expect(target.equals(bytes.subarray(i, i + 100))).to.equal(true);
  }
  await file.close();
  return ways;
}

describe('AdaptiveReader', () => {
  it('reads on the event loop while the disk answers from memory', async () => {
    expect(new Set(await reads([], 50))).to.deep.equal(new Set(['loop']));
  });

  it('goes to the thread pool after a slow read, and longer after each further one', async () => {
    const ways = await reads([10, 10], 60);
    const runs = ways
      .join(' ')
      .split('loop')
      .map((run) => run.split('pool').length - 1)
      .filter((length) => length > 0);
    expect(runs).to.deep.equal([8, 16]);
  });

  it('takes large reads to the thread pool, whatever the disk does', async () => {
    const path = join(await tempFolder(), 'file');
    await writeFile(path, Buffer.alloc(300_000));
    const file = await open(path);
    const result = new AdaptiveReader().read(file, Buffer.alloc(300_000), 0, 300_000, 0);
    expect(result).to.be.a('promise');
    expect(await result).to.equal(300_000);
    await file.close();
  });
});
