import { expect } from 'chai';
import { MacBatch } from '../../src/core/mac-batch.js';
import { SortedMacs } from '../../src/integrity/sorted-macs.js';
import { randomMac, randomMacIn } from '../support/objects.js';

describe('SortedMacs', () => {
  it('gives MACs in their order, from any of them on, and knows which it has', () => {
    const macs = [...Array.from({ length: 500 }, randomMac), ...Array.from({ length: 300 }, () => randomMacIn('7f'))];
    const sorted = new SortedMacs();
    for (let at = 0; at < macs.length; at += 7) sorted.add(MacBatch.of(macs.slice(at, at + 7)));
    const expected = macs.toSorted();
    expect(sorted.size).to.equal(macs.length);
    expect([...sorted.after()]).to.deep.equal(expected);
    for (const index of [0, 10, 250, 799]) {
      const mac = expected[index];
      expect([...sorted.after(mac)]).to.deep.equal(expected.slice(index + 1));
    }
    const other = randomMacIn('7f');
    expect([...sorted.after(other)]).to.deep.equal(expected.filter((mac) => mac > other));
    expect([sorted.has(macs[3] ?? other), sorted.has(other)]).to.deep.equal([true, false]);
    const late = randomMacIn('00');
    sorted.add(MacBatch.of([late]));
    expect(sorted.has(late)).to.equal(true);
  });

  it('is empty at first', () => {
    expect([...new SortedMacs().after(randomMac())]).to.be.empty;
  });
});
