import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatSftpLocation } from '../../src/backends/sftp/location.js';
import { run } from '../cli/support/undo.js';
import { startTestGateway } from '../support/gateway.js';
import { klosetClients } from '../support/klosetclient.js';
import { seededBytes } from '../support/objects.js';
import { hasSshd, Sshd } from '../support/sshd.js';
import { tempFolder } from '../support/temp.js';

/* A copy is a store for plakar's own client code: whole at any moment of a backup, and as good as the source for the next backup. */

describe('a copy, for plakar', function () {
  this.timeout(60_000);
  const clientOf = klosetClients();
  let sshd: Sshd;

  before(async function () {
    if (!process.env['CI'] && !hasSshd()) this.skip();
    sshd = await Sshd.start();
  });

  after(() => sshd?.stop());

  it('has whole snapshots only while the source is backed up to, and takes backups itself', async () => {
    const folder = await tempFolder();
    const [source, destination] = [join(folder, 'source'), join(folder, 'destination')];
    await clientOf(source).create(100_000);
    const gateway = await startTestGateway(source, { 'allow-write': true });
    const writer = clientOf(`http://127.0.0.1:${gateway.httpPort}`);
    const keys = [
      '--ssh-identity',
      join(sshd.folder, 'identity'),
      '--ssh-known-hosts',
      join(sshd.folder, 'known_hosts'),
    ];
    const location = formatSftpLocation(sshd.location(destination));
    const copy = async (): Promise<void> => {
      const { exitCode, stderr } = await run('copy', source, location, '--create', '--ssh-config', 'none', ...keys);
      expect(exitCode, stderr).to.equal(0);
    };
    const backup = async (name: string): Promise<void> => {
      const tree = await tempFolder();
      for (let i = 0; i < 30; i++) await writeFile(join(tree, `${i}`), seededBytes(20_000, `${name} ${i}`));
      await writer.backup(tree, { checkpointMs: 100, pauseMs: 20 });
    };
    await backup('first');
    await copy();
    let isRunning = true;
    const second = backup('second').finally(() => (isRunning = false));
    while (isRunning) {
      await copy();
      expect(await clientOf(destination).check()).to.be.within(1, 2);
    }
    await second;
    await copy();
    expect(await clientOf(destination).check()).to.equal(2);
    await gateway.close();
    const tree = await tempFolder();
    await writeFile(join(tree, 'file'), seededBytes(20_000, 'first 1'));
    await clientOf(destination).backup(tree);
    expect(await clientOf(destination).check()).to.equal(3);
  });
});
