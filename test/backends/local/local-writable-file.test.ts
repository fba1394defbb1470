import { expect } from 'chai';
import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalWritableFile } from '../../../src/backends/local/local-writable-file.js';
import { seededBytes } from '../../support/objects.js';
import { tempFolder } from '../../support/temp.js';

describe('LocalWritableFile', () => {
  it('fails where the file system has fewer bytes in the end than it took', async () => {
    const path = join(await tempFolder(), 'file');
    const file = await LocalWritableFile.create(path, 0o600);
    await file.write([seededBytes(1000, 'one'), seededBytes(1000, 'two')]);
    await truncate(path, 1500);
    const failure: unknown = await file.close().catch((error: unknown) => error);
    expect(String(failure)).to.include('kept 1500 of 2000 bytes: nothing is stored');
  });

  it('keeps the order of small and large writes', async () => {
    const path = join(await tempFolder(), 'file');
    const file = await LocalWritableFile.create(path, 0o600);
    const parts = [10, 65_000, 5000, 300_000, 7].map((size) => seededBytes(size, String(size)));
    for (const part of parts) await file.write([part]);
    await file.close();
    expect((await readFile(path)).equals(Buffer.concat(parts))).to.equal(true);
  });
});
