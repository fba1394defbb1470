import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../src/core/errors.js';
import { byteRange, clip, maxRangeLength } from '../../src/core/range.js';

describe('a range', () => {
  it('takes any offset from 0 and any length from 1 to 2³²−1', () => {
    const offsets = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    const lengths = fc.bigInt({ min: 1n, max: BigInt(maxRangeLength) });
    fc.assert(
      fc.property(offsets, lengths, (offset, length) => {
        const range = byteRange(offset, length);
        expect(BigInt(range.length)).to.equal(length);
        if (offset <= BigInt(Number.MAX_SAFE_INTEGER)) expect(BigInt(range.offset)).to.equal(offset);
        else expect(range.offset).to.equal(Number.MAX_SAFE_INTEGER);
      }),
    );
  });

  it('refuses a negative offset, and a length outside 1 to 2³²−1', () => {
    for (const length of [0n, -1n, 2n ** 32n]) expect(() => byteRange(0n, length)).to.throw(StoreError, 'length');
    expect(() => byteRange(-1n, 1n)).to.throw(StoreError, 'offset');
  });

  it('gives of an object just what slicing it would give', () => {
    const sizes = fc.nat(300);
    fc.assert(
      fc.property(sizes, sizes, fc.integer({ min: 1, max: 300 }), (size, offset, length) => {
        const object = Array.from({ length: size }, (_, i) => i);
        const part = clip({ offset, length }, size);
        expect(object.slice(part.offset, part.offset + part.length)).to.deep.equal(
          object.slice(offset, offset + length),
        );
        expect(part.length).to.equal(object.slice(offset, offset + length).length);
      }),
    );
  });

  it('is the whole object without a range', () => {
    expect(clip(undefined, 17)).to.deep.equal({ offset: 0, length: 17 });
  });
});
