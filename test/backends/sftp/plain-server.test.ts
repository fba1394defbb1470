import { expect } from 'chai';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canWrite, describeCapabilities, isDurable } from '../../../src/backends/sftp/capabilities.js';
import { openSftp } from '../../../src/backends/sftp/open-sftp.js';
import type { SftpFileSystem } from '../../../src/backends/sftp/sftp-file-system.js';
import { seededBytes } from '../../support/objects.js';
import { eventually, expectFailure } from '../../support/store.js';
import { tempFolder } from '../../support/temp.js';
import { PlainServer, type PlainServerOptions } from './plain-server.js';

const MiB = 1024 * 1024;

describe('an SFTP server without OpenSSH extensions', () => {
  let server: PlainServer;
  let files: SftpFileSystem;
  let folder: string;
  const warnings: string[] = [];
  const log = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };

  async function open(options: PlainServerOptions = {}, writable = true): Promise<void> {
    folder = await tempFolder();
    for (const name of ['packfiles', 'packfiles/aa', 'locks']) await mkdir(join(folder, name));
    warnings.length = 0;
    server = await PlainServer.start(options);
    files = await openSftp(server.location(folder), { ...server.clientOptions, writable }, log);
  }

  async function create(path: string, text: string): Promise<void> {
    const file = await files.create(path, 0o600);
    await file.write([Buffer.from(text)]);
    await file.close();
  }

  afterEach(async () => {
    await files.close();
    await eventually(() => Promise.resolve(server.openFiles === 0), 'all files of the server are closed');
    await server.stop();
  });

  it('creates names with RENAME if that refuses to replace, which it finds out by trying', async () => {
    await open();
    expect(files.capabilities.createWith).to.equal('rename');
    expect(files.linkMoves).to.equal(true);
    expect(await readdir(join(folder, 'packfiles'))).to.deep.equal(['aa']);
    await create('packfiles/tmp.file', 'new');
    await files.link('packfiles/tmp.file', 'packfiles/aa/file');
    expect(await readFile(join(folder, 'packfiles/aa/file'), 'utf8')).to.equal('new');
    await create('packfiles/tmp.file', 'newer');
    await expectFailure(files.link('packfiles/tmp.file', 'packfiles/aa/file'), 'already_exists');
    expect(await readFile(join(folder, 'packfiles/aa/file'), 'utf8')).to.equal('new');
    await expectFailure(files.link('packfiles/tmp.none', 'packfiles/aa/other'), 'not_found');
  });

  it('creates no names if RENAME replaces', async () => {
    await open({ renameReplaces: true });
    expect(files.capabilities.createWith).to.equal('none');
    expect(await readdir(join(folder, 'packfiles'))).to.deep.equal(['aa']);
    await create('packfiles/tmp.file', 'new');
    await expectFailure(files.link('packfiles/tmp.file', 'packfiles/aa/file'), 'unimplemented');
  });

  it('is not written to find that out when the store is only read', async () => {
    await open({}, false);
    expect(files.capabilities.createWith).to.equal('none');
    expect(server.requests).not.to.have.any.keys('WRITE', 'RENAME', 'REMOVE', 'MKDIR');
  });

  it('reports what it lacks, and guarantees none of it', async () => {
    await open();
    expect(canWrite(files.capabilities)).to.equal(false);
    expect(isDurable(files.capabilities)).to.equal(false);
    expect(warnings.slice(1)).to.deep.equal(describeCapabilities(files.capabilities));
    expect(warnings.join('\n')).to.match(/posix-rename@openssh.com.*read-only\n.*fsync@openssh.com/);
    await writeFile(join(folder, 'locks/tmp.file'), 'new');
    await expectFailure(files.rename('locks/tmp.file', 'locks/file'), 'unimplemented');
    const file = await files.create('packfiles/tmp.file', 0o600);
    await expectFailure(file.sync(), 'unimplemented');
    await file.close();
    const there = await files.open('locks/tmp.file');
    await expectFailure(there.sync(), 'unimplemented');
    await there.close();
  });

  it('may answer every READ with less than was asked for', async () => {
    await open({ readBytes: 10_007 });
    const bytes = seededBytes(3 * MiB + 1, 'short');
    await writeFile(join(folder, 'packfiles/aa/file'), bytes);
    const file = await files.open('packfiles/aa/file');
    const target = Buffer.alloc(bytes.length + 100);
    expect(await file.read(target, 0, target.length)).to.equal(bytes.length);
    expect(target.subarray(0, bytes.length).equals(bytes)).to.equal(true);
    await file.close();
  });

  it('may list in small parts', async () => {
    await open();
    const names = Array.from({ length: 100 }, (_, index) => `file-${String(index).padStart(3, '0')}`);
    for (const name of names) await writeFile(join(folder, 'locks', name), '');
    expect((await files.list('locks')).map(({ name }) => name).sort()).to.deep.equal(names);
  });

  for (const [message, code] of [
    ['Disk quota exceeded', 4],
    ['Failure', 4],
    ['', 14],
    ['', 15],
  ] as const) {
    it(`is out of space when it answers WRITE with ${code} "${message}"`, async () => {
      await open({ writeStatus: { code, message } });
      await expectFailure(create('packfiles/tmp.file', 'new'), 'no_space');
      await files.remove('packfiles/tmp.file');
    });
  }

  describe('that cuts the connection instead of answering', () => {
    /** The first request of this name that is about this path is carried out, and its answer lost. */
    function losing(request: string, path: string): PlainServerOptions {
      let lost = false;
      return {
        loses: (name, of) => {
          if (lost || name !== request || !of.endsWith(path)) return false;
          lost = true;
          return true;
        },
      };
    }

    it('has made the file that it was asked for', async () => {
      await open(losing('OPEN', 'tmp.file'));
      await create('packfiles/tmp.file', 'new');
      expect(await readFile(join(folder, 'packfiles/tmp.file'), 'utf8')).to.equal('new');
    });

    it('has made the name that it was asked for', async () => {
      await open(losing('RENAME', 'tmp.file'));
      await create('packfiles/tmp.file', 'new');
      await files.link('packfiles/tmp.file', 'packfiles/aa/file');
      expect(await readdir(join(folder, 'packfiles'), { recursive: true })).to.have.members(['aa', 'aa/file']);
    });

    it('has removed the file that it was asked to', async () => {
      await open(losing('REMOVE', 'locks/file'));
      await writeFile(join(folder, 'locks/file'), 'bytes');
      await files.remove('locks/file');
      expect(await readdir(join(folder, 'locks'))).to.deep.equal([]);
      await expectFailure(files.remove('locks/file'), 'not_found');
    });

    it('has made the folder that it was asked for', async () => {
      await open(losing('MKDIR', 'packfiles/bb'));
      await files.makeFolder('packfiles/bb', 0o750);
      expect((await files.stat('packfiles/bb')).mode).to.equal(0o750);
      await expectFailure(files.makeFolder('packfiles/bb', 0o700), 'already_exists');
    });

    it('is asked for the list again', async () => {
      await open(losing('OPENDIR', 'locks'));
      await writeFile(join(folder, 'locks/file'), 'bytes');
      expect(await files.list('locks')).to.deep.equal([{ name: 'file', type: 'file' }]);
    });
  });

  it('lists what is there where lists have no attributes, and passes over a name that has gone meanwhile', async () => {
    const names = ['first', 'gone', 'last'];
    await open({ listsNamesOnly: async (path) => (path.endsWith('/gone') ? rm(path, { force: true }) : undefined) });
    for (const name of names) await writeFile(join(folder, 'locks', name), '');
    await mkdir(join(folder, 'locks', 'folder'));
    const entries = await files.list('locks');
    expect(entries.sort((a, b) => (a.name < b.name ? -1 : 1))).to.deep.equal([
      { name: 'first', type: 'file' },
      { name: 'folder', type: 'folder' },
      { name: 'last', type: 'file' },
    ]);
  });
});
