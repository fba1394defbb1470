import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../src/core/errors.js';
import { isMac, macFromBytes, macToBytes, parseMac } from '../../src/core/object.js';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe('a MAC', () => {
  it('is the same as bytes, as lower-case and as upper-case digits', () => {
    fc.assert(
      fc.property(bytes32, (bytes) => {
        const mac = macFromBytes(bytes);
        expect(isMac(mac)).to.equal(true);
        expect(parseMac(mac)).to.equal(mac);
        expect(parseMac(mac.toUpperCase())).to.equal(mac);
        expect(new Uint8Array(macToBytes(mac))).to.deep.equal(bytes);
      }),
    );
  });

  it('is nothing but 64 hex digits', () => {
    const digits = 'f'.repeat(64);
    const almost = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary', minLength: 64, maxLength: 64 }),
      fc
        .tuple(fc.nat(63), fc.string({ minLength: 1, maxLength: 1 }))
        .map(([at, char]) => digits.slice(0, at) + char + digits.slice(at + 1)),
      fc.constantFrom(
        '',
        digits.slice(1),
        `${digits}f`,
        `${digits}\n`,
        ` ${digits}`,
        `../${digits.slice(3)}`,
        `${digits}\0`,
      ),
    );
    fc.assert(
      fc.property(almost, (text) => {
        fc.pre(!/^[0-9a-fA-F]{64}$/.test(text) || text.length !== 64);
        expect(() => parseMac(text)).to.throw(StoreError, 'invalid MAC');
        expect(isMac(text)).to.equal(false);
      }),
    );
  });

  it('is nothing but 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        fc.pre(bytes.length !== 32);
        expect(() => macFromBytes(bytes)).to.throw(StoreError, `not ${bytes.length}`);
      }),
    );
  });
});
