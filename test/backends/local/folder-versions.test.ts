import { expect } from 'chai';
import { stat } from 'node:fs/promises';
import { FolderVersions } from '../../../src/backends/local/folder-versions.js';
import { tempFolder } from '../../support/temp.js';

describe('the version of a local folder', () => {
  it('is told only when no further change can have the same time any more', async () => {
    const folder = await tempFolder();
    const { ctimeNs } = await stat(folder, { bigint: true });
    const changedMs = Number(ctimeNs / 1_000_000n);
    const at = (nowMs: number): Promise<string | undefined> => new FolderVersions(() => nowMs).of(folder);
    for (const nowMs of [changedMs - 3600_000, changedMs, changedMs + 1999]) {
      expect(await at(nowMs), String(nowMs - changedMs)).to.equal(undefined);
    }
    expect(await at(changedMs + 2001)).to.be.a('string');
  });

  it('is not told of a file system with times of its own', async () => {
    // /proc stands for what isn't known: network file systems, and those in user space.
    expect(await new FolderVersions(() => Date.now() + 1e9).of('/proc/self')).to.equal(undefined);
  });

  it('fails where there is no folder', async () => {
    const error = await new FolderVersions().of('/nonexistent').catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'ENOENT');
  });
});
