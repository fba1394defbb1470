import { openSftp } from '../../src/backends/sftp/open-sftp.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { eventually } from '../support/store.js';
import { describeFileSystem } from './file-system-suite.js';

describe('an OpenSSH server', () => {
  let sshd: Sshd;

  before(async function () {
    if (!hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(async () => {
    await sshd?.stop();
  });

  const log = { info: () => undefined, warn: () => undefined };

  describeFileSystem('a folder behind it', (folder) => openSftp(sshd.location(folder), sshd.options, log));

  // Nested, because a suite's own tests run before those that are nested.
  describe('afterwards', () => {
    it('has no connection left', async () => {
      await eventually(async () => (await sshd.connectionProcesses()).length === 0, 'no connection is left');
    });
  });
});
