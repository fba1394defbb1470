import { expect } from 'chai';
import fs, { mkdir, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { expectFailure } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';

type Readdir = (path: string, options?: { readonly withFileTypes?: boolean }) => Promise<unknown>;

const { readdir } = fs;

/** Replaces readdir(3) for this test. */
function replaceReaddir(replacement: Readdir): void {
  Object.assign(fs, { readdir: replacement });
  syncBuiltinESMExports();
}

describe('A local folder on a file system that does not tell the types of names', () => {
  afterEach(() => replaceReaddir(readdir as Readdir));

  it('lists what is there, and passes over a name that has gone meanwhile', async () => {
    const folder = await tempFolder();
    await mkdir(join(folder, 'locks', 'folder'), { recursive: true });
    await writeFile(join(folder, 'locks', 'file'), '');
    // As Node fails there: it looks at each name.
    replaceReaddir(async (path, options) => {
      if (options?.withFileTypes === true) throw Object.assign(new Error('lstat failed'), { code: 'ENOENT' });
      return [...(await readdir(path)), 'gone'];
    });
    const files = new LocalFileSystem(folder);
    const entries = await files.list('locks');
    expect(entries.sort((a, b) => (a.name < b.name ? -1 : 1))).to.deep.equal([
      { name: 'file', type: 'file' },
      { name: 'folder', type: 'folder' },
    ]);
    await expectFailure(files.list('missing'), 'not_found');
  });
});
