import { expect } from 'chai';
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalReadableFile } from '../../../src/backends/local/local-readable-file.js';
import { SyncIoGovernor } from '../../../src/backends/local/sync-io-governor.js';
import { seededBytes } from '../../support/objects.js';
import { tempFolder } from '../../support/temp.js';

/** Counts the operations that may run on the event loop, and runs them where it is told to. */
class CountingGovernor extends SyncIoGovernor {
  count = 0;

  constructor(private readonly where: 'loop' | 'pool') {
    super();
  }

  override async run<T>(onEventLoop: () => T, inThreadPool: () => Promise<T>): Promise<T> {
    this.count++;
    return this.where === 'loop' ? onEventLoop() : inThreadPool();
  }
}

describe('LocalReadableFile', () => {
  const bytes = seededBytes(600_000, 'readable');
  let path: string;

  before(async () => {
    path = join(await tempFolder(), 'file');
    await writeFile(path, bytes);
  });

  async function read(governor: SyncIoGovernor, offset: number, length: number): Promise<Buffer> {
    const file = new LocalReadableFile(await open(path), await stat(path), governor);
    const target = Buffer.alloc(length);
    const got = await file.read(target, offset, length);
    await file.close();
    return target.subarray(0, got);
  }

  for (const where of ['loop', 'pool'] as const) {
    it(`reads what is there, cut at the end of the file, in the ${where}`, async () => {
      for (const [offset, length] of [
        [0, 100],
        [599_950, 100],
        [700_000, 100],
      ] as const) {
        const expected = bytes.subarray(offset, offset + length);
        expect((await read(new CountingGovernor(where), offset, length)).equals(expected)).to.equal(true);
      }
    });
  }

  it('takes large reads to the thread pool, whatever the disk does', async () => {
    const governor = new CountingGovernor('loop');
    expect((await read(governor, 1, 300_000)).equals(bytes.subarray(1, 300_001))).to.equal(true);
    expect(governor.count).to.equal(0);
    await read(governor, 1, 200_000);
    expect(governor.count).to.equal(1);
  });

  it('is closed after the reads that are in progress', async () => {
    const file = new LocalReadableFile(await open(path), await stat(path), new CountingGovernor('pool'));
    const target = Buffer.alloc(500_000);
    const reading = file.read(target, 0, target.length);
    await file.close();
    expect(await reading).to.equal(target.length);
    expect(target.equals(bytes.subarray(0, target.length))).to.equal(true);
  });
});
