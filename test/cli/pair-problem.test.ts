import { expect } from 'chai';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { emptyStore, tempFolder } from '../support/temp.js';
import { run } from './support/undo.js';

describe('a store and its other copy', () => {
  it('are not the same one', async () => {
    const store = await emptyStore();
    const link = join(await tempFolder(), 'link');
    await symlink(store, link);
    const itself = {
      exitCode: 2,
      stdout: '',
      stderr: 'kloset-gateway: the other copy is the store itself: name the place of a second copy\n',
    };
    expect(await run('verify', store, '--against', link)).to.deep.equal(itself);
    expect(await run('repair', link, '--from', store)).to.deep.equal(itself);
  });

  it('do not take damaged objects into their folders', async () => {
    const [store, other, outside] = [await emptyStore(), await emptyStore(), await tempFolder()];
    await mkdir(join(store, 'damaged'));
    for (const folder of [store, join(store, 'damaged'), join(other, 'new', 'damaged')]) {
      const { exitCode, stderr } = await run('repair', store, '--from', other, '--to-folder', folder);
      expect(exitCode, folder).to.equal(2);
      expect(stderr).to.include('--to-folder').and.include('in a store');
    }
    const elsewhere = await run('repair', store, '--from', other, '--to-folder', join(outside, 'new'));
    expect(elsewhere).to.include({ exitCode: 0 });
  });
});
