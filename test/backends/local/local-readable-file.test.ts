import { expect } from 'chai';
import { open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalReadableFile } from '../../../src/backends/local/local-readable-file.js';
import { seededBytes } from '../../support/objects.js';
import { tempFolder } from '../../support/temp.js';

describe('LocalReadableFile', () => {
  const bytes = seededBytes(600_000, 'readable');
  let path: string;

  before(async () => {
    path = join(await tempFolder(), 'file');
    await writeFile(path, bytes);
  });

  it('reads what is there, cut at the end of the file', async () => {
    for (const [offset, length] of [
      [0, 100],
      [599_950, 100],
      [700_000, 100],
      [1, 599_999],
    ] as const) {
      const file = new LocalReadableFile(await open(path), await stat(path));
      const target = Buffer.alloc(length);
      const got = await file.read(target, offset, length);
      await file.close();
      expect(target.subarray(0, got).equals(bytes.subarray(offset, offset + length))).to.equal(true);
    }
  });

  it('is closed after the reads that are in progress', async () => {
    const file = new LocalReadableFile(await open(path), await stat(path));
    const target = Buffer.alloc(500_000);
    const reading = file.read(target, 0, target.length);
    await file.close();
    expect(await reading).to.equal(target.length);
    expect(target.equals(bytes.subarray(0, target.length))).to.equal(true);
  });
});
