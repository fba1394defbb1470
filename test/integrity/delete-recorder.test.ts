import { expect } from 'chai';
import { DeleteRecorder } from '../../src/integrity/delete-recorder.js';
import { DigestIndex } from '../../src/integrity/digest-index.js';
import { digestWriter, randomDigest, recordOne } from '../support/digests.js';
import { MemoryDigests } from '../support/memory-digests.js';
import { newRef } from '../support/objects.js';
import { ctx } from '../support/store.js';

describe('A recorder of deletes where no digests are recorded', () => {
  let storage: MemoryDigests;
  let nowMs: number;
  let recorder: DeleteRecorder;

  beforeEach(() => {
    storage = new MemoryDigests();
    nowMs = 0;
    recorder = new DeleteRecorder(storage, digestWriter(storage), () => nowMs);
  });

  it('writes nothing where there are none', async () => {
    await recorder.record();
    await recorder.recordDelete(newRef('state'));
    await recorder.close();
    expect(storage.segments.size).to.equal(0);
  });

  it('records deletes where there are some, so that what was deleted is not expected', async () => {
    const [kept, deleted] = [newRef('state'), newRef('state')];
    const earlier = digestWriter(storage);
    for (const ref of [kept, deleted]) await earlier.record(ref, randomDigest());
    await recorder.recordDelete(deleted);
    expect([...(await DigestIndex.load(storage, ctx)).expected('state')]).to.deep.equal([kept.mac]);
  });

  it('notices within a minute that another gateway has begun to record some', async () => {
    await recorder.recordDelete(newRef('state'));
    await recordOne(storage);
    nowMs = 59_999;
    await recorder.recordDelete(newRef('state'));
    expect(storage.segments.size).to.equal(1);
    nowMs = 60_000;
    await recorder.recordDelete(newRef('state'));
    expect(storage.segments.size).to.equal(2);
  });
});
