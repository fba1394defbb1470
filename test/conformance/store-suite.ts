import { expect } from 'chai';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors.js';
import { objectKinds, type Mac } from '../../src/core/object.js';
import type { Store } from '../../src/core/store.js';
import { header, inChunks, makeObject, newRef, randomMac, randomMacIn, seededBytes } from '../support/objects.js';
import { ctx, eventually, expectFailure, failure, getAll, listAll, putAll, readAll } from '../support/store.js';

export interface Target {
  /** An empty store that takes packfiles and states of up to `maxObjectBytes`. */
  readonly store: Store;
  /** The CONFIG that it was made with. */
  readonly config: Uint8Array;
  /** The folder that it is in, for stores that are in one of this machine. */
  readonly folder?: string;
  close(): Promise<void>;
}

export interface SuiteOptions {
  /** Whether the store is in a folder of this machine, so that what is left there can be looked at. */
  readonly onDisk: boolean;
  /** Which code an error is seen as, where a protocol doesn't tell two apart. */
  readonly seenAs?: (code: ErrorCode) => ErrorCode;
  /** What a protocol doesn't tell. */
  readonly hides?: readonly ('created' | 'objectSize')[];
}

/** The limit that targets are opened with. */
export const maxObjectBytes = 8 * 1024 * 1024;

const MiB = 1024 * 1024;

/**
 * Every clause of the Store contract (src/core/store.ts), on one kind of store. A new backend or protocol joins by a function
 * that opens an empty store.
 */
export function describeStore(name: string, open: () => Promise<Target>, options: SuiteOptions): void {
  const { onDisk, seenAs = (code) => code, hides = [] } = options;

  describe(`${name} keeps the Store contract`, () => {
    let target: Target;
    let store: Store;

    beforeEach(async () => {
      target = await open();
      ({ store } = target);
    });

    afterEach(async () => {
      if (target.folder !== undefined) expect(await temporaries(target.folder)).to.deep.equal([]);
      await target.close();
    });

    describe('config', () => {
      it('gives the bytes of CONFIG', async () => {
        expect(Buffer.from(await store.config(ctx)).equals(target.config)).to.equal(true);
      });

      if (onDisk) {
        it('reads CONFIG anew each time', async () => {
          const bytes = makeObject('packfile', 100);
          await writeFile(join(folderOf(target), 'CONFIG'), bytes);
          expect(Buffer.from(await store.config(ctx)).equals(bytes)).to.equal(true);
        });

        it('is unavailable when CONFIG is gone', async () => {
          await rename(join(folderOf(target), 'CONFIG'), join(folderOf(target), 'CONFIG.away'));
          await expectFailure(store.config(ctx), 'unavailable');
        });
      }
    });

    describe('list', () => {
      it('is empty in an empty store', async () => {
        for (const kind of objectKinds) expect(await listAll(store, kind)).to.deep.equal([]);
      });

      it('gives every object of the kind, once, and none of another kind', async () => {
        for (const kind of objectKinds) {
          const refs = Array.from({ length: 20 }, () => newRef(kind));
          await Promise.all(refs.map((ref) => putAll(store, ref, makeObject(kind, 100))));
          expect((await listAll(store, kind)).sort()).to.deep.equal(refs.map(({ mac }) => mac).sort());
        }
      });

      if (onDisk) {
        it('gives every one of thousands, once, also where most are in one folder', async () => {
          const macs = Array.from({ length: 9000 }, (_, i) => (i % 100 === 0 ? randomMac() : randomMacIn('ab')));
          for (const mac of macs) addByHand(target, mac);
          expect((await listAll(store, 'packfile')).sort()).to.deep.equal(macs.sort());
        });

        it('shows what others add and remove, as soon as it is done', async () => {
          const macs = Array.from({ length: 10 }, () => randomMacIn('ab'));
          const bucket = join(folderOf(target), 'packfiles', 'ab');
          const expectList = async (present: readonly Mac[]): Promise<void> =>
            void expect((await listAll(store, 'packfile')).sort()).to.deep.equal([...present].sort());
          for (const [index, mac] of macs.entries()) {
            addByHand(target, mac);
            await expectList(macs.slice(0, index + 1));
          }
          for (const [index, mac] of macs.entries()) {
            await rm(join(bucket, mac));
            await expectList(macs.slice(index + 1));
          }
          await rm(bucket, { recursive: true });
          await expectList([]);
          addByHand(target, randomMac());
          await rename(join(folderOf(target), 'packfiles'), join(folderOf(target), 'moved'));
          await expectList([]);
        });

        it('skips foreign and temporary names', async () => {
          const ref = newRef('packfile');
          await putAll(store, ref, makeObject('packfile', 100));
          const bucket = join(folderOf(target), 'packfiles', ref.mac.slice(0, 2));
          const other = ref.mac.startsWith('00') ? 'ff' : '00';
          for (const foreign of [
            `${ref.mac}.tmp`,
            'README',
            ref.mac.toUpperCase().replace(/^../, 'AB'),
            `${other}${ref.mac.slice(2)}`,
          ]) {
            await writeFile(join(bucket, foreign), 'x');
          }
          await mkdir(join(bucket, `${ref.mac.slice(0, 63)}${ref.mac.endsWith('0') ? '1' : '0'}`));
          await writeFile(join(folderOf(target), 'packfiles', 'tmp.123456'), 'x');
          await mkdir(join(folderOf(target), 'packfiles', 'lost+found'));
          await writeFile(join(folderOf(target), 'locks', 'tmp.654321'), 'x');
          expect(await listAll(store, 'packfile')).to.deep.equal([ref.mac]);
          expect(await listAll(store, 'lock')).to.deep.equal([]);
          await rename(join(folderOf(target), 'packfiles', 'tmp.123456'), join(folderOf(target), 'moved'));
          await rename(join(folderOf(target), 'locks', 'tmp.654321'), join(folderOf(target), 'moved'));
        });

        it('fails as a whole when one folder of many cannot be read', async () => {
          await Promise.all(
            Array.from({ length: 50 }, () => putAll(store, newRef('packfile'), makeObject('packfile', 100))),
          );
          const buckets = await readdir(join(folderOf(target), 'packfiles'));
          const bucket = join(folderOf(target), 'packfiles', buckets.sort().at(-1) ?? '');
          await rename(bucket, join(folderOf(target), 'moved-bucket'));
          await symlink('/nonexistent', bucket);
          let error: unknown;
          await listAll(store, 'packfile').catch((caught: unknown) => (error = caught));
          expect(error).to.be.an('error');
        });

        it('is empty, not an error, where a kind has no folder yet', async () => {
          await rename(join(folderOf(target), 'states'), join(folderOf(target), 'moved-states'));
          expect(await listAll(store, 'state')).to.deep.equal([]);
        });

        it('is unavailable, not empty, where the whole store is gone', async () => {
          await rename(folderOf(target), `${folderOf(target)}.away`);
          await expectFailure(listAll(store, 'state'), 'unavailable');
          await rename(`${folderOf(target)}.away`, folderOf(target));
        });
      }
    });

    describe('stat', () => {
      it('tells size and modification time', async () => {
        const ref = newRef('state');
        await putAll(store, ref, makeObject('state', 1234));
        const { size, modifiedMs } = await store.stat(ref, ctx);
        expect(size).to.equal(1234);
        expect(modifiedMs).to.be.within(Date.now() - 60_000, Date.now() + 60_000);
      });

      it('is not_found where there is no such object', async () => {
        for (const kind of objectKinds) await expectFailure(store.stat(newRef(kind), ctx), 'not_found');
      });
    });

    describe('get', () => {
      for (const kind of objectKinds) {
        it(`is not_found where there is no such ${kind}`, async () => {
          await expectFailure(store.get(newRef(kind), undefined, ctx), 'not_found');
          await expectFailure(store.get(newRef(kind), { offset: 0, length: 1 }, ctx), 'not_found');
        });

        it(`gives any range of a ${kind}, cut to what there is`, async () => {
          const ref = newRef(kind);
          const bytes = makeObject(kind, 1000);
          await putAll(store, ref, bytes);
          const ranges = [
            [0, 1],
            [0, 10],
            [0, 1000],
            [0, 1001],
            [0, 2 ** 32 - 1],
            [1, 999],
            [500, 100],
            [999, 1],
            [999, 2],
            [1000, 1],
            [1001, 1],
            [2 ** 40, 5],
          ] as const;
          for (const [offset, length] of ranges) {
            const read = await store.get(ref, { offset, length }, ctx);
            const expected = bytes.subarray(offset, offset + length);
            expect(read.length, `${offset} ${length}`).to.equal(expected.length);
            if (!hides.includes('objectSize')) expect(read.objectSize).to.equal(1000);
            expect((await readAll(read)).equals(expected), `${offset} ${length}`).to.equal(true);
          }
        });
      }

      it('gives whole objects of every size', async () => {
        for (const size of [48, 256 * 1024, 256 * 1024 + 1, MiB, MiB + 1, 5 * MiB + 7]) {
          const ref = newRef('packfile');
          const bytes = makeObject('packfile', size, `size ${size}`);
          await putAll(store, ref, bytes);
          expect((await getAll(store, ref)).equals(bytes), String(size)).to.equal(true);
        }
      });

      it('gives large ranges of large objects', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', 6 * MiB + 123);
        await putAll(store, ref, bytes);
        for (const [offset, length] of [
          [MiB - 1, 2],
          [17, 3 * MiB],
          [5 * MiB, 2 * MiB],
          [123, 256 * 1024 + 1],
        ] as const) {
          const got = await getAll(store, ref, { offset, length });
          expect(got.equals(bytes.subarray(offset, offset + length)), `${offset} ${length}`).to.equal(true);
        }
      });

      it('can be given up before, while and after its bytes are read', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', 4 * MiB);
        await putAll(store, ref, bytes);
        (await store.get(ref, undefined, ctx)).release();
        const read = await store.get(ref, undefined, ctx);
        if (!(read.data instanceof Uint8Array)) for await (const chunk of read.data) if (chunk.length >= 0) break;
        read.release();
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });

      it('answers many readers at once, each with its own bytes', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', 3 * MiB);
        await putAll(store, ref, bytes);
        await Promise.all(
          Array.from({ length: 40 }, async (_, i) => {
            const offset = i * 70_000;
            const got = await getAll(store, ref, { offset, length: 60_000 + i });
            expect(got.equals(bytes.subarray(offset, offset + 60_000 + i))).to.equal(true);
          }),
        );
      });
    });

    describe('put', () => {
      for (const kind of objectKinds) {
        it(`stores a ${kind}, which get and list then give`, async () => {
          const ref = newRef(kind);
          const bytes = makeObject(kind, 2000);
          const created = await putAll(store, ref, bytes);
          if (!hides.includes('created')) expect(created).to.equal(true);
          expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
          expect(await listAll(store, kind)).to.deep.equal([ref.mac]);
        });

        it(`refuses a ${kind} that is empty, too short, or has another header, and leaves nothing behind`, async () => {
          const others = objectKinds.filter((other) => other !== kind);
          const bad = [
            Buffer.alloc(0),
            header(kind).subarray(0, 8),
            makeObject(kind, 47),
            seededBytes(1000, 'noise'),
            seededBytes(2 * MiB, 'noise').subarray(0, kind === 'lock' ? 1000 : undefined),
            ...others.map((other) => makeObject(other, 1000)),
            Buffer.concat([Buffer.from('_kloset_'), makeObject(kind, 100).subarray(8)]),
          ];
          for (const bytes of bad) {
            const ref = newRef(kind);
            for (const chunkSize of [7, 64 * 1024]) {
              await expectFailure(
                store.put(ref, inChunks(bytes.subarray(0, chunkSize * 1000), chunkSize), ctx),
                'invalid_argument',
              );
              await expectFailure(store.get(ref, undefined, ctx), 'not_found');
            }
          }
          expect(await listAll(store, kind)).to.deep.equal([]);
        });
      }

      it('takes the shortest object, and the header of old stores', async () => {
        const ref = newRef('state');
        const bytes = Buffer.concat([header('state', '_PLAKAR_'), seededBytes(32, 'mac')]);
        await putAll(store, ref, bytes);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });

      it('takes an object byte by byte', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', 300);
        await putAll(store, ref, bytes, 1);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });

      it('takes an object of just the limit, and refuses one byte more', async () => {
        const bytes = makeObject('packfile', maxObjectBytes + 1);
        const fits = newRef('packfile');
        await putAll(store, fits, bytes.subarray(0, maxObjectBytes));
        expect((await store.stat(fits, ctx)).size).to.equal(maxObjectBytes);
        const tooLarge = newRef('packfile');
        await expectFailure(store.put(tooLarge, inChunks(bytes), ctx), seenAs('too_large'));
        await expectFailure(store.stat(tooLarge, ctx), 'not_found');
      });

      it('refuses a lock of more than 64 KiB', async () => {
        const bytes = makeObject('lock', 64 * 1024 + 1);
        await putAll(store, newRef('lock'), bytes.subarray(0, 64 * 1024));
        await expectFailure(store.put(newRef('lock'), inChunks(bytes), ctx), seenAs('too_large'));
      });

      for (const kind of ['packfile', 'state'] as const) {
        it(`succeeds again with the same bytes of a ${kind}, and changes nothing`, async () => {
          const ref = newRef(kind);
          const bytes = makeObject(kind, 1.5 * MiB);
          await putAll(store, ref, bytes);
          const before = await store.stat(ref, ctx);
          const created = await putAll(store, ref, bytes, 10_000);
          if (!hides.includes('created')) expect(created).to.equal(false);
          expect(await store.stat(ref, ctx)).to.deep.equal(before);
        });

        it(`refuses other bytes for a ${kind} that is there, and leaves the old ones`, async () => {
          const ref = newRef(kind);
          const bytes = makeObject(kind, 1.5 * MiB);
          await putAll(store, ref, bytes);
          const changed = Buffer.from(bytes);
          changed[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
          const shorter = bytes.subarray(0, bytes.length - 1);
          const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
          for (const other of [
            changed,
            shorter,
            longer,
            makeObject(kind, 48, 'other'),
            makeObject(kind, 2 * MiB, 'other'),
          ]) {
            await expectFailure(store.put(ref, inChunks(other), ctx), 'already_exists');
          }
          expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        });
      }

      it('replaces a lock', async () => {
        const ref = newRef('lock');
        await putAll(store, ref, makeObject('lock', 124, 'first'));
        const second = makeObject('lock', 130, 'second');
        await putAll(store, ref, second);
        expect((await getAll(store, ref)).equals(second)).to.equal(true);
        expect(await listAll(store, 'lock')).to.deep.equal([ref.mac]);
      });

      it('shows nothing before the object is complete', async () => {
        const ref = newRef('packfile');
        const bytes = makeObject('packfile', 2 * MiB);
        let go = (): void => undefined;
        const waiting = new Promise<void>((resolve) => (go = resolve));
        async function* body(): AsyncGenerator<Uint8Array> {
          yield* inChunks(bytes.subarray(0, MiB));
          await waiting;
          yield* inChunks(bytes.subarray(MiB));
        }
        const put = store.put(ref, body(), ctx);
        await new Promise((resolve) => setTimeout(resolve, 50));
        expect(await listAll(store, 'packfile')).to.deep.equal([]);
        await expectFailure(store.get(ref, undefined, ctx), 'not_found');
        go();
        await put;
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });

      for (const kind of objectKinds) {
        it(`leaves nothing behind when the body of a ${kind} fails, and the name can be used again`, async () => {
          const ref = newRef(kind);
          const bytes = makeObject(kind, kind === 'lock' ? 1000 : 2 * MiB);
          async function* broken(): AsyncGenerator<Uint8Array> {
            yield* inChunks(bytes.subarray(0, bytes.length - 100));
            throw new Error('the body broke');
          }
          let error: unknown;
          await store.put(ref, broken(), ctx).catch((caught: unknown) => (error = caught));
          expect(error).to.be.an('error');
          await expectFailure(store.get(ref, undefined, ctx), 'not_found');
          if (target.folder !== undefined) {
            await eventually(
              async () => (await temporaries(folderOf(target))).length === 0,
              'no temporary file is left',
            );
          }
          await putAll(store, ref, bytes);
          expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
        });
      }

      it('keeps the old lock when the body of a new one fails', async () => {
        const ref = newRef('lock');
        const old = makeObject('lock', 124, 'old');
        await putAll(store, ref, old);
        async function* broken(): AsyncGenerator<Uint8Array> {
          yield makeObject('lock', 124, 'new').subarray(0, 100);
          throw new Error('the body broke');
        }
        await store.put(ref, broken(), ctx).catch(() => undefined);
        expect((await getAll(store, ref)).equals(old)).to.equal(true);
      });

      it('lets one whole object win among concurrent puts of one name, and refuses the others', async () => {
        const ref = newRef('packfile');
        const bodies = Array.from({ length: 16 }, (_, i) => makeObject('packfile', 600_000 + i, `contender ${i}`));
        const results = await Promise.allSettled(bodies.map((bytes) => putAll(store, ref, bytes, 50_000)));
        const won = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
        expect(won).to.have.length(1);
        expect((await getAll(store, ref)).equals(bodies[won[0] ?? -1] ?? Buffer.alloc(0))).to.equal(true);
        for (const result of results) {
          if (result.status === 'rejected') {
            expect((await failure(Promise.reject(result.reason as Error))).code).to.equal('already_exists');
          }
        }
      });

      it('lets all of concurrent puts with the same bytes succeed', async () => {
        const ref = newRef('state');
        const bytes = makeObject('state', 700_000);
        const created = await Promise.all(Array.from({ length: 16 }, () => putAll(store, ref, bytes, 50_000)));
        if (!hides.includes('created')) expect(created.filter((each) => each)).to.have.length(1);
        expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
      });
    });

    describe('delete', () => {
      for (const kind of objectKinds) {
        it(`removes a ${kind}, whose name can be used again`, async () => {
          const ref = newRef(kind);
          await putAll(store, ref, makeObject(kind, 100, 'one'));
          await store.delete(ref, ctx);
          await expectFailure(store.get(ref, undefined, ctx), 'not_found');
          expect(await listAll(store, kind)).to.deep.equal([]);
          const two = makeObject(kind, 120, 'two');
          await putAll(store, ref, two);
          expect((await getAll(store, ref)).equals(two)).to.equal(true);
        });

        it(`succeeds for a ${kind} that is not there`, async () => {
          await store.delete(newRef(kind), ctx);
        });
      }

      if (onDisk) {
        it('fails where the whole store is gone', async () => {
          await rename(folderOf(target), `${folderOf(target)}.away`);
          await expectFailure(store.delete(newRef('packfile'), ctx), 'unavailable');
          await rename(`${folderOf(target)}.away`, folderOf(target));
        });
      }
    });
  });
}

function folderOf({ folder }: Target): string {
  if (folder === undefined) throw new Error('this target is not in a folder');
  return folder;
}

/** Adds a packfile as another program does, beside the store that is open. */
function addByHand(target: Target, mac: Mac): void {
  const bucket = join(folderOf(target), 'packfiles', mac.slice(0, 2));
  mkdirSync(bucket, { recursive: true });
  writeFileSync(join(bucket, mac), '');
}

/** The temporary files in a store's folder, whoever's. */
async function temporaries(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => /(^|\/)tmp\./.test(name));
}
