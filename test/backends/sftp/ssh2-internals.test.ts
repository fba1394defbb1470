import { expect } from 'chai';
import { dial } from '../../../src/backends/sftp/dial.js';
import { resolveTarget } from '../../../src/backends/sftp/target.js';
import { hasSshd, Sshd } from '../../support/sshd.js';

describe('what ssh2 knows of a server and has no API for', () => {
  it('is where it is looked for: all that OpenSSH announces', async function () {
    if (!hasSshd()) this.skip();
    const sshd = await Sshd.start();
    const log = { warn: () => undefined };
    const target = await resolveTarget(sshd.location('/'), sshd.options, log);
    const session = await dial(target, sshd.options, log, new AbortController().signal);
    const { maxReadBytes, maxWriteBytes, maxOpenFiles, ...extensions } = session.features;
    expect(extensions).to.deep.equal({ hardlink: true, posixRename: true, fsync: true, statvfs: true });
    // OpenSSH's packets have 256 KiB, less some bytes.
    for (const bytes of [maxReadBytes, maxWriteBytes]) expect(bytes).to.be.within(250_000, 256 * 1024);
    expect(maxOpenFiles).to.be.a('number').above(10);
    await session.end();
    await sshd.stop();
  });
});
