import { expect } from 'chai';
import type { ReadableFile } from '../../../src/backends/files/file-system.js';
import { ObjectReader } from '../../../src/backends/files/reading.js';
import type { ObjectRead } from '../../../src/core/store.js';

const MiB = 2 ** 20;

describe('an object that is read in chunks', () => {
  /** How many reads of a file are in progress, and how many there were at most. */
  let inProgress: number;
  let most: number;
  let closed: number;
  let reader: ObjectReader;

  beforeEach(() => {
    inProgress = most = closed = 0;
    reader = new ObjectReader({ readAhead: (others) => (others === 0 ? 3 : 1) });
  });

  async function read(size: number): Promise<ObjectRead> {
    const file: ReadableFile = {
      size,
      modifiedMs: 0,
      id: undefined,
      read: async (_target, _offset, length) => {
        most = Math.max(most, ++inProgress);
        await new Promise((resolve) => setImmediate(resolve));
        inProgress--;
        return length;
      },
      sync: async () => undefined,
      close: async () => void closed++,
    };
    return reader.read(file, undefined);
  }

  async function consume({ data, length, release }: ObjectRead): Promise<void> {
    let left = length;
    for await (const chunk of data as AsyncIterable<Uint8Array>) left -= chunk.length;
    release();
    expect(left).to.equal(0);
  }

  it('is read ahead as far as the file system says for one alone', async () => {
    await consume(await read(8 * MiB));
    expect(most).to.equal(3);
  });

  it('is read ahead as far as the file system says for several, until they are released', async () => {
    const other = await read(8 * MiB);
    await consume(await read(8 * MiB));
    expect(most).to.equal(1);
    other.release();
    expect(closed).to.equal(2);
    await consume(await read(8 * MiB));
    expect(most).to.equal(3);
  });

  it('does not count those that are one buffer', async () => {
    await read(1000);
    expect(closed, 'a small one is read at once').to.equal(1);
    await consume(await read(8 * MiB));
    expect(most).to.equal(3);
  });
});
