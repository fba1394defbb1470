import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../../src/core/errors.js';
import { parseRangeHeader } from '../../../src/frontends/http/range-header.js';

describe('the Range header of plakar', () => {
  it('has an exclusive end', () => {
    expect(parseRangeHeader('bytes=0-10')).to.deep.equal({ offset: 0, length: 10 });
    expect(parseRangeHeader('bytes=00-05')).to.deep.equal({ offset: 0, length: 5 });
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 32 - 1 }), (offset, length) => {
        const header = `bytes=${offset}-${BigInt(offset) + BigInt(length)}`;
        expect(parseRangeHeader(header)).to.deep.equal({ offset, length });
      }),
    );
  });

  it('is no range where there is no header', () => {
    expect(parseRangeHeader(undefined)).to.equal(undefined);
  });

  it('is refused in every other form', () => {
    const wrong = [
      '',
      'bytes=',
      'bytes=5-',
      'bytes=-5',
      'bytes=10-10',
      'bytes=10-5',
      'bytes=0-5,7-9',
      'bytes= 0-5',
      'bytes=+0-5',
      'bytes=0x0-0x5',
      'items=0-4',
      'Bytes=0-4',
      'bytes=0-4 ',
      'bytes=0-4294967296',
      'bytes=18446744073709551615-18446744073709551616',
      'bytes=1e1-1e2',
    ];
    for (const header of wrong) expect(() => parseRangeHeader(header), header).to.throw(StoreError, 'Invalid range');
    fc.assert(
      fc.property(fc.string(), (header) => {
        fc.pre(!/^bytes=\d+-\d+$/.test(header));
        expect(() => parseRangeHeader(header)).to.throw(StoreError, 'Invalid range');
      }),
    );
  });
});
