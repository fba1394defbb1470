import { expect } from 'chai';
import type { DirectoryEntry, FileSystem } from '../../../src/backends/files/file-system.js';
import { ListMemory } from '../../../src/backends/files/list-memory.js';
import { ListingIndex } from '../../../src/backends/files/listing-index.js';
import { StoreError } from '../../../src/core/errors.js';
import type { Mac } from '../../../src/core/object.js';
import { randomMacIn } from '../../support/objects.js';
import { expectFailure } from '../../support/store.js';

/** Buckets in memory, with versions as a test sets them; counts how often each is read. */
class Buckets {
  readonly names = new Map<string, Mac[]>();
  readonly versions = new Map<string, string>();
  readonly reads: string[] = [];
  /** Runs when a folder's names are about to be given. */
  beforeList = async (): Promise<void> => undefined;

  get files(): FileSystem {
    return {
      folderVersion: async (path: string) => {
        this.namesOf(path);
        return this.versions.get(path);
      },
      list: async (path: string): Promise<DirectoryEntry[]> => {
        this.reads.push(path);
        await this.beforeList();
        return this.namesOf(path).map((name) => ({ name, type: 'file' }));
      },
    } as Partial<FileSystem> as FileSystem;
  }

  private namesOf(path: string): Mac[] {
    const names = this.names.get(path);
    if (names === undefined) throw new StoreError('not_found', 'no such folder');
    return names;
  }
}

describe('ListingIndex', () => {
  let disk: Buckets;
  let index: ListingIndex;
  const read = async (bucket: string): Promise<Mac[]> => [...(await index.read(bucket))];
  const put = (bucket: string, version: string | undefined, macs: Mac[]): void => {
    disk.names.set(`packfiles/${bucket}`, macs);
    if (version === undefined) disk.versions.delete(`packfiles/${bucket}`);
    else disk.versions.set(`packfiles/${bucket}`, version);
  };

  beforeEach(() => {
    disk = new Buckets();
    index = new ListingIndex(disk.files, 'packfile', new ListMemory());
  });

  it('reads a bucket once while its version stays the same, and again when it changes', async () => {
    const [first, second] = [randomMacIn('aa'), randomMacIn('aa')];
    put('aa', '1', [first]);
    put('bb', '1', []);
    for (let turn = 0; turn < 3; turn++) {
      expect(await read('aa')).to.deep.equal([first]);
      expect(await read('bb')).to.deep.equal([]);
    }
    expect(disk.reads).to.deep.equal(['packfiles/aa', 'packfiles/bb']);
    put('aa', '2', [second]);
    expect([await read('aa'), await read('aa')]).to.deep.equal([[second], [second]]);
    expect(disk.reads).to.deep.equal(['packfiles/aa', 'packfiles/bb', 'packfiles/aa']);
  });

  it('reads a bucket without a version every time, and forgets what it had before', async () => {
    const [first, second] = [randomMacIn('aa'), randomMacIn('aa')];
    put('aa', '1', [first]);
    await read('aa');
    put('aa', undefined, [second]);
    expect([await read('aa'), await read('aa')]).to.deep.equal([[second], [second]]);
    put('aa', '1', [first, second]);
    expect(await read('aa')).to.deep.equal([first, second]);
    expect(disk.reads).to.have.length(4);
  });

  it('misses nothing that is added during a read', async () => {
    const [first, second] = [randomMacIn('aa'), randomMacIn('aa')];
    put('aa', '1', [first]);
    disk.beforeList = async () => {
      disk.beforeList = async () => undefined;
      put('aa', '2', [first, second]);
    };
    expect(await read('aa')).to.deep.equal([first, second]);
    put('aa', '2', [second]);
    expect(await read('aa')).to.deep.equal([second]);
  });

  it('fails with unavailable if a bucket is gone, instead of being empty or as before', async () => {
    put('aa', '1', [randomMacIn('aa')]);
    await read('aa');
    disk.names.clear();
    await expectFailure(index.read('aa'), 'unavailable');
    put('aa', '1', []);
    expect(await read('aa')).to.deep.equal([]);
  });

  it('forgets buckets that no longer exist', async () => {
    const mac = randomMacIn('bb');
    put('aa', '1', [randomMacIn('aa')]);
    put('bb', '1', [mac]);
    await read('aa');
    await read('bb');
    index.retain(['bb']);
    put('aa', '1', []);
    expect(await read('aa')).to.deep.equal([]);
    expect(await read('bb')).to.deep.equal([mac]);
    expect(disk.reads).to.deep.equal(['packfiles/aa', 'packfiles/bb', 'packfiles/aa']);
  });

  it('caches no more than the limit, and reads the rest each time', async () => {
    index = new ListingIndex(disk.files, 'packfile', new ListMemory(3 * 67));
    for (const bucket of ['aa', 'bb', 'cc']) put(bucket, '1', [randomMacIn(bucket), randomMacIn(bucket)]);
    const readAll = async (): Promise<string[]> => {
      disk.reads.length = 0;
      for (const bucket of ['aa', 'bb', 'cc'])
        expect(await read(bucket)).to.deep.equal(disk.names.get(`packfiles/${bucket}`));
      return disk.reads;
    };
    await readAll();
    expect(await readAll()).to.deep.equal(['packfiles/bb', 'packfiles/cc']);
    // A bucket with fewer objects makes room.
    put('aa', '2', [randomMacIn('aa')]);
    await readAll();
    expect(await readAll()).to.deep.equal(['packfiles/cc']);
  });

  describe('that shares its memory with others', () => {
    let disks: Buckets[];
    let indexes: ListingIndex[];

    beforeEach(() => {
      const memory = new ListMemory(5 * 67);
      disks = [new Buckets(), new Buckets(), new Buckets()];
      for (const disk of disks) {
        disk.names.set('packfiles/aa', [randomMacIn('aa'), randomMacIn('aa')]);
        disk.versions.set('packfiles/aa', '1');
      }
      indexes = disks.map(({ files }) => new ListingIndex(files, 'packfile', memory));
    });

    /** Lists what these have, one after the other; how often each had to read its bucket so far. */
    async function list(...numbers: number[]): Promise<number[]> {
      for (const number of numbers) {
        indexes[number]?.retain(['aa']);
        await indexes[number]?.read('aa');
      }
      return disks.map(({ reads }) => reads.length);
    }

    it('displaces the one whose list was asked for least recently, and none while there is room', async () => {
      expect(await list(0, 1, 0, 1, 0)).to.deep.equal([1, 1, 0]);
      expect(await list(2, 0, 2, 0)).to.deep.equal([1, 1, 1]);
      expect(await list(1, 0)).to.deep.equal([1, 2, 1]);
    });

    it('leaves its memory to the others when it is cleared', async () => {
      await list(0, 1);
      indexes[0]?.clear();
      expect(await list(2, 1, 2, 1)).to.deep.equal([1, 1, 1]);
    });
  });
});
