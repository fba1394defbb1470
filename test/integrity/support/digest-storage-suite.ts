import { expect } from 'chai';
import { newSegmentName, type DigestStorage } from '../../../src/core/digests.js';
import { checkSegments } from '../../../src/integrity/digest-log.js';
import { digestWriter, randomDigest, recordedDigests, recordOne } from '../../support/digests.js';
import { newRef } from '../../support/objects.js';
import { ctx, expectFailure } from '../../support/store.js';

/** What every storage of digests has to do. @param open opens that of an empty store, twice; it is closed by the caller */
export function describeDigestStorage(open: () => Promise<readonly [DigestStorage, DigestStorage]>): void {
  let storage: DigestStorage;
  let other: DigestStorage;

  beforeEach(async () => {
    [storage, other] = await open();
  });

  const name = (host = 'host'): string => newSegmentName(host, Date.UTC(2026, 10, 30));

  async function read(segment: string, from = 0): Promise<string> {
    let text = '';
    for await (const chunk of other.read(segment, ctx, { from, synced: true })) text += Buffer.from(chunk).toString();
    return text;
  }

  it('has no segments at first', async () => {
    expect(await storage.list(ctx)).to.deep.equal([]);
    expect(storage.isDurable).to.equal(true);
  });

  it('reads what was appended as one, from any offset on, also while more is appended', async () => {
    const segment = name();
    const appender = await storage.create(segment);
    const parts = ['one\n', 'two and\n', 'three\n'];
    for (const part of parts) await appender.append(Buffer.from(part));
    const text = parts.join('');
    for (let from = 0; from <= text.length; from++) expect(await read(segment, from)).to.equal(text.slice(from));
    await appender.append(Buffer.from('four\n'));
    expect(await read(segment)).to.equal(`${text}four\n`);
    await appender.close();
    expect(await other.list(ctx)).to.deep.equal([{ name: segment, size: text.length + 5 }]);
  });

  it('lists segments by their names, and creates none twice', async () => {
    const names = ['b', 'c', 'a'].map((host) => name(host));
    for (const each of names) {
      const appender = await storage.create(each);
      await appender.append(Buffer.from('x\n'));
      await appender.close();
    }
    expect((await other.list(ctx)).map((segment) => segment.name)).to.deep.equal(names.sort());
    const again = async (): Promise<void> => (await other.create(names[0] ?? '')).append(Buffer.from('y\n'));
    const failed = await again().then(
      () => false,
      () => true,
    );
    expect(failed).to.equal(true);
    await expectFailure(read(name('d')), 'not_found');
  });

  it('keeps the digests of two gateways at once', async () => {
    const writers = [storage, other].map((each) => digestWriter(each));
    const refs = Array.from({ length: 40 }, () => newRef('packfile'));
    await Promise.all(refs.map((ref, i) => writers[i % 2]?.record(ref, randomDigest())));
    await recordOne(other);
    const recorded = [...(await recordedDigests(storage)).keys()].filter((key) => key.startsWith('packfile'));
    expect(recorded).to.have.members(refs.map(({ mac }) => `packfile ${mac}`));
    expect(await checkSegments(storage, ctx)).to.deep.equal([]);
    expect(await storage.list(ctx)).to.have.length(3);
    for (const writer of writers) await writer.close();
  });
}
