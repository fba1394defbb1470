import { expect } from 'chai';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreError } from '../../../src/core/errors.js';
import { Checking } from '../../../src/server/upkeep/checking.js';
import { MemoryStore } from '../../support/memory-store.js';
import { makeObject, newRef } from '../../support/objects.js';
import { ctx, putAll } from '../../support/store.js';
import { fixtureStore } from '../../support/temp.js';

describe('A mirror that fails while a store is verified', () => {
  it('in the middle of an object is left out, and nothing of the store counts as damaged', async () => {
    const config = await readFile(join(await fixtureStore('v1.1-encrypted/store-empty'), 'CONFIG'));
    const [store, mirror] = [new MemoryStore(config, 10_000), new MemoryStore(config, 10_000)];
    const ref = newRef('packfile');
    for (const each of [store, mirror]) await putAll(each, ref, makeObject('packfile', 1000));
    const get = mirror.get.bind(mirror);
    mirror.get = async (of, range) => {
      const read = await get(of, range);
      async function* data(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(500);
        throw new StoreError('too_slow', 'read more slowly than the minimum rate');
      }
      return { ...read, data: data() };
    };
    const checking = new Checking(
      {
        store,
        mirror: {
          store: mirror,
          location: '/srv/mirror',
          direction: 'to',
          attempted: Promise.resolve(),
          problem: () => undefined,
          reopen: async () => undefined,
        },
        config: { bytesPerSecond: 2 ** 30, againstMirror: true },
      },
      ctx.signal,
    );
    const problems: (string | undefined)[] = [];
    const { report, isCompared } = await checking.check({ leftOut: (problem) => problems.push(problem) });
    expect(problems).to.deep.equal([undefined, 'read more slowly than the minimum rate']);
    expect(isCompared).to.equal(false);
    expect(report.checked.packfile.objects).to.equal(1);
    expect(report.damaged).to.deep.equal([]);
    expect(report.otherDamaged).to.deep.equal([]);
  });
});
