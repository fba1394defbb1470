import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, rename, statfs, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileSystem, ReadableFile } from '../../src/backends/files/file-system.js';
import { hasCode, StoreError, type ErrorCode } from '../../src/core/errors.js';
import { seededBytes } from '../support/objects.js';
import { tempFolder } from '../support/temp.js';

const MiB = 1024 * 1024;

/** Longer than the kernel gives all changes the same time. */
const tickMs = 20;

/**
 * Every promise of src/backends/files/file-system.ts, on one kind of file system. An adapter joins by a function that opens
 * a folder of this machine.
 */
export function describeFileSystem(name: string, openFolder: (folder: string) => Promise<FileSystem>): void {
  describe(`${name} keeps the promises of FileSystem`, () => {
    let folder: string;
    let files: FileSystem;

    const at = (path: string): string => join(folder, path);
    const write = (path: string, bytes: string | Uint8Array): Promise<void> => writeFile(at(path), bytes);

    beforeEach(async () => {
      folder = await tempFolder();
      for (const kind of ['packfiles', 'packfiles/aa', 'states', 'states/aa', 'locks']) await mkdir(at(kind));
      files = await openFolder(folder);
    });

    afterEach(async () => {
      await files.close();
    });

    /** Everything that is in the folder, but for the folders themselves. */
    async function names(): Promise<string[]> {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    }

    async function create(path: string, chunks: readonly Uint8Array[], mode = 0o600): Promise<void> {
      const file = await files.create(path, mode);
      await file.write(chunks);
      await file.sync();
      await file.close();
    }

    it('says how much is worth doing at once', () => {
      for (const others of [0, 1, 100]) expect(files.readAhead(others)).to.be.within(1, 64);
      expect(files.listConcurrency).to.be.within(1, 256);
    });

    describe('open', () => {
      for (const path of ['packfiles/aa/file', 'locks/file']) {
        it(`reads all bytes of ${path}`, async () => {
          const bytes = seededBytes(3 * MiB + 17, 'open');
          await write(path, bytes);
          const file = await files.open(path);
          expect(file.size).to.equal(bytes.length);
          expect((await readAll(file)).equals(bytes)).to.equal(true);
          await file.close();
        });
      }

      it('opens an empty file', async () => {
        await write('packfiles/aa/file', '');
        const file = await files.open('packfiles/aa/file');
        expect(file.size).to.equal(0);
        expect(await file.read(Buffer.alloc(10), 0, 10)).to.equal(0);
        await file.close();
      });

      it('reads at several offsets at the same time', async () => {
        const bytes = seededBytes(5 * MiB, 'parallel');
        await write('packfiles/aa/file', bytes);
        const file = await files.open('packfiles/aa/file');
        const offsets = Array.from({ length: 64 }, (_, index) => (index * 79_999) % (4 * MiB));
        await Promise.all(
          offsets.map(async (offset, index) => {
            const target = Buffer.alloc(1 + index * 9000);
            expect(await file.read(target, offset, target.length)).to.equal(target.length);
            expect(target.equals(bytes.subarray(offset, offset + target.length))).to.equal(true);
          }),
        );
        await file.close();
      });

      it('reads less only at the end, and nothing beyond it', async () => {
        const bytes = seededBytes(700_000, 'end');
        await write('states/aa/file', bytes);
        const file = await files.open('states/aa/file');
        const target = Buffer.alloc(MiB);
        expect(await file.read(target, 0, MiB)).to.equal(700_000);
        expect(target.subarray(0, 700_000).equals(bytes)).to.equal(true);
        expect(await file.read(target, 699_999, 10)).to.equal(1);
        expect(await file.read(target, 700_000, 10)).to.equal(0);
        expect(await file.read(target, 2 ** 40, 10)).to.equal(0);
        await file.close();
      });

      it('writes into the start of the target and leaves the rest alone, also where the target is a part of something', async () => {
        await write('locks/file', 'abcdef');
        const file = await files.open('locks/file');
        const whole = Buffer.alloc(8, '-');
        expect(await file.read(whole.subarray(2), 1, 3)).to.equal(3);
        expect(whole.toString()).to.equal('--bcd---');
        await file.close();
      });

      it('can sync what others wrote', async () => {
        await write('packfiles/aa/file', 'bytes');
        const file = await files.open('packfiles/aa/file');
        await file.sync();
        await file.close();
      });

      it('waits, when closed, for reads in progress', async () => {
        const bytes = seededBytes(4 * MiB, 'close');
        for (const path of ['packfiles/aa/file', 'locks/file']) {
          await write(path, bytes);
          const file = await files.open(path);
          // More than there is, so that it takes another look behind the bytes.
          const target = Buffer.alloc(2 * bytes.length);
          const reading = file.read(target, 0, target.length);
          let done = false;
          void reading.then(() => (done = true));
          await file.close();
          expect(await reading).to.equal(bytes.length);
          expect(done).to.equal(true);
        }
      });

      it('sees what replaced a file', async () => {
        await write('locks/file', 'one');
        await (await files.open('locks/file')).close();
        await create('locks/other', [Buffer.from('second')]);
        await files.rename('locks/other', 'locks/file');
        const file = await files.open('locks/file');
        expect((await readAll(file)).toString()).to.equal('second');
        await file.close();
      });

      it('says not_found where there is no regular file', async () => {
        await mkdir(at('packfiles/aa/folder'));
        await write('packfiles/aa/file', 'bytes');
        await symlink(at('packfiles/aa/file'), at('packfiles/aa/link'));
        await symlink('nowhere', at('packfiles/aa/dangling'));
        spawnSync('mkfifo', [at('packfiles/aa/pipe')]);
        for (const path of ['none', 'folder', 'link', 'dangling', 'pipe', 'none/file', 'file/file']) {
          await fails(files.open(`packfiles/aa/${path}`), 'not_found', path);
        }
      });
    });

    describe('create', () => {
      it('writes chunks of any size, in order', async () => {
        const bytes = seededBytes(9 * MiB + 5, 'chunks');
        const sizes = [1, 0, 65_536, 3 * MiB, 7, 261_120, 261_121, 4 * MiB];
        const file = await files.create('packfiles/tmp.file', 0o600);
        let offset = 0;
        for (let index = 0; offset < bytes.length; index++) {
          const chunks = [sizes[index % sizes.length] ?? 1, 100_000].map((size) => {
            const chunk = bytes.subarray(offset, offset + size);
            offset += chunk.length;
            return chunk;
          });
          await file.write(chunks);
        }
        await file.sync();
        await file.close();
        expect((await readFile(at('packfiles/tmp.file'))).equals(bytes)).to.equal(true);
      });

      it('makes an empty file where nothing is written', async () => {
        await create('packfiles/tmp.file', []);
        expect((await lstat(at('packfiles/tmp.file'))).size).to.equal(0);
      });

      it('can go on after a sync', async () => {
        const file = await files.create('packfiles/tmp.file', 0o600);
        await file.write([Buffer.from('one ')]);
        await file.sync();
        await file.write([Buffer.from('two')]);
        await file.close();
        expect(await readFile(at('packfiles/tmp.file'), 'utf8')).to.equal('one two');
      });

      it('has written everything after a flush, where writes don’t wait for that', async () => {
        const file = await files.create('locks/new', 0o600);
        const bytes = seededBytes(300_000, 'flush');
        for (let end = 1; end <= 3; end++) {
          await file.write([bytes]);
          await file.flush?.();
          expect((await lstat(at('locks/new'))).size).to.equal(end * bytes.length);
        }
        await file.close();
      });

      it('gives the permissions that were asked for, whatever the umask, to the first file and to later ones', async () => {
        for (const mode of [0o600, 0o640, 0o666]) {
          for (const name of ['first', 'second']) {
            await create(`packfiles/tmp.${mode}.${name}`, [Buffer.from('bytes')], mode);
            expect((await lstat(at(`packfiles/tmp.${mode}.${name}`))).mode & 0o777, name).to.equal(mode);
          }
        }
      });

      it('never opens what is there', async () => {
        await write('locks/file', 'bytes');
        await mkdir(at('locks/folder'));
        await symlink(at('locks/nowhere'), at('locks/dangling'));
        for (const path of ['file', 'folder', 'dangling']) {
          await fails(files.create(`locks/${path}`, 0o600), 'already_exists', path);
        }
        expect(await readFile(at('locks/file'), 'utf8')).to.equal('bytes');
      });

      it('says not_found where the folder is missing', async () => {
        await fails(files.create('packfiles/zz/file', 0o600), 'not_found');
      });
    });

    describe('stat', () => {
      it('tells type, size, age and permissions', async () => {
        await writeFile(at('locks/file'), 'bytes', { mode: 0o640 });
        const stat = await files.stat('locks/file');
        expect(stat).to.deep.include({ type: 'file', size: 5, mode: 0o640 });
        expect(stat.modifiedMs).to.be.closeTo(Date.now(), 5000);
        expect((await files.stat('locks')).type).to.equal('folder');
        expect((await files.stat('.')).type).to.equal('folder');
      });

      it('tells files apart that look the same, if it tells ids at all, as an open file does', async () => {
        const then = new Date(Date.now() - 60_000);
        await writeFile(at('locks/file'), 'bytes');
        await utimes(at('locks/file'), then, then);
        const opened = await files.open('locks/file');
        const before = await files.stat('locks/file');
        await writeFile(at('locks/other'), 'BYTES');
        await utimes(at('locks/other'), then, then);
        await rename(at('locks/other'), at('locks/file'));
        const after = await files.stat('locks/file');
        expect([before.id, before.size]).to.deep.equal([opened.id, after.size]);
        if (before.id !== undefined) expect(after.id).to.not.equal(before.id);
        await opened.close();
      });

      it('follows no links', async () => {
        await symlink(at('packfiles'), at('locks/link'));
        await symlink('nowhere', at('locks/dangling'));
        expect((await files.stat('locks/link')).type).to.equal('other');
        expect((await files.stat('locks/dangling')).type).to.equal('other');
      });

      it('says not_found where there is nothing', async () => {
        await fails(files.stat('locks/none'), 'not_found');
        await fails(files.stat('none/none'), 'not_found');
      });
    });

    describe('link', () => {
      beforeEach(() => create('packfiles/tmp.file', [Buffer.from('new')]));

      it('gives the file the second name', async () => {
        await files.link('packfiles/tmp.file', 'packfiles/aa/file');
        expect(await readFile(at('packfiles/aa/file'), 'utf8')).to.equal('new');
        // Where there are no hard links, the first name may be gone.
        await files.remove('packfiles/tmp.file').catch((error: unknown) => {
          if (!hasCode(error, 'not_found')) throw error;
        });
        expect(await names()).to.deep.equal(['file']);
      });

      it('never replaces what is there', async () => {
        await write('packfiles/aa/file', 'old');
        await mkdir(at('packfiles/aa/folder'));
        await symlink('nowhere', at('packfiles/aa/dangling'));
        for (const path of ['file', 'folder', 'dangling']) {
          await fails(files.link('packfiles/tmp.file', `packfiles/aa/${path}`), 'already_exists', path);
        }
        expect(await readFile(at('packfiles/aa/file'), 'utf8')).to.equal('old');
        expect(await readFile(at('packfiles/tmp.file'), 'utf8')).to.equal('new');
      });

      it('lets one of several win', async () => {
        const writers = Array.from({ length: 10 }, (_, index) => index);
        for (const index of writers) await create(`packfiles/tmp.${index}`, [Buffer.from(String(index))]);
        const links = await Promise.allSettled(
          writers.map((index) => files.link(`packfiles/tmp.${index}`, 'packfiles/aa/file')),
        );
        const winners = writers.filter((index) => links[index]?.status === 'fulfilled');
        expect(winners).to.have.length(1);
        expect(await readFile(at('packfiles/aa/file'), 'utf8')).to.equal(String(winners[0]));
        for (const link of links) {
          if (link.status === 'rejected') expect(hasCode(link.reason, 'already_exists')).to.equal(true);
        }
      });

      it('says not_found where the file or the folder is missing', async () => {
        await fails(files.link('packfiles/tmp.none', 'packfiles/aa/file'), 'not_found');
        await fails(files.link('packfiles/tmp.file', 'packfiles/zz/file'), 'not_found');
      });
    });

    describe('rename', () => {
      it('moves a file', async () => {
        await write('locks/tmp.file', 'new');
        await files.rename('locks/tmp.file', 'locks/file');
        expect(await names()).to.deep.equal(['file']);
        expect(await readFile(at('locks/file'), 'utf8')).to.equal('new');
      });

      it('replaces a file, which is there, old or new, at every moment', async () => {
        const versions = ['a', 'b'].map((letter) => letter.repeat(5000));
        await write('locks/file', versions[0] ?? '');
        let done = false;
        const reader = (async () => {
          for (let reads = 0; !done || reads === 0; reads++) {
            const file = await files.open('locks/file');
            expect(versions).to.include((await readAll(file)).toString());
            await file.close();
          }
        })();
        for (let turn = 1; turn <= 30; turn++) {
          await create('locks/tmp.file', [Buffer.from(versions[turn % 2] ?? '')]);
          await files.rename('locks/tmp.file', 'locks/file');
        }
        done = true;
        await reader;
        expect(await names()).to.deep.equal(['file']);
      });

      it('says not_found where the file or the folder is missing', async () => {
        await write('locks/tmp.file', 'new');
        await fails(files.rename('locks/none', 'locks/file'), 'not_found');
        await fails(files.rename('locks/tmp.file', 'none/file'), 'not_found');
        expect(await readFile(at('locks/tmp.file'), 'utf8')).to.equal('new');
      });
    });

    it('sets when a file was last written, to the second at least', async () => {
      await write('locks/file', 'bytes');
      const then = Date.parse('2026-01-02T03:04:05Z');
      await files.setModified('locks/file', then);
      expect((await files.stat('locks/file')).modifiedMs).to.equal(then);
      await fails(files.setModified('locks/none', then), 'not_found');
    });

    describe('remove', () => {
      it('removes one name', async () => {
        await write('packfiles/aa/file', 'bytes');
        await write('packfiles/aa/other', 'bytes');
        await files.remove('packfiles/aa/file');
        expect(await names()).to.deep.equal(['other']);
        await fails(files.open('packfiles/aa/file'), 'not_found');
      });

      it('takes a file away that was open before', async () => {
        await create('packfiles/tmp.file', [Buffer.from('bytes')]);
        await files.link('packfiles/tmp.file', 'packfiles/aa/file');
        await (await files.open('packfiles/aa/file')).close();
        await files.remove('packfiles/aa/file');
        await fails(files.open('packfiles/aa/file'), 'not_found');
        await fails(files.stat('packfiles/aa/file'), 'not_found');
      });

      it('says not_found where there is nothing', async () => {
        await fails(files.remove('locks/none'), 'not_found');
        await fails(files.remove('none/none'), 'not_found');
      });
    });

    describe('list', () => {
      it('gives every name with its type', async () => {
        await write('locks/file', 'bytes');
        await write('locks/ä b\n', 'bytes');
        await mkdir(at('locks/folder'));
        await symlink(at('locks/file'), at('locks/link'));
        const entries = (await files.list('locks')).map(({ name, type }) => `${type} ${name}`);
        expect(entries.sort()).to.deep.equal(['file file', 'file ä b\n', 'folder folder', 'other link']);
      });

      it('gives all of many names, once', async () => {
        const many = Array.from({ length: 1234 }, (_, index) => `file-${String(index).padStart(60, '0')}`);
        for (const name of many) await write(`packfiles/aa/${name}`, '');
        expect((await files.list('packfiles/aa')).map(({ name }) => name).sort()).to.deep.equal(many);
      });

      it('gives nothing for an empty folder', async () => {
        expect(await files.list('packfiles/aa')).to.deep.equal([]);
      });

      it('lists many folders at once', async () => {
        const listed = await Promise.all(Array.from({ length: 300 }, () => files.list('packfiles')));
        for (const entries of listed) expect(entries).to.deep.equal([{ name: 'aa', type: 'folder' }]);
      });

      it('says not_found where the folder is missing', async () => {
        await fails(files.list('packfiles/zz'), 'not_found');
      });
    });

    describe('batches', () => {
      const namesIn = async (path: string): Promise<string[]> => {
        const names: string[] = [];
        for await (const batch of files.batches(path)) {
          expect(batch.length).to.be.within(1, 1000);
          names.push(...batch.map(({ name, type }) => `${type} ${name}`));
        }
        return names.sort();
      };

      it('gives every name with its type, once, some at a time', async () => {
        const many = Array.from({ length: 2345 }, (_, index) => `file-${String(index).padStart(60, '0')}`);
        await Promise.all(many.map((name) => write(`packfiles/aa/${name}`, '')));
        await mkdir(at('packfiles/aa/folder'));
        await symlink('nowhere', at('packfiles/aa/link'));
        const expected = [...many.map((name) => `file ${name}`), 'folder folder', 'other link'];
        expect(await namesIn('packfiles/aa')).to.deep.equal(expected);
        expect(await namesIn('states/aa')).to.deep.equal([]);
        // One that is left early disturbs nothing.
        for await (const batch of files.batches('packfiles/aa')) if (batch.length > 0) break;
        expect(await namesIn('packfiles/aa')).to.have.length(expected.length);
      });

      it('says not_found where the folder is missing', async () => {
        await fails(namesIn('packfiles/zz'), 'not_found');
      });
    });

    describe('folderVersion', () => {
      it('is another one after every change of the names, where it can be told', async () => {
        await write('packfiles/aa/file', 'bytes');
        await write('locks/tmp.file', 'bytes');
        const changes: readonly (() => Promise<unknown>)[] = [
          () => files.link('packfiles/aa/file', 'packfiles/aa/second'),
          () => files.rename('locks/tmp.file', 'packfiles/aa/third'),
          () => files.rename('packfiles/aa/third', 'packfiles/aa/second'),
          () => files.remove('packfiles/aa/second'),
          () => files.makeFolder('packfiles/aa/folder', 0o700),
          () => write('packfiles/aa/another', 'bytes'),
        ];
        const seen = [await files.folderVersion('packfiles/aa')];
        for (const change of changes) {
          await sleep(tickMs);
          await change();
          seen.push(await files.folderVersion('packfiles/aa'));
        }
        const told = seen.filter((version) => version !== undefined);
        expect(new Set(told).size).to.equal(told.length);
      });

      it('stays the same where nothing changes, and where a file is written to', async () => {
        await write('packfiles/aa/file', 'bytes');
        const before = await files.folderVersion('packfiles/aa');
        await sleep(tickMs);
        await write('packfiles/aa/file', 'other bytes');
        expect(await files.folderVersion('packfiles/aa')).to.equal(before);
      });

      it("is the folder's own behind a link", async () => {
        await symlink(at('packfiles/aa'), at('states/bb'));
        expect(await files.folderVersion('states/bb')).to.equal(await files.folderVersion('packfiles/aa'));
      });
    });

    describe('makeFolder', () => {
      it('gives the permissions that were asked for, whatever the umask', async () => {
        for (const mode of [0o700, 0o755, 0o777]) {
          await files.makeFolder(`packfiles/${mode}`, mode);
          const stat = await lstat(at(`packfiles/${mode}`));
          expect(stat.isDirectory() && stat.mode & 0o777).to.equal(mode);
        }
      });

      it('says already_exists where the name is taken', async () => {
        await write('packfiles/file', 'bytes');
        await fails(files.makeFolder('packfiles/aa', 0o700), 'already_exists');
        await fails(files.makeFolder('packfiles/file', 0o700), 'already_exists');
      });

      it('makes no parents', async () => {
        await fails(files.makeFolder('none/folder', 0o700), 'not_found');
      });
    });

    it('removes a folder that is empty, and no other', async () => {
      await write('packfiles/aa/file', 'bytes');
      expect(await files.removeFolder('packfiles/aa')).to.equal(false);
      expect(await readFile(at('packfiles/aa/file'), 'utf8')).to.equal('bytes');
      expect(await files.removeFolder('states/aa')).to.equal(true);
      expect(await files.list('states')).to.deep.equal([]);
      expect(await files.removeFolder('states/aa'), 'one that is not there').to.equal(true);
    });

    it('syncs folders', async () => {
      await files.syncFolder('packfiles/aa');
      await files.syncFolder('.');
    });

    describe('freeBytes', () => {
      it("tells the room on the root's disk, as the system does", async () => {
        const { bavail, bsize } = await statfs(folder);
        // Others use the disk meanwhile.
        expect(await files.freeBytes('.')).to.be.closeTo(bavail * bsize, Math.max(64 * MiB, 0.05 * bavail * bsize));
      });

      it('sees that a disk gets fuller', async function () {
        const small = at('small');
        await mkdir(small);
        if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]).status !== 0) this.skip();
        const smallFiles = await openFolder(small);
        try {
          expect(await smallFiles.freeBytes('.')).to.equal(8 * MiB);
          await writeFile(join(small, 'file'), seededBytes(3 * MiB, 'fuller'));
          expect(await smallFiles.freeBytes('.')).to.equal(5 * MiB);
          await writeFile(join(small, 'rest'), seededBytes(5 * MiB, 'full'));
          expect(await smallFiles.freeBytes('.')).to.equal(0);
        } finally {
          await smallFiles.close();
          spawnSync('umount', [small]);
        }
      });
    });

    it('says no_space on a full disk, and can go on afterwards', async function () {
      const small = at('small');
      await mkdir(small);
      if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', small]).status !== 0) this.skip();
      const smallFiles = await openFolder(small);
      try {
        const file = await smallFiles.create('file', 0o600);
        const writing = async (): Promise<void> => {
          try {
            for (let turn = 0; turn < 10; turn++) await file.write([seededBytes(MiB, 'full')]);
            await file.sync();
          } finally {
            await file.close();
          }
        };
        await fails(writing(), 'no_space');
        await smallFiles.remove('file');
        expect(await smallFiles.list('.')).to.deep.equal([]);
      } finally {
        await smallFiles.close();
        spawnSync('umount', [small]);
      }
    });

    /** Fails with this code, and with a message that names no path. */
    async function fails(work: Promise<unknown>, code: ErrorCode, what = code as string): Promise<void> {
      try {
        await work;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        expect(error.code, `${what}: ${error.message} (${String(error.cause)})`).to.equal(code);
        expect(error.message).not.to.match(/\/|packfiles|locks|tmp\./);
        return;
      }
      expect.fail(`${what}: it succeeded`);
    }
  });
}

async function readAll(file: ReadableFile): Promise<Buffer> {
  const bytes = Buffer.alloc(file.size);
  expect(await file.read(bytes, 0, bytes.length)).to.equal(bytes.length);
  return bytes;
}
