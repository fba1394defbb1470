import { expect } from 'chai';
import fc from 'fast-check';
import { MacBatch } from '../../src/core/mac-batch.js';
import { MacSet } from '../../src/core/mac-set.js';
import { isMac, macToBytes, type Mac } from '../../src/core/object.js';
import { randomMac } from '../support/objects.js';

const macs = Array.from({ length: 5 }, randomMac);

describe('MacBatch', () => {
  it('gives its MACs in their order: as strings, as bytes, and as the inside of a JSON array', () => {
    const batch = MacBatch.of(macs);
    expect(batch.length).to.equal(5);
    expect([...batch]).to.deep.equal(macs);
    expect([...batch]).to.deep.equal(macs);
    expect(batch.toBytes()).to.deep.equal(macs.map(macToBytes));
    expect(JSON.parse(`[${String(batch.json)}]`)).to.deep.equal(macs);
    expect(batch.byteLength).to.equal(5 * 67);
  });

  it('continues an array that another batch began', () => {
    const [first, rest] = [MacBatch.of(macs.slice(0, 2)), MacBatch.of(macs.slice(2))];
    expect(JSON.parse(`[${String(first.json)}${String(rest.jsonContinued)}]`)).to.deep.equal(macs);
  });

  it('may be empty', () => {
    const batch = MacBatch.of([]);
    expect([batch.length, [...batch], batch.toBytes(), batch.json.length, batch.jsonContinued.length]).to.deep.equal([
      0,
      [],
      [],
      0,
      0,
    ]);
  });

  it('finds those of its MACs that are in a set, and not what only looks like them', () => {
    const [one, two, alike] = [macs[1], macs[3], `${macs[2]?.slice(0, 63)}${macs[2]?.endsWith('0') ? 1 : 0}`] as Mac[];
    const set = new MacSet([two, randomMac(), alike, one] as Mac[]);
    expect([...MacBatch.of(macs).in(set)]).to.deep.equal([one, two]);
    set.delete(one as Mac);
    expect([...MacBatch.of(macs).in(set)]).to.deep.equal([two]);
    expect([...MacBatch.of(macs).in(new MacSet())]).to.deep.equal([]);
    expect([...MacBatch.of(macs).in(new MacSet(macs))]).to.deep.equal(macs);
  });

  it('may be cut down to any of its MACs, and is itself where that is all of them', () => {
    const batch = MacBatch.of(macs);
    expect(batch.filter(() => true)).to.equal(batch);
    for (let kept = 0; kept < 2 ** macs.length - 1; kept++) {
      const keep = (index: number): boolean => (kept & (1 << index)) !== 0;
      expect([...batch.filter(keep)]).to.deep.equal(macs.filter((_, index) => keep(index)));
    }
  });

  it('has parts that are batches, cut to what there is', () => {
    const batch = MacBatch.of(macs);
    expect([...batch.slice(1, 3)]).to.deep.equal(macs.slice(1, 3));
    expect([...batch.slice(3, 99)]).to.deep.equal(macs.slice(3));
    expect(batch.slice(5, 9).length).to.equal(0);
    expect(JSON.parse(`[${String(batch.slice(2, 4).json)}]`)).to.deep.equal(macs.slice(2, 4));
    expect(batch.slice(4, 5).toBytes()).to.deep.equal(macs.slice(4).map(macToBytes));
  });

  it("is the names that are MACs, and belong to the bucket, of a folder's names", () => {
    const [mac = ''] = macs;
    const foreign = [
      '',
      mac.slice(1),
      `${mac}0`,
      mac.toUpperCase().replace(/^../, 'AB'),
      `${mac.slice(0, 63)}g`,
      `${mac.slice(0, 63)}"`,
      // Whose last byte is that of a 0.
      `${mac.slice(0, 63)}\u0130`,
      `\u0130${mac.slice(1)}`,
      `${mac.slice(0, 62)}\u{1F600}`,
      `tmp.${mac.slice(4)}`,
    ];
    const names = foreign.flatMap((name, index) => [name, macs[index % 5] ?? '']);
    expect([...MacBatch.fromNames(names)]).to.deep.equal(names.filter(isMac));
    expect(MacBatch.fromNames(foreign).length).to.equal(0);
    const bucket = mac.slice(0, 2);
    const inBucket = macs.filter((each) => each.startsWith(bucket));
    expect([...MacBatch.fromNames(macs, bucket)]).to.deep.equal(inBucket);
  });

  it('takes for MACs what parsers take for them, whatever the names are', () => {
    const digit = fc.constantFrom(...'0123456789abcdef');
    const almost = fc.constantFrom(...'0123456789abcdefAFg/:`"\u00e9\u0130\ud83d');
    const name = fc.oneof(
      fc.string({ unit: digit, minLength: 64, maxLength: 64 }),
      fc.string({ unit: fc.oneof({ weight: 50, arbitrary: digit }, almost), minLength: 63, maxLength: 65 }),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(name), (names) => {
        expect([...MacBatch.fromNames(names)]).to.deep.equal(names.filter(isMac));
      }),
    );
  });
});
