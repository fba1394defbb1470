import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
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

describe('ssh2', () => {
  it('is loaded by the first store that needs it, and not before', () => {
    const script = `
      import { createRequire } from 'node:module';
      await import('./src/backends/backends.ts');
      const { cache } = createRequire(import.meta.url);
      const loaded = () => Object.keys(cache).some((path) => path.includes('/node_modules/ssh2/'));
      const before = loaded();
      const { ssh2 } = await import('./src/backends/sftp/ssh2.ts');
      ssh2();
      console.log(before, loaded());`;
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    expect(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' })).to.equal('false true\n');
  });
});
