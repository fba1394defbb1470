import { expect } from 'chai';
import { MacBatch } from '../../src/core/mac-batch.js';
import { macFromBytes, type Mac } from '../../src/core/object.js';
import type { ObjectRead } from '../../src/core/store.js';
import type { VerifiedStore } from '../../src/integrity/store-copy.js';
import { verifyStore } from '../../src/integrity/verify.js';
import { memoryInUse } from '../support/memory.js';
import { makeObject } from '../support/objects.js';
import { ctx } from '../support/store.js';

const count = 200_000;
const MiB = 1024 * 1024;

/** A store of many packfiles, whose bytes are all the same. */
function largeStore(config: Uint8Array): VerifiedStore {
  const bytes = makeObject('packfile', 100);
  const read: ObjectRead = { objectSize: bytes.length, length: bytes.length, data: bytes, release: () => undefined };
  return {
    config: async () => config,
    list: async function* (kind: string) {
      if (kind !== 'packfile') return;
      for (let bucket = 0; bucket < 256; bucket++) yield MacBatch.of(macsIn(bucket));
    },
    get: async () => read,
  } as unknown as VerifiedStore;
}

function macsIn(bucket: number): Mac[] {
  const macs: Mac[] = [];
  for (let index = bucket; index < count; index += 256) {
    const mac = Buffer.alloc(32);
    mac[0] = bucket;
    mac.writeUInt32BE((index * 40_503) % 2 ** 32, 1);
    macs.push(macFromBytes(mac));
  }
  return macs;
}

describe('verifying a store of 200,000 objects', function () {
  this.timeout(60_000);

  it('takes little memory', async () => {
    const store = largeStore(Buffer.from('CONFIG'));
    const before = memoryInUse();
    let most = 0;
    let checked = 0;
    const on = {
      checked: () => {
        if (++checked % 5000 === 0) most = Math.max(most, memoryInUse() - before);
      },
    };
    // What is read leaves nothing behind; all names are in memory.
    const { packfile } = (await verifyStore(store, { jobs: 4, sample: 0.1, on }, ctx)).checked;
    expect(packfile.objects).to.be.within(0.09 * count, 0.11 * count);
    expect(most / MiB).to.be.below(60);
  });
});
