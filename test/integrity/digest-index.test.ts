import { expect } from 'chai';
import type { ObjectKind, ObjectRef } from '../../src/core/object.js';
import { parseMac } from '../../src/core/object.js';
import { chained, emptySegment, headerLine, putLine } from '../../src/integrity/digest-line.js';
import { DigestIndex } from '../../src/integrity/digest-index.js';
import type { DigestWriter } from '../../src/integrity/digest-writer.js';
import { digestWriter, randomDigest } from '../support/digests.js';
import { memoryInUse } from '../support/memory.js';
import { MemoryDigests } from '../support/memory-digests.js';
import { newRef } from '../support/objects.js';
import { ctx } from '../support/store.js';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 1);

describe('The index of digests', () => {
  let storage: MemoryDigests;

  beforeEach(() => {
    storage = new MemoryDigests();
  });

  /** A gateway, at so many days after the first one. */
  const at = (days: number): DigestWriter => digestWriter(storage, { now: () => startMs + days * dayMs });
  const load = (): Promise<DigestIndex> => DigestIndex.load(storage, ctx);

  async function expected(kind: ObjectKind): Promise<string[]> {
    return [...(await load()).expected(kind)].sort();
  }

  it('has the digest of each object, by its kind and MAC', async () => {
    const [packfile, digest, other] = [newRef('packfile'), randomDigest(), randomDigest()];
    const state: ObjectRef = { kind: 'state', mac: packfile.mac };
    await at(0).record(packfile, digest);
    await at(1).record(state, other);
    const index = await load();
    expect(index.get(packfile)).to.deep.equal({ ...digest, recordedMs: startMs, isSeen: false });
    expect(index.get(state)).to.deep.equal({ ...other, recordedMs: startMs + dayMs, isSeen: false });
    expect(index.get(newRef('packfile'))).to.equal(undefined);
    expect(index.matches(packfile, digest)).to.equal(true);
    expect(index.matches(packfile, other)).to.equal(false);
    expect(index.matches(packfile, { ...digest, size: 1 })).to.equal(false);
    expect(index.size).to.equal(2);
    expect(index.problems).to.deep.equal([]);
  });

  it('has one digest where the same one was recorded several times', async () => {
    const [ref, digest] = [newRef('packfile'), randomDigest()];
    for (const day of [1, 2, 0]) await at(day).record(ref, digest);
    const index = await load();
    expect(index.size).to.equal(1);
    expect(index.get(ref)?.recordedMs).to.equal(startMs + 2 * dayMs);
  });

  it('has the last digest of a name that was used again, and accepts all', async () => {
    const [ref, first, last] = [newRef('packfile'), randomDigest(), randomDigest()];
    await at(2).record(ref, last);
    await at(1).recordDelete(ref);
    await at(0).record(ref, first);
    const index = await load();
    expect(index.get(ref)?.sha256).to.deep.equal(last.sha256);
    expect(index.matches(ref, first)).to.equal(true);
    expect(index.matches(ref, last)).to.equal(true);
    expect([...index.expected('packfile')]).to.deep.equal([ref.mac]);
  });

  it('expects those objects that no client has deleted since', async () => {
    const refs = Array.from({ length: 4 }, () => newRef('state'));
    const [kept, deleted, deletedAndPut, putByFastClock] = refs as [ObjectRef, ObjectRef, ObjectRef, ObjectRef];
    for (const ref of refs) await at(0).record(ref, randomDigest());
    await at(1).recordDelete(deleted);
    await at(1).recordDelete(deletedAndPut);
    await at(2).record(deletedAndPut, randomDigest());
    // It was deleted after that, by the clock of another machine.
    await at(-0.02).recordDelete(putByFastClock);
    await at(0).recordDelete(newRef('state'));
    expect(await expected('state')).to.deep.equal([kept.mac, deletedAndPut.mac].sort());
    expect(await expected('packfile')).to.deep.equal([]);
    expect((await load()).get(deleted), 'it may still be there').to.not.equal(undefined);
  });

  it('goes by what was put rather than by what was seen, in whatever order', async () => {
    const refs = [newRef('packfile'), newRef('packfile')] as const;
    const [put, seen] = [randomDigest(), randomDigest()];
    await at(0).record(refs[0], put);
    await at(1).record(refs[0], seen, { seen: true });
    await at(0).record(refs[1], seen, { seen: true });
    expect((await load()).get(refs[1])).to.deep.include({ ...seen, isSeen: true });
    expect((await load()).matches(refs[1], seen)).to.equal(true);
    await at(1).record(refs[1], put);
    const index = await load();
    for (const ref of refs) {
      expect(index.get(ref)).to.deep.include({ ...put, isSeen: false });
      expect([put, seen].map((digest) => index.matches(ref, digest))).to.deep.equal([true, false]);
    }
    await at(2).record(refs[0], seen);
    expect((await load()).get(refs[0]), 'seen, and put later').to.deep.include({ ...seen, isSeen: false });
  });

  it('expects what came back from the trash, until it is deleted again', async () => {
    const ref = newRef('state');
    await at(0).record(ref, randomDigest());
    await at(1).recordDelete(ref);
    expect((await load()).deletedMs(ref)).to.equal(startMs + dayMs);
    await at(1.001).recordRestored(ref, startMs + dayMs);
    expect(await expected('state')).to.deep.equal([ref.mac]);
    expect((await load()).deletedMs(ref)).to.equal(undefined);
    await at(1.002).recordDelete(ref);
    expect(await expected('state')).to.deep.equal([]);
  });

  it('has the problems of segments', async () => {
    await at(0).record(newRef('state'), randomDigest());
    await at(1).record(newRef('state'), randomDigest());
    storage.segments.delete(storage.nameOf(0));
    expect((await load()).problems.map(({ problem }) => problem)).to.deep.equal(['removed']);
  });

  it('takes less than 200 bytes of memory for each digest', async () => {
    const count = 50_000;
    const name = '2026-11-01T00-00-00Z.host.0123456789abcdef';
    const digest = randomDigest();
    const lines = Array.from({ length: count }, (_, i) => {
      const mac = parseMac(i.toString(16).padStart(8, '0').repeat(8));
      return putLine({ kind: 'packfile', mac }, digest, startMs);
    });
    storage.segments.set(name, Buffer.from(chained([headerLine('one', startMs), ...lines], emptySegment(name)).text));
    const before = memoryInUse();
    const index = await load();
    expect((memoryInUse() - before) / count).to.be.below(200);
    expect(index.size).to.equal(count);
  });
});
