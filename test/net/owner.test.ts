import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveOwner } from '../../src/net/owner.js';
import { tempFolder } from '../support/temp.js';

describe('the owner of a socket', () => {
  let files: { user: string; group: string };

  before(async () => {
    const folder = await tempFolder();
    files = { user: join(folder, 'passwd'), group: join(folder, 'group') };
    await writeFile(files.user, 'root:x:0:0:root:/root:/bin/sh\nbackup:x:34:35::/:/bin/false\nbroken:x\n+nis::::::\n');
    await writeFile(files.group, 'root:x:0:\nbackup:x:36:someone\n');
  });

  it('is found by name', async () => {
    expect(await resolveOwner({ user: 'backup', group: 'backup' }, files)).to.deep.equal({ uid: 34, gid: 36 });
    expect(await resolveOwner({ user: 'root', group: undefined }, files)).to.deep.equal({ uid: 0, gid: -1 });
    expect(await resolveOwner({ user: undefined, group: 'root' })).to.deep.equal({ uid: -1, gid: 0 });
  });

  it('can be given by number', async () => {
    expect(await resolveOwner({ user: '1000', group: '4294967294' }, files)).to.deep.equal({
      uid: 1000,
      gid: 4294967294,
    });
  });

  it('must exist', async () => {
    for (const name of ['nobody', 'broken', 'back', '', 'x', '4294967295', '-1', '+nis']) {
      const error: unknown = await resolveOwner({ user: name, group: undefined }, files).catch((e: unknown) => e);
      expect(error, name)
        .to.be.an('error')
        .with.property('message')
        .that.includes(`there is no user ${name} in ${files.user}`);
    }
  });
});
