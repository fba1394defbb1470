import { expect } from 'chai';
import type { FileSystem, ReadableFile } from '../../../src/backends/files/file-system.js';
import { OpenFiles } from '../../../src/backends/files/open-files.js';
import { TooManyOpen } from '../../../src/backends/files/file-system.js';
import { StoreError } from '../../../src/core/errors.js';
import { eventually } from '../../support/store.js';

/** A file system of which only opening and looking is asked, with a clock of its own. */
class Shelf {
  readonly maxOpenFiles = 3;
  /** Modification times, by path; none: the file isn't there. */
  readonly there = new Map<string, number>();
  /** How often each path was opened, and how many of these are not closed yet. */
  readonly opened = new Map<string, number>();
  open = new Map<string, number>();
  /** What opening fails with next. */
  readonly failures: Error[] = [];
  /** What the next reads fail with. */
  readonly readFailures: Error[] = [];
  /** The ids of files, by path: inodes. Undefined: the file server has none. */
  ids: Map<string, string> | undefined = new Map();
  /** Runs before a look is answered. */
  beforeStat = async (): Promise<void> => undefined;

  get files(): FileSystem {
    return {
      maxOpenFiles: this.maxOpenFiles,
      open: (path: string) => this.openFile(path),
      stat: async (path: string) => {
        await this.beforeStat();
        return { type: 'file', size: 10, modifiedMs: this.find(path), mode: 0o600, id: this.idOf(path) };
      },
    } as Partial<FileSystem> as FileSystem;
  }

  private async openFile(path: string): Promise<ReadableFile> {
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const modifiedMs = this.find(path);
    this.opened.set(path, (this.opened.get(path) ?? 0) + 1);
    this.open.set(path, (this.open.get(path) ?? 0) + 1);
    let closed = false;
    const close = async (): Promise<void> => {
      expect(closed, 'closed twice').to.equal(false);
      closed = true;
      this.open.set(path, (this.open.get(path) ?? 0) - 1);
    };
    const read = async (): Promise<number> => {
      expect(closed, 'read after it was closed').to.equal(false);
      const failed = this.readFailures.shift();
      if (failed !== undefined) throw failed;
      return 0;
    };
    return { size: 10, modifiedMs, id: this.idOf(path), read, sync: async () => undefined, close };
  }

  private idOf(path: string): string | undefined {
    return this.ids && (this.ids.get(path) ?? path);
  }

  private find(path: string): number {
    const modifiedMs = this.there.get(path);
    if (modifiedMs === undefined) throw new StoreError('not_found', 'no such file');
    return modifiedMs;
  }
}

describe('OpenFiles', () => {
  let shelf: Shelf;
  let nowMs: number;
  let files: OpenFiles;

  beforeEach(() => {
    shelf = new Shelf();
    for (const path of ['a', 'b', 'c', 'd', 'e']) shelf.there.set(path, 1);
    nowMs = 0;
    files = new OpenFiles(shelf.files, () => nowMs);
  });

  it('opens a file once for all its readers, concurrent or not', async () => {
    const readers = await Promise.all([files.open('a'), files.open('a'), files.open('a')]);
    for (const reader of readers) await reader.close();
    await (await files.open('a')).close();
    expect(shelf.opened.get('a')).to.equal(1);
    expect(shelf.open.get('a')).to.equal(1);
  });

  it('keeps the most recently used files, up to the limit', async () => {
    for (const path of ['a', 'b', 'c', 'a', 'd', 'a', 'e', 'a']) await (await files.open(path)).close();
    expect(shelf.opened.get('a')).to.equal(1);
    expect([...shelf.open].filter(([, count]) => count > 0).map(([path]) => path)).to.have.members(['a', 'd', 'e']);
  });

  it('closes a file that is dropped with its last reader', async () => {
    const [first, second] = [await files.open('a'), await files.open('a')];
    files.drop('a');
    await first.close();
    await first.close();
    await second.read(new Uint8Array(1), 0, 1);
    expect(shelf.open.get('a')).to.equal(1);
    await second.close();
    expect(shelf.open.get('a')).to.equal(0);
  });

  it('checks a name again after a second, and opens the file that has it by then', async () => {
    await (await files.open('a')).close();
    shelf.there.set('a', 2);
    nowMs = 999;
    await (await files.open('a')).close();
    expect(shelf.opened.get('a')).to.equal(1);
    nowMs = 1000;
    const reader = await files.open('a');
    expect(reader.modifiedMs).to.equal(2);
    expect(shelf.open.get('a')).to.equal(1);
  });

  it('notices another file of the same size and time, by its id', async () => {
    await (await files.open('a')).close();
    shelf.ids?.set('a', 'another');
    nowMs = 1000;
    expect((await files.open('a')).id).to.equal('another');
    expect(shelf.open.get('a')).to.equal(1);
  });

  it('opens a file that has no id again after ten seconds, since another one may look the same', async () => {
    shelf.ids = undefined;
    for (nowMs = 0; nowMs < 10_000; nowMs += 1000) await (await files.open('a')).close();
    expect(shelf.opened.get('a')).to.equal(1);
    await (await files.open('a')).close();
    expect([shelf.opened.get('a'), shelf.open.get('a')]).to.deep.equal([2, 1]);
  });

  it('closes what had no user for five seconds, and nothing that is in use', async () => {
    await (await files.open('a')).close();
    const reader = await files.open('b');
    nowMs = 4999;
    await (await files.open('c')).close();
    files.closeIdle();
    expect([...shelf.open.values()]).to.deep.equal([1, 1, 1]);
    nowMs = 5000;
    files.closeIdle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(Object.fromEntries(shelf.open)).to.deep.equal({ a: 0, b: 1, c: 1 });
    await reader.close();
  });

  it('does so by itself', async function () {
    this.timeout(30_000);
    await (await files.open('a')).close();
    nowMs = 5000;
    await eventually(async () => shelf.open.get('a') === 0, 'the file is closed');
  });

  it('reads again through a file that it opens anew where a read fails, once, and leaves neither open', async () => {
    const stale = new StoreError('unavailable', 'stale');
    const reader = await files.open('a');
    shelf.readFailures.push(stale);
    expect(await reader.read(new Uint8Array(1), 0, 1)).to.equal(0);
    expect([shelf.opened.get('a'), shelf.open.get('a')]).to.deep.equal([2, 2]);
    shelf.readFailures.push(stale, stale);
    expect(await reader.read(new Uint8Array(1), 0, 1).catch((caught: unknown) => caught)).to.equal(stale);
    expect(shelf.opened.get('a')).to.equal(2);
    await reader.close();
    files.clear();
    await new Promise((resolve) => setImmediate(resolve));
    expect(shelf.open.get('a')).to.equal(0);
  });

  it('fails with what the read failed with where the file was replaced, or is gone', async () => {
    const stale = new StoreError('unavailable', 'stale');
    for (const change of [() => shelf.there.set('a', 2), () => shelf.there.delete('b')]) {
      const path = shelf.opened.size === 0 ? 'a' : 'b';
      const reader = await files.open(path);
      change();
      shelf.readFailures.push(stale);
      expect(await reader.read(new Uint8Array(1), 0, 1).catch((caught: unknown) => caught)).to.equal(stale);
      await reader.close();
    }
    files.clear();
    await new Promise((resolve) => setImmediate(resolve));
    expect(Object.fromEntries(shelf.open)).to.deep.equal({ a: 0, b: 0 });
  });

  it('notices that a file was removed by others', async () => {
    await (await files.open('a')).close();
    shelf.there.delete('a');
    nowMs = 1000;
    const error = await files.open('a').catch((caught: unknown) => caught);
    expect(error).to.have.property('code', 'not_found');
    expect(shelf.open.get('a')).to.equal(0);
  });

  it('never hands out a file that was dropped while it was checked', async () => {
    await (await files.open('a')).close();
    nowMs = 1000;
    shelf.beforeStat = async () => files.drop('a');
    const reader = await files.open('a');
    await reader.read(new Uint8Array(1), 0, 1);
    expect(shelf.opened.get('a')).to.equal(2);
  });

  it('closes files and tries again at the limit of open files', async () => {
    await (await files.open('a')).close();
    shelf.failures.push(new TooManyOpen('too many', undefined));
    await (await files.open('b')).close();
    expect(shelf.opened.get('b')).to.equal(1);
    expect(shelf.open.get('a')).to.equal(0);
  });

  it('tries again after a failure, also one that several readers share', async () => {
    const failure = new StoreError('unavailable', "can't be reached");
    shelf.failures.push(failure);
    const outcomes = await Promise.allSettled([files.open('a'), files.open('a')]);
    expect(outcomes.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    await (await files.open('a')).close();
    expect(shelf.open.get('a')).to.equal(1);
  });

  it('keeps no file that was dropped while it was opened', async () => {
    const opening = files.open('a');
    files.drop('a');
    await (await opening).close();
    expect(shelf.open.get('a')).to.equal(0);
    await (await files.open('a')).close();
    expect(shelf.opened.get('a')).to.equal(2);
  });

  it('does not try again if the server is unreachable', async () => {
    await (await files.open('a')).close();
    const failure = new StoreError('unavailable', "can't be reached");
    shelf.failures.push(failure, failure);
    expect(await files.open('b').catch((caught: unknown) => caught)).to.equal(failure);
    expect(shelf.failures).to.have.length(1);
    expect(shelf.open.get('a')).to.equal(1);
  });

  it('closes everything when it is cleared', async () => {
    for (const path of ['a', 'b']) await (await files.open(path)).close();
    files.clear();
    await new Promise((resolve) => setImmediate(resolve));
    expect([...shelf.open.values()]).to.deep.equal([0, 0]);
  });
});
