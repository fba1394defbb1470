import { expect } from 'chai';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileStore } from '../../../src/backends/files/file-store.js';
import type {
  DirectoryEntry,
  FileStat,
  FileSystem,
  ReadableFile,
  WritableFile,
} from '../../../src/backends/files/file-system.js';
import { guardedFileSystem } from '../../../src/backends/local/guarded-file-system.js';
import { LocalFileSystem } from '../../../src/backends/local/local-file-system.js';
import { FileThreads, type ThreadShare } from '../../../src/backends/local/thread-share.js';
import { deferred, type Deferred } from '../../support/deferred.js';
import { host } from '../../support/gateway.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, eventually, expectFailure, listAll, putAll } from '../../support/store.js';
import { emptyStore, tempFolder } from '../../support/temp.js';

const minuteMs = 60_000;

/** A folder on a disk that stops responding. */
class SickFileSystem extends LocalFileSystem {
  private hanging: Deferred | undefined;

  /** Operations end only after `recover`. */
  hang(): void {
    this.hanging = deferred();
  }

  recover(): void {
    this.hanging?.resolve();
    this.hanging = undefined;
  }

  override async open(path: string): Promise<ReadableFile> {
    await this.hanging?.promise;
    const file = await super.open(path);
    const read = async (...args: Parameters<ReadableFile['read']>): Promise<number> => {
      await this.hanging?.promise;
      return file.read(...args);
    };
    const { size, modifiedMs, id } = file;
    return { size, modifiedMs, id, read, sync: () => file.sync(), close: () => file.close() };
  }

  override async create(path: string, mode: number): Promise<WritableFile> {
    await this.hanging?.promise;
    return super.create(path, mode);
  }

  override async stat(path: string): Promise<FileStat> {
    await this.hanging?.promise;
    return super.stat(path);
  }

  override async list(path: string): Promise<DirectoryEntry[]> {
    await this.hanging?.promise;
    return super.list(path);
  }

  override async *batches(path: string): AsyncGenerator<readonly DirectoryEntry[], void, undefined> {
    for await (const batch of super.batches(path)) {
      await this.hanging?.promise;
      yield batch;
    }
  }
}

describe('guardedFileSystem', () => {
  let threads: FileThreads;
  let nowMs: number;
  let folder: string;
  let sick: SickFileSystem;
  let share: ThreadShare;
  let files: FileSystem;

  beforeEach(async () => {
    nowMs = 0;
    folder = await emptyStore();
    sick = new SickFileSystem(folder);
    threads = new FileThreads(8);
    share = threads.share(() => nowMs);
    files = guardedFileSystem(sick, share);
  });

  afterEach(async () => {
    sick.recover();
    await files.close();
    await eventually(async () => threads.busy === 0, 'all threads are free');
  });

  /** Lets the time pass after which operations fail. */
  async function passMinute(): Promise<void> {
    await eventually(async () => threads.busy > 0, 'an operation is waited for');
    nowMs += minuteMs;
    share.check();
  }

  it('fails operations on a disk that does not respond for a minute, and works again when it does', async () => {
    sick.hang();
    const operations = Array.from({ length: 20 }, () => files.list('packfiles'));
    const outcomes = Promise.all(operations.map((operation) => expectFailure(operation, 'unavailable')));
    nowMs += minuteMs - 1;
    share.check();
    nowMs += 1;
    share.check();
    for (const { message } of await outcomes) expect(message).to.include("doesn't respond");
    sick.recover();
    expect(await files.list('locks')).to.deep.equal([]);
  });

  it('fails a list in batches where the disk stops responding, and gives all of them when it does again', async () => {
    const list = async (): Promise<string[]> => {
      const names: string[] = [];
      for await (const batch of files.batches('.')) names.push(...batch.map(({ name }) => name));
      return names;
    };
    sick.hang();
    const listed = expectFailure(list(), 'unavailable');
    await passMinute();
    expect((await listed).message).to.include("doesn't respond");
    sick.recover();
    expect(await list()).to.have.members(['CONFIG', 'packfiles', 'states', 'locks']);
  });

  it('holds a part of the threads at most, and leaves the others to other stores', async () => {
    const well = guardedFileSystem(new LocalFileSystem(await emptyStore()), threads.share());
    sick.hang();
    const operations = Array.from({ length: 100 }, () => expectFailure(files.stat('CONFIG'), 'unavailable'));
    await eventually(async () => threads.busy === 2, 'the share is used up: 8 threads, less 4, for 2 stores');
    expect((await well.stat('CONFIG')).type).to.equal('file');
    await eventually(async () => threads.busy === 2, 'the other one has ended');
    await passMinute();
    await Promise.all(operations);
    // Those that waited have given up their turn, and the two threads are held until the disk responds.
    expect(threads.busy).to.equal(2);
    await well.close();
  });

  it('closes a file that is opened too late', async () => {
    const closed: string[] = [];
    const late = deferred<ReadableFile>();
    const fake = Object.assign(new LocalFileSystem(folder), { open: () => late.promise });
    const own = guardedFileSystem(fake, share);
    const opened = expectFailure(own.open('CONFIG'), 'unavailable');
    await passMinute();
    await opened;
    late.resolve({
      size: 0,
      modifiedMs: 0,
      id: undefined,
      read: async () => 0,
      sync: async () => undefined,
      close: async () => void closed.push('CONFIG'),
    });
    await eventually(async () => closed.length === 1, 'it is closed');
  });

  it('leaves no temporary file of an upload that failed meanwhile', async () => {
    sick.hang();
    const created = expectFailure(files.create('packfiles/tmp.1', 0o600), 'unavailable');
    await passMinute();
    await created;
    sick.recover();
    await eventually(async () => threads.busy === 0, 'the operation has ended');
    const isLeft = await access(join(folder, 'packfiles/tmp.1')).then(
      () => true,
      () => false,
    );
    expect(isLeft).to.equal(false);
  });

  it('does not wait for a read that hangs when its file is closed', async () => {
    const other = await tempFolder();
    await writeFile(join(other, 'file'), 'bytes');
    const own = new SickFileSystem(other);
    const guarded = guardedFileSystem(own, share);
    const file = await guarded.open('file');
    own.hang();
    const read = expectFailure(file.read(Buffer.alloc(5), 0, 5), 'unavailable');
    await passMinute();
    await read;
    await file.close();
    own.recover();
  });

  describe('under a store', () => {
    it('ends the operations that wait when the store is closed', async () => {
      const store = await FileStore.open(files, { durable: false, maxObjectBytes: 1e6, host });
      const ref = newRef('state');
      await putAll(store, ref, makeObject('state', 1000));
      sick.hang();
      const operations = [
        expectFailure(store.stat(ref), 'unavailable'),
        expectFailure(store.get(ref, undefined), 'unavailable'),
        expectFailure(listAll(store, 'state'), 'unavailable'),
        expectFailure(putAll(store, newRef('state'), makeObject('state', 1000)), 'unavailable'),
      ];
      await eventually(async () => threads.busy > 0, 'the disk is waited for');
      await store.close();
      await Promise.all(operations);
      expect(ctx.signal.aborted).to.equal(false);
    });
  });
});
