import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { isSegmentName } from '../../src/core/digests.js';
import { StoreError } from '../../src/core/errors.js';
import { checkSegments } from '../../src/integrity/digest-log.js';
import { deferred } from '../support/deferred.js';
import { digestWriter, randomDigest, recordedDigests } from '../support/digests.js';
import { MemoryDigests } from '../support/memory-digests.js';
import { newRef } from '../support/objects.js';
import { ctx, expectFailure } from '../support/store.js';

const nowMs = Date.parse('2026-11-30T14:30:05.250Z');

describe('A writer of digests', () => {
  let storage: MemoryDigests;

  beforeEach(() => {
    storage = new MemoryDigests();
  });

  it('writes lines that are chained by their hashes, after a header', async () => {
    const writer = digestWriter(storage, { instance: 'rack 7', host: 'a.b_c', now: () => nowMs });
    const [packfile, state] = [newRef('packfile'), newRef('state')];
    const digest = randomDigest();
    await writer.record(packfile, digest);
    await writer.recordDelete(state);
    const name = storage.nameOf(0);
    expect(name).to.match(/^2026-11-30T14-30-05Z\.a-b-c\.[0-9a-f]{16}$/);
    expect(isSegmentName(name)).to.equal(true);
    const time = '2026-11-30T14:30:05.250Z';
    const lines = [
      `kloset-gateway-digests 1 rack%207 ${time}`,
      `packfile ${packfile.mac} 100 ${digest.sha256.toString('hex')} ${time}`,
      `deleted state ${state.mac} ${time}`,
    ];
    let chain = name;
    const expected = lines.map((line) => {
      chain = createHash('sha256').update(`${chain}${line}\n`).digest('hex').slice(0, 32);
      return `${line} ${chain}\n`;
    });
    expect(storage.text(0)).to.equal(expected.join(''));
  });

  it('says that it has recorded something only when the storage has it', async () => {
    const written = deferred();
    const begun = deferred();
    storage.beforeAppend = () => {
      begun.resolve();
      return written.promise;
    };
    let isRecorded = false;
    const recording = digestWriter(storage)
      .record(newRef('state'), randomDigest())
      .then(() => (isRecorded = true));
    await begun.promise;
    expect(isRecorded).to.equal(false);
    written.resolve();
    await recording;
  });

  it('writes what comes during a write together', async () => {
    const writer = digestWriter(storage);
    const refs = Array.from({ length: 100 }, () => newRef('packfile'));
    await Promise.all(refs.map((ref) => writer.record(ref, randomDigest())));
    expect(storage.appends).to.equal(2);
    expect((await recordedDigests(storage)).size).to.equal(100);
  });

  it('begins another segment when one is full, and names it there', async () => {
    storage.maxSegmentBytes = 1000;
    const writer = digestWriter(storage);
    for (let i = 0; i < 9; i++) await writer.record(newRef('packfile'), randomDigest());
    expect(storage.segments.size).to.be.within(2, 4);
    expect(storage.text(1)).to.match(new RegExp(`^.*\nafter ${storage.nameOf(0)} ${storage.bytesOf(0).length} `));
    expect(storage.text(0)).to.not.include('after');
    expect(await checkSegments(storage, ctx)).to.deep.equal([]);
  });

  it('names those segments that no other one names, and through them all', async () => {
    for (let i = 0; i < 5; i++) {
      const writer = digestWriter(storage);
      await writer.record(newRef('state'), randomDigest());
      await writer.close();
    }
    const named = [0, 1, 2, 3, 4].map((index) => storage.text(index).match(/^after \S+/gm) ?? []);
    expect(named.slice(1)).to.deep.equal([0, 1, 2, 3].map((index) => [`after ${storage.nameOf(index)}`]));
  });

  it('names what a running gateway has written since it was named, and those of two at once', async () => {
    const [one, two] = [digestWriter(storage), digestWriter(storage)];
    await Promise.all([one, two].map((writer) => writer.record(newRef('state'), randomDigest())));
    await digestWriter(storage).record(newRef('state'), randomDigest());
    await one.record(newRef('state'), randomDigest());
    await digestWriter(storage).record(newRef('state'), randomDigest());
    const after = (index: number): string[] =>
      [...storage.text(index).matchAll(/^after (\S+)/gm)].map(([, name]) => name ?? '');
    expect(after(2)).to.have.members([storage.nameOf(0), storage.nameOf(1)]);
    expect(after(3).length, 'the third segment, and one that has grown').to.equal(2);
    expect(after(3)).to.include(storage.nameOf(2));
    expect(await checkSegments(storage, ctx)).to.deep.equal([]);
  });

  it('names no others where what they have may be lost in a power cut', async () => {
    storage.isDurable = false;
    for (let i = 0; i < 2; i++) await digestWriter(storage).record(newRef('state'), randomDigest());
    expect(storage.text(1)).to.not.include('after');
  });

  it('goes on in another segment when one can’t be written any more', async () => {
    const writer = digestWriter(storage);
    await writer.record(newRef('state'), randomDigest());
    storage.beforeAppend = () => {
      storage.beforeAppend = () => undefined;
      throw new StoreError('unavailable', 'the connection was lost');
    };
    await writer.record(newRef('state'), randomDigest());
    expect(storage.segments.size).to.equal(2);
    expect((await recordedDigests(storage)).size).to.equal(2);
  });

  it('fails when a new segment can’t be written either, and tries again with the next digest', async () => {
    const writer = digestWriter(storage, { pauseMs: 0 });
    await writer.record(newRef('state'), randomDigest());
    storage.beforeAppend = () => {
      throw new StoreError('no_space', 'the disk is full');
    };
    const failing = [1, 2, 3].map(() => writer.record(newRef('state'), randomDigest()));
    for (const recording of failing) await expectFailure(recording, 'no_space');
    storage.beforeAppend = () => undefined;
    await writer.record(newRef('state'), randomDigest());
    expect((await recordedDigests(storage)).size).to.equal(2);
    expect(await checkSegments(storage, ctx)).to.deep.equal([]);
  });

  it('tries seldom while no segment can be written or created, and leaves few behind', async () => {
    const full = (): never => {
      throw new StoreError('no_space', 'the disk is full');
    };
    storage.beforeAppend = full;
    const writer = digestWriter(storage, { pauseMs: 3_600_000 });
    for (let i = 0; i < 100; i++) await expectFailure(writer.recordDelete(newRef('state')), 'no_space');
    expect(storage.segments.size).to.equal(1);
    const other = digestWriter(storage, { pauseMs: 3_600_000 });
    storage.beforeAppend = () => undefined;
    const { create } = storage;
    let tried = 0;
    storage.create = async () => {
      tried++;
      return full();
    };
    for (let i = 0; i < 10; i++) await expectFailure(other.recordDelete(newRef('state')), 'no_space');
    expect(tried).to.equal(1);
    storage.create = create;
    await other.close();
    expect(storage.text(1).match(/^deleted/gm), 'recorded at its end').to.have.length(10);
  });

  it('records deletes later that it couldn’t record when they were done, at the latest at its end', async () => {
    const writer = digestWriter(storage, { pauseMs: 0 });
    const deleted = [newRef('state'), newRef('packfile'), newRef('state')] as const;
    const failOnce = (): void => {
      storage.beforeAppend = () => {
        storage.beforeAppend = () => undefined;
        throw new StoreError('no_space', 'the disk is full');
      };
    };
    failOnce();
    await expectFailure(writer.recordDelete(deleted[0]), 'no_space');
    failOnce();
    await expectFailure(writer.recordDelete(deleted[1]), 'no_space');
    await writer.record(newRef('state'), randomDigest());
    const text = (): string => storage.text(storage.segments.size - 1);
    expect(text()).to.include(`deleted state ${deleted[0].mac}`).and.include(`deleted packfile ${deleted[1].mac}`);
    const { create } = storage;
    storage.create = async () => {
      throw new StoreError('no_space', 'the disk is full');
    };
    failOnce();
    await expectFailure(writer.recordDelete(deleted[2]), 'no_space');
    storage.create = create;
    await writer.close();
    expect(text()).to.include(`deleted state ${deleted[2].mac}`);
    expect(text().match(/^deleted/gm)).to.have.length(1);
  });

  it('begins all the same when another segment can’t be read, and says so', async () => {
    await digestWriter(storage).record(newRef('state'), randomDigest());
    storage.beforeRead = () => {
      throw new StoreError('internal', 'a broken disk');
    };
    const warnings: object[] = [];
    const log = { warn: (fields: object) => void warnings.push(fields) };
    await digestWriter(storage, { log }).record(newRef('state'), randomDigest());
    expect(warnings).to.have.length.above(0);
    expect(warnings[0]).to.deep.include({ segment: storage.nameOf(0), code: 'internal' });
  });

  it('waits at its end for what is being recorded', async () => {
    const writer = digestWriter(storage);
    const ref = newRef('packfile');
    const recording = writer.record(ref, randomDigest());
    await writer.close();
    expect([...(await recordedDigests(storage)).keys()]).to.deep.equal([`packfile ${ref.mac}`]);
    await recording;
  });
});
