import { expect } from 'chai';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFields } from '../../src/core/config-fields.js';
import { isConfig, verifiedObject } from '../../src/core/serialized-object.js';
import { makeObject, newRef } from '../support/objects.js';
import { failure } from '../support/store.js';
import { fixtureStore, type Fixture } from '../support/temp.js';

async function* parts(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  for (let i = 1; i < at.length; i++) yield bytes.subarray(at[i - 1], at[i]);
}

describe('verifiedObject', () => {
  it('passes every byte on, however the upload is cut into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 48, max: 500 }), fc.array(fc.nat(), { maxLength: 30 }), async (size, cuts) => {
        const bytes = makeObject('state', size);
        const passed: Uint8Array[] = [];
        for await (const chunk of verifiedObject(newRef('state'), parts(bytes, cuts), 500)) passed.push(chunk);
        expect(Buffer.concat(passed).equals(bytes)).to.equal(true);
      }),
    );
  });

  it('passes on at most a part of a wrong header', async () => {
    const bytes = makeObject('packfile', 100);
    let passed = 0;
    const drain = async (): Promise<void> => {
      const chunks = verifiedObject(newRef('state'), parts(bytes, [1, 2, 3, 15, 16, 50]), 500);
      for await (const chunk of chunks) passed += chunk.length;
    };
    const error = await failure(drain());
    expect(passed).to.equal(15);
    expect(error.code).to.equal('invalid_argument');
    expect(error.message).to.equal('not a state: its header says that it is of type 4');
  });

  it('stops reading an upload that is over the limit', async () => {
    let asked = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield makeObject('packfile', 1000);
      for (;;) {
        asked++;
        yield Buffer.alloc(1000);
      }
    }
    const drain = async (): Promise<void> => {
      for await (const chunk of verifiedObject(newRef('packfile'), endless(), 5000))
        expect(chunk.length).to.equal(1000);
    };
    expect((await failure(drain())).code).to.equal('too_large');
    expect(asked).to.equal(5);
  });
});

describe('the CONFIG of a real store', () => {
  for (const fixture of ['v1.1-plaintext/store-empty', 'v1.1-encrypted/store-empty'] satisfies Fixture[]) {
    it(`is known by its header and tells how the store is made (${fixture})`, async () => {
      const bytes = readFileSync(join(await fixtureStore(fixture), 'CONFIG'));
      expect(isConfig(bytes)).to.equal(true);
      const { repositoryId, createdMs = 0, ...rest } = configFields(bytes);
      expect(repositoryId).to.have.length(16);
      expect(new Date(createdMs).toISOString()).to.match(/^2026-11-23T/);
      const isEncrypted = fixture.includes('encrypted');
      const encryption = isEncrypted ? 'AES256-GCM-SIV' : undefined;
      expect(rest).to.deep.equal({ isEncrypted, encryption, hashing: 'BLAKE3', compression: 'LZ4' });
    });
  }

  it('is not what other objects or garbage are', () => {
    expect(isConfig(makeObject('packfile', 100))).to.equal(false);
    expect(isConfig(Buffer.alloc(100))).to.equal(false);
    expect(isConfig(Buffer.alloc(3))).to.equal(false);
  });

  it('tells nothing where its payload is something else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { repositoryId: id } = configFields(bytes);
        expect(id === undefined || id.length === 16).to.equal(true);
      }),
    );
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(48, 0xc0), makeObject('packfile', 100)])
      expect(Object.values(configFields(bytes)).filter((each) => each !== undefined)).to.be.empty;
  });
});
