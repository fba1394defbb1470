import { expect } from 'chai';
import { ReadRangesRequest } from '../../../gen/kloset/store/v1/store.js';
import { decodeReads } from '../../../src/frontends/grpc/read-ranges.js';

const KiB = 1024;

describe('A message of ReadRanges', () => {
  const read = (tag: number, length: number) => ({ tag: BigInt(tag), ref: undefined, range: { offset: 0n, length } });
  const reads = (message: Parameters<(typeof ReadRangesRequest)['encode']>[0]) =>
    decodeReads(ReadRangesRequest.encode(message).finish());

  it('asks for one read, or for several, or for both', () => {
    const one = { store: 's', ...read(1, 10) };
    const nothing = { store: 's', tag: 0n, ref: undefined, range: undefined };
    const tags = (message: Parameters<typeof reads>[0]) =>
      reads(message).map(({ tag, shares }) => [Number(tag), shares]);
    expect(tags({ ...one, reads: [] })).to.deep.equal([[1, false]]);
    expect(tags({ ...nothing, reads: [read(2, 10), read(3, 10)] })).to.deep.equal([
      [2, true],
      [3, true],
    ]);
    expect(tags({ ...one, reads: [read(2, 10)] })).to.deep.equal([
      [1, false],
      [2, true],
    ]);
    // It is answered: what it lacks is told under its mark.
    expect(tags({ ...nothing, reads: [] })).to.deep.equal([[0, false]]);
  });

  it('asks for large reads, of which fewer are under way at once', () => {
    const all = [read(1, 256 * KiB - 1), read(2, 256 * KiB), { ...read(3, 0), range: undefined }];
    const weights = reads({ store: '', tag: 0n, ref: undefined, range: undefined, reads: all });
    expect(weights.map(({ weight }) => weight)).to.deep.equal([1, 8, 1]);
  });
});
