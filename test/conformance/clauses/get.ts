import { expect } from 'chai';
import { truncate } from 'node:fs/promises';
import { objectKinds, type ObjectRef } from '../../../src/core/object.js';
import type { ObjectRead } from '../../../src/core/store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, expectFailure, getAll, putAll, readAll } from '../../support/store.js';
import { untilOpenFiles } from '../../wire/support/folders.js';
import type { Subject } from '../target.js';
import { fileOf, folderOf } from './on-disk.js';

const MiB = 1024 * 1024;

export function describeGet(subject: Subject): void {
  describe('get', () => {
    describeRanges(subject);
    describeLifetime(subject);
    if (subject.onDisk) describeShortened(subject);
  });
}

function describeRanges(subject: Subject): void {
  for (const kind of objectKinds) {
    it(`is not_found where there is no such ${kind}`, async () => {
      const { store } = subject;
      await expectFailure(store.get(newRef(kind), undefined, ctx), 'not_found');
      await expectFailure(store.get(newRef(kind), { offset: 0, length: 1 }, ctx), 'not_found');
      await expectFailure(store.get(newRef(kind), { offset: 2 ** 40, length: 1 }, ctx), 'not_found');
    });

    it(`gives any range of a ${kind}, cut to what there is`, async () => {
      const { store } = subject;
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
        [Number.MAX_SAFE_INTEGER - 1, 1],
      ] as const;
      for (const [offset, length] of ranges) {
        const read = await store.get(ref, { offset, length }, ctx);
        const expected = bytes.subarray(offset, offset + length);
        expect(read.length, `${offset} ${length}`).to.equal(expected.length);
        if (!subject.hides('objectSize')) expect(read.objectSize).to.equal(1000);
        expect((await readAll(read)).equals(expected), `${offset} ${length}`).to.equal(true);
      }
    });
  }

  it('gives whole objects of every size', async () => {
    const { store } = subject;
    for (const size of [48, 256 * 1024, 256 * 1024 + 1, MiB, MiB + 1, 5 * MiB + 7]) {
      const ref = newRef('packfile');
      const bytes = makeObject('packfile', size, `size ${size}`);
      await putAll(store, ref, bytes);
      const read = await store.get(ref, undefined, ctx);
      expect(read.length).to.equal(size);
      if (!subject.hides('objectSize')) expect(read.objectSize).to.equal(size);
      expect((await readAll(read)).equals(bytes), String(size)).to.equal(true);
    }
  });

  it('gives large ranges of large objects', async () => {
    const { store } = subject;
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
}

function describeLifetime(subject: Subject): void {
  it('keeps the bytes of a buffer until it is released, whatever else is read', async () => {
    const { store } = subject;
    const [ref, other] = [newRef('packfile'), newRef('packfile')];
    const bytes = makeObject('packfile', MiB, 'held');
    await putAll(store, ref, bytes);
    await putAll(store, other, makeObject('packfile', MiB, 'other'));
    const offsets = Array.from({ length: 20 }, (_, i) => i * 30_000);
    const held: ObjectRead[] = [];
    for (const offset of offsets) {
      held.push(await store.get(ref, { offset, length: 20_000 }, ctx));
      for (let i = 0; i < 3; i++) await getAll(store, other, { offset: i * 1000, length: 20_000 });
    }
    for (const [index, read] of held.entries()) {
      const offset = offsets[index] ?? 0;
      expect((await readAll(read)).equals(bytes.subarray(offset, offset + 20_000)), String(index)).to.equal(true);
    }
  });

  it('keeps the bytes of a chunk until the next one is asked for, whatever else is read', async () => {
    const { store } = subject;
    const [ref, other] = [newRef('packfile'), newRef('packfile')];
    const bytes = makeObject('packfile', 4 * MiB, 'slowly');
    await putAll(store, ref, bytes);
    await putAll(store, other, makeObject('packfile', 2 * MiB, 'other'));
    const read = await store.get(ref, undefined, ctx);
    let offset = 0;
    for await (const chunk of chunksOf(read)) {
      if (offset % MiB < chunk.length) await getAll(store, other);
      expect(bytes.subarray(offset, offset + chunk.length).equals(chunk), `the chunk at ${offset}`).to.equal(true);
      offset += chunk.length;
    }
    read.release();
    expect(offset).to.equal(bytes.length);
  });

  it('can be released before, while and after its bytes are read', async () => {
    const { store } = subject;
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 4 * MiB);
    await putAll(store, ref, bytes);
    for (let i = 0; i < 3; i++) {
      (await store.get(ref, undefined, ctx)).release();
      const read = await store.get(ref, undefined, ctx);
      for await (const chunk of chunksOf(read)) if (chunk.length >= 0) break;
      read.release();
      expect((await getAll(store, ref)).equals(bytes)).to.equal(true);
    }
  });

  it('keeps no file open once it is released', async () => {
    const { store, target } = subject;
    for (const kind of objectKinds) {
      const ref = newRef(kind);
      await putAll(store, ref, makeObject(kind, kind === 'lock' ? 1000 : 3 * MiB));
      for (const range of [undefined, { offset: 0, length: 10 }, { offset: 2 ** 40, length: 1 }]) {
        (await store.get(ref, range, ctx)).release();
        await getAll(store, ref, range);
        const read = await store.get(ref, range, ctx);
        for await (const chunk of chunksOf(read)) if (chunk.length >= 0) break;
        read.release();
      }
    }
    if (subject.onDisk) await untilOpenFiles(0, folderOf(target));
  });

  it('answers many readers at once, each with its own bytes', async () => {
    const { store } = subject;
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
}

/** Objects never change, but a disk may be damaged. */
function describeShortened(subject: Subject): void {
  for (const kind of ['packfile', 'state'] as const) {
    it(`never ends as if it were complete if a ${kind} becomes shorter while it is read`, async () => {
      const { store, target } = subject;
      const ref = newRef(kind);
      const bytes = makeObject(kind, 7 * MiB);
      await putAll(store, ref, bytes);
      const read = await store.get(ref, undefined, ctx);
      const chunks: Buffer[] = [];
      const work = async (): Promise<void> => {
        for await (const chunk of chunksOf(read)) {
          // Chunks that were read ahead may follow.
          if (chunks.length === 0) await truncate(fileOf(target, ref), MiB);
          chunks.push(Buffer.from(chunk));
        }
      };
      const error = await work().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      read.release();
      if (error === undefined) expect(Buffer.concat(chunks).equals(bytes)).to.equal(true);
    });
  }

  it('never ends as if it were complete if a packfile became shorter between two reads', async () => {
    const { store, target } = subject;
    const ref = newRef('packfile');
    const bytes = makeObject('packfile', 2 * MiB);
    await putAll(store, ref, bytes);
    await getAll(store, ref, { offset: 0, length: 1 });
    await truncate(fileOf(target, ref), MiB);
    const lengths = await lengthsOf(() => subject.store.get(ref, undefined, ctx), ref);
    if (lengths !== undefined) expect(lengths.got).to.equal(lengths.told);
  });
}

/** The announced and the actual length of a read; undefined if it failed. */
async function lengthsOf(
  get: () => Promise<ObjectRead>,
  { kind, mac }: ObjectRef,
): Promise<{ told: number; got: number } | undefined> {
  try {
    const read = await get();
    const got = (await readAll(read)).length;
    return { told: read.length, got };
  } catch (error) {
    expect(error, `${kind} ${mac}`).to.be.an('error');
    return undefined;
  }
}

/** The bytes of a read as chunks, even if they are in one buffer. */
async function* chunksOf({ data }: ObjectRead): AsyncGenerator<Uint8Array> {
  if (data instanceof Uint8Array) yield data;
  else yield* data;
}
