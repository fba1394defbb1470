import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { DigestWriter } from '../../src/integrity/digest-writer.js';
import { verifyStore } from '../../src/integrity/verify.js';
import { isWhole, type VerifiedRef } from '../../src/integrity/verify-report.js';
import { silent } from '../support/gateway.js';
import { inChunks, makeObject, randomMac } from '../support/objects.js';
import { ctx } from '../support/store.js';
import { Folder, randomNumbers } from './support/copies.js';

/** How often the store is verified, and how many objects clients put meanwhile at the least. */
const runs = 5;
const leastPuts = 100;

describe('verifying a store beside its clients', () => {
  it('takes nothing for damage that they put and delete meanwhile', async () => {
    const folder = await Folder.create('encrypted');
    const store = await folder.open({ trashes: false });
    const recorder = new DigestWriter(store.digests, { instance: 'test', host: 'test', log: silent });
    const random = randomNumbers(7);
    const present: VerifiedRef[] = [];
    let puts = 0;
    let isDone = false;
    const put = async (): Promise<void> => {
      const ref: VerifiedRef = { kind: random() < 0.8 ? 'packfile' : 'state', mac: randomMac() };
      const bytes = makeObject(ref.kind, 200, ref.mac);
      await store.put(ref, inChunks(bytes));
      await recorder.record(ref, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest() });
      present.push(ref);
      puts++;
    };
    const remove = async (): Promise<void> => {
      const [ref] = present.splice(Math.floor(random() * present.length), 1);
      if (ref === undefined) return;
      await recorder.recordDelete(ref);
      await store.delete(ref);
    };
    for (let i = 0; i < 50; i++) await put();
    const clients = (async () => {
      while (!isDone || puts < leastPuts) await (random() < 0.6 ? put() : remove());
    })();
    for (let run = 0; run < runs; run++) {
      const report = await verifyStore(store, { jobs: 4 }, ctx);
      expect(isWhole(report), JSON.stringify(report.damaged)).to.equal(true);
    }
    isDone = true;
    await clients;
    await recorder.close();
    await store.close();
  });
});
