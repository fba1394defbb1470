import { expect } from 'chai';
import { MixedGenerations } from '../../src/layers/mixed-generations.js';
import { MemoryStore } from '../support/memory-store.js';
import { makeObject, newRef } from '../support/objects.js';
import { putAll } from '../support/store.js';

/** A state as plakar 1.0 or 1.1 writes its header. */
function stateOf(version: '1.0' | '1.1'): Buffer {
  const bytes = Buffer.from(makeObject('state', 200));
  bytes.writeUInt8(version === '1.1' ? 1 : 0, 13);
  bytes.writeUInt16LE(1, 14);
  return bytes;
}

describe('MixedGenerations', () => {
  let warnings: { fields: object; message: string }[];

  function open(inner = new MemoryStore(Buffer.alloc(48), 10_000), name = 'teams/blue'): MixedGenerations {
    warnings = [];
    const log = { info: () => undefined, error: () => undefined };
    return new MixedGenerations(inner, {
      name,
      log: { ...log, warn: (fields: object, message: string) => void warnings.push({ fields, message }) },
    });
  }

  it('warns once when a store gets states of both', async () => {
    const store = open();
    for (let i = 0; i < 3; i++) await putAll(store, newRef('state'), stateOf('1.1'));
    expect(warnings).to.deep.equal([]);
    for (const version of ['1.0', '1.1', '1.0'] as const) await putAll(store, newRef('state'), stateOf(version));
    expect(warnings).to.have.length(1);
    expect(warnings[0]?.fields).to.deep.equal({ store: 'teams/blue', versions: ['1.0', '1.1'] });
    expect(warnings[0]?.message).to.match(
      /^store teams\/blue has states of plakar 1\.0 and 1\.1: clients of 1\.0 can no longer list it\. Let 1\.1 have/,
    );
  });

  it('warns of the first one where the store had states of the other before', async () => {
    for (const [before, after] of [
      ['1.0', '1.1'],
      ['1.1', '1.0'],
    ] as const) {
      const inner = new MemoryStore(Buffer.alloc(48), 10_000);
      await putAll(inner, newRef('state'), stateOf(before));
      await putAll(open(inner, ''), newRef('state'), stateOf(after));
      expect(warnings[0]?.message).to.match(/^the default store has states of plakar 1\.0 and 1\.1/);
    }
  });

  it('does not care for packfiles and locks, or for states that could not be read back', async () => {
    const inner = new MemoryStore(Buffer.alloc(48), 10_000);
    const store = open(inner);
    await putAll(store, newRef('state'), stateOf('1.0'));
    for (const kind of ['packfile', 'lock'] as const) await putAll(store, newRef(kind), makeObject(kind, 200));
    inner.get = () => Promise.reject(new Error('gone'));
    expect(await putAll(store, newRef('state'), stateOf('1.1'))).to.equal(true);
    expect(warnings).to.deep.equal([]);
  });
});
