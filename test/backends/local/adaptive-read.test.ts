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

/** How many reads in a row went to the thread pool, each time. */
function detoursIn(ways: readonly ('loop' | 'pool')[]): number[] {
  return ways
    .join(' ')
    .split('loop')
    .map((run) => run.split('pool').length - 1)
    .filter((length) => length > 0);
}

describe('AdaptiveReader', () => {
  it('reads on the event loop while the disk answers from memory', async () => {
    expect(new Set(await reads([], 50))).to.deep.equal(new Set(['loop']));
  });

  it('goes to the thread pool after two slow reads, and longer after each further one that follows', async () => {
    expect(detoursIn(await reads([10, 10, 10, 10], 100))).to.deep.equal([8, 16, 32]);
    expect(detoursIn(await reads([10, 0, 0, 10], 60))).to.deep.equal([8]);
  });

  it('stays on the event loop where a slow read comes now and then', async () => {
    const durations = Array.from({ length: 200 }, (_, i) => (i % 10 === 0 ? 10 : 0));
    expect(detoursIn(await reads(durations, 200))).to.deep.equal([]);
  });

  it('forgives slow reads after many quick ones', async () => {
    const slow = [10, 10];
    const quick = Array.from({ length: 64 }, () => 0);
    expect(detoursIn(await reads([...slow, ...quick, ...slow], 160))).to.deep.equal([8, 8]);
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
