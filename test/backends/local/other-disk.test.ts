import { expect } from 'chai';
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { openStore } from '../../../src/backends/backends.js';
import type { Logger } from '../../../src/lib/logger.js';
import { host, silent } from '../../support/gateway.js';
import { otherDisk } from '../../support/other-disk.js';
import { emptyStore } from '../../support/temp.js';

describe('A local store with a trash, of which a part is on another disk', () => {
  const elsewhere = otherDisk();

  it('is opened with a warning that deletes there will fail', async () => {
    const folder = await emptyStore();
    await rm(join(folder, 'states'), { recursive: true });
    await symlink(elsewhere(), join(folder, 'states'));
    const warnings: string[] = [];
    const log = { ...silent, warn: (_: object, text: string) => warnings.push(text) } as unknown as Logger;
    const user = { name: 'user', home: folder, env: {} };
    const options = { durable: true, maxObjectBytes: 1e6, minFreeBytes: 0, host, user, ssh: {}, writable: true };
    for (const trashes of [false, true]) {
      const store = await openStore({ scheme: 'fs', path: folder }, { ...options, trashes }, log);
      await store.close();
      expect(warnings).to.have.length(trashes ? 1 : 0);
    }
    expect(warnings[0]).to.include(join(folder, 'states')).and.to.include('another disk');
  });
});
